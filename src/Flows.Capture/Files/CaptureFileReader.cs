using System.Buffers.Binary;
using Flows.Core;

namespace Flows.Capture.Files;

/// <summary>
/// Reads pcap and pcapng files of either byte order. Our own, because libpcap refuses a pcapng file whose interfaces differ in link type,
/// as recordings of netlink messages beside packets do.
/// </summary>
public sealed class CaptureFileReader : IDisposable
{
    private readonly CaptureStream stream;
    private readonly PcapReader? pcap;
    private readonly PcapngReader? pcapng;

    private CaptureFileReader(CaptureStream stream)
    {
        this.stream = stream;
        var magic = stream.Peek(4);
        if (magic.Length == 4 && BinaryPrimitives.ReadUInt32LittleEndian(magic) == PcapngReader.SectionHeader)
        {
            pcapng = new PcapngReader(stream);
        }
        else
        {
            pcap = PcapReader.TryOpen(stream) ?? throw stream.NotACapture();
        }
    }

    /// <summary>The comments of the section headers read so far (pcapng opt_comment).</summary>
    public IReadOnlyList<string> Comments => pcapng?.Comments ?? [];

    /// <exception cref="FlowsException">The file is missing, unreadable, or no capture.</exception>
    public static CaptureFileReader Open(string path)
    {
        CaptureStream? stream = null;
        try
        {
            stream = new CaptureStream(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0, FileOptions.SequentialScan), path);
            return new CaptureFileReader(stream);
        }
        catch (Exception fault) when (fault is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new FlowsException(ExitCode.Usage, $"There is no file {path}.", fault);
        }
        catch (Exception fault) when (fault is UnauthorizedAccessException)
        {
            throw new FlowsException(ExitCode.Usage, $"{path} cannot be read: it is a directory, or you may not read it.", fault);
        }
        catch
        {
            stream?.Dispose();
            throw;
        }
    }

    /// <summary>Reads the next packet; false at the orderly end of the file.</summary>
    /// <exception cref="FlowsException">The file is cut off or corrupt here. Every packet before was delivered.</exception>
    public bool TryReadNext(out CapturedPacket packet) => pcapng is not null ? pcapng.TryReadNext(out packet) : pcap!.TryReadNext(out packet);

    public void Dispose() => stream.Dispose();
}
