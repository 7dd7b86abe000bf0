using System.Globalization;
using Flows.Core;

namespace Flows.Capture.Files;

/// <summary>
/// Reads the packets of a capture file in classic pcap or pcapng. Everything readable is delivered; what is damaged is
/// reported after it, with the place.
/// </summary>
public sealed class CaptureFileReader : IDisposable
{
    private readonly string name;
    private readonly ReadBuffer input;
    private readonly ICaptureFormat format;

    private CaptureFileReader(string name, ReadBuffer input, ICaptureFormat format)
    {
        this.name = name;
        this.input = input;
        this.format = format;
    }

    /// <summary>Packets delivered so far.</summary>
    public long Packets { get; private set; }

    /// <summary>The opt_comment options of the section headers read so far; those of the first are there once the file is open.</summary>
    public IReadOnlyList<string> Comments => format.Comments;

    /// <exception cref="FlowsException">The file is missing, unreadable, or no capture.</exception>
    public static CaptureFileReader Open(string path)
    {
        try
        {
            // The reader has its own buffer; a second one in the stream would only copy.
            return Open(new FileStream(path, new FileStreamOptions { BufferSize = 0, Options = FileOptions.SequentialScan }), path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new FlowsException(ExitCode.Usage, $"{path}: there is no such file.", e);
        }
        catch (UnauthorizedAccessException e)
        {
            var message = Directory.Exists(path) ? $"{path}: is a directory, not a capture file." : $"{path}: no permission to read it.";
            throw new FlowsException(Directory.Exists(path) ? ExitCode.Usage : ExitCode.Failed, message, e);
        }
    }

    /// <summary>Reads from a stream, which the reader disposes.</summary>
    /// <param name="stream">Positioned at the start of the capture.</param>
    /// <param name="name">How messages call it.</param>
    /// <exception cref="FlowsException">It is no capture.</exception>
    public static CaptureFileReader Open(Stream stream, string name)
    {
        var input = new ReadBuffer(stream);
        ICaptureFormat? format = PcapFormat.TryOpen(input);
        format ??= PcapngFormat.TryOpen(input);
        if (format is null)
        {
            input.Dispose();
            throw new FlowsException(ExitCode.Usage, $"{name}: is not a capture file; pcap and pcapng are read, uncompressed.");
        }

        return new CaptureFileReader(name, input, format);
    }

    /// <summary>The next packet, whose data is valid until the next call; false at the end.</summary>
    /// <exception cref="FlowsException">The file is truncated or corrupt here; all packets before were delivered.</exception>
    public bool TryReadNext(out CapturedPacket packet)
    {
        packet = default;
        switch (format.Read(input, ref packet))
        {
            case RecordResult.Packet:
                Packets++;
                return true;
            case RecordResult.End:
                return false;
            default:
                throw new FlowsException(ExitCode.Failed, string.Create(
                    CultureInfo.InvariantCulture,
                    $"{name}: truncated or corrupt at byte {input.Position}; the {Packets} packets before it were read."));
        }
    }

    public void Dispose() => input.Dispose();
}
