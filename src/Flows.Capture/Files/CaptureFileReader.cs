using System.Globalization;
using Flows.Core;

namespace Flows.Capture.Files;

/// <summary>
/// Reads the packets of a capture file in classic pcap or pcapng, compressed with gzip or not. Everything readable is delivered;
/// what is damaged is reported after it, with the place.
/// </summary>
public sealed class CaptureFileReader : IDisposable
{
    private readonly string name;
    private readonly ReadBuffer input;
    private readonly ICaptureFormat format;
    private readonly GzipInput? gzip;

    private CaptureFileReader(string name, ReadBuffer input, ICaptureFormat format, GzipInput? gzip)
    {
        this.gzip = gzip;
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

    /// <summary>Reads what another program writes, as in <c>tcpdump -w - | flows replay -</c>; returns when its header is there.</summary>
    /// <exception cref="FlowsException">A person types there, or it is no capture.</exception>
    public static CaptureFileReader OpenStandardInput() => Console.IsInputRedirected
        ? Open(Console.OpenStandardInput(), "standard input")
        : throw new FlowsException(ExitCode.Usage, "standard input: is a terminal; pipe a capture into it, as in 'tcpdump -w - | flows replay -'.");

    /// <summary>Reads from a stream, which the reader disposes. Whether it is compressed its first bytes tell, not its name.</summary>
    /// <param name="stream">Positioned at the start of the capture.</param>
    /// <param name="name">How messages call it.</param>
    /// <exception cref="FlowsException">It is no capture.</exception>
    public static CaptureFileReader Open(Stream stream, string name)
    {
        var input = new ReadBuffer(stream);
        GzipInput? gzip = null;
        if (GzipInput.IsGzip(input.Peek(GzipInput.MagicBytes)))
        {
            gzip = new GzipInput(input);
            input = new ReadBuffer(gzip);
        }

        ICaptureFormat? format = PcapFormat.TryOpen(input);
        format ??= PcapngFormat.TryOpen(input);
        if (format is null)
        {
            input.Dispose();
            throw new FlowsException(ExitCode.Usage, gzip is { Fault: { } fault }
                ? $"{name}: is not a capture file as far as it can be read; {fault}."
                : $"{name}: is not a capture file{(gzip is null ? "" : " within gzip")}; pcap and pcapng are read, as they are or compressed with gzip.");
        }

        return new CaptureFileReader(name, input, format, gzip);
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
            case RecordResult.End when gzip?.Fault is null:
                return false;
            default:
                throw Broken();
        }
    }

    /// <summary>What cannot be read any further, and the place: of compressed files the one in the compressed bytes, where they are what is broken.</summary>
    private FlowsException Broken()
    {
        var where = gzip?.Fault ?? string.Create(
            CultureInfo.InvariantCulture, $"truncated or corrupt at byte {input.Position}{(gzip is null ? "" : " of the uncompressed data")}");
        return new FlowsException(ExitCode.Failed, string.Create(CultureInfo.InvariantCulture, $"{name}: {where}; the {Packets} packets before it were read."));
    }

    public void Dispose() => input.Dispose();
}
