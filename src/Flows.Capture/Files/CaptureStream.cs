using Flows.Core;

namespace Flows.Capture.Files;

/// <summary>Reads a file forward through one buffer, and knows where it is for the sake of errors.</summary>
internal sealed class CaptureStream(Stream stream, string name) : IDisposable
{
    private byte[] buffer = new byte[1 << 20];
    private int start;
    private int end;
    private long consumed;

    /// <summary>Offset of the next byte.</summary>
    public long Position => consumed;

    /// <summary>Packets handed out, for messages.</summary>
    public long Packets { get; set; }

    /// <summary>Shows the next bytes without taking them; fewer than asked only at the end of the file.</summary>
    public ReadOnlySpan<byte> Peek(int count)
    {
        while (end - start < count)
        {
            if (start > 0)
            {
                buffer.AsSpan(start, end - start).CopyTo(buffer);
                (start, end) = (0, end - start);
            }

            if (buffer.Length < count)
            {
                Array.Resize(ref buffer, Math.Max(count, buffer.Length * 2));
            }

            var read = stream.Read(buffer.AsSpan(end));
            if (read == 0)
            {
                break;
            }

            end += read;
        }

        return buffer.AsSpan(start, Math.Min(count, end - start));
    }

    /// <summary>Takes bytes that <see cref="Peek"/> has shown.</summary>
    public void Skip(int count)
    {
        start += count;
        consumed += count;
    }

    /// <summary>Shows exactly so many bytes, of a record that must be whole.</summary>
    /// <exception cref="FlowsException">The file ends before.</exception>
    public ReadOnlySpan<byte> Need(int count)
    {
        var bytes = Peek(count);
        return bytes.Length == count ? bytes : throw Broken($"is cut off: it ends at byte {consumed + bytes.Length} in the middle of a record");
    }

    /// <summary>The fault of a file that cannot be read on; what came before it is good.</summary>
    public FlowsException Broken(string what) =>
        new(ExitCode.Failed, $"{name} {what}; the {Packets} packets before byte {consumed} were read.");

    /// <summary>The fault of a file that is no capture.</summary>
    public FlowsException NotACapture() =>
        new(ExitCode.Usage, $"{name} is not a capture: it begins with neither a pcap nor a pcapng header.");

    public void Dispose() => stream.Dispose();
}
