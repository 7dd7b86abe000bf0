using Flows.Capture.Files;
using Flows.Capture.Packets;
using Flows.Core;

namespace Flows.Benchmarks.Traffic;

/// <summary>
/// Joins the Ethernet captures of a folder into one file. Each follows the one before it in time; gaps within a capture stay as they are up
/// to a minute, so that the whole is one plausible capture and not one of twenty years. A capture that breaks off gives what it has.
/// </summary>
internal sealed class WildTraffic
{
    private const long GapUsMax = UnixTime.Minute;
    private const int SnaplenMax = 262_144;

    private readonly List<(byte[] Data, int WireLength, long OffsetUs)> packets = [];
    private long lengthUs;

    private WildTraffic()
    {
    }

    /// <summary>Packets of one pass over all captures.</summary>
    public int Count => packets.Count;

    public int Files { get; private set; }

    /// <summary>Reads all captures below <paramref name="folder"/>, in the order of their names.</summary>
    public static WildTraffic Read(string folder)
    {
        var wild = new WildTraffic();
        var files = Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Where(path => Path.GetExtension(path) is ".pcap" or ".pcapng" or ".cap");
        foreach (var path in files.Order(StringComparer.Ordinal))
        {
            wild.Add(path);
        }

        return wild;
    }

    /// <summary>Writes so many passes one after the other.</summary>
    public void WriteTo(PcapFileWriter file, int passes)
    {
        const long StartUs = 1_760_000_000_000_000;
        for (var pass = 0; pass < passes; pass++)
        {
            foreach (var (data, wireLength, offsetUs) in packets)
            {
                file.Write(data, wireLength, StartUs + (pass * lengthUs) + offsetUs);
            }
        }
    }

    private void Add(string path)
    {
        var before = packets.Count;
        try
        {
            using var reader = CaptureFileReader.Open(path);
            long? lastUs = null;
            while (reader.TryReadNext(out var packet))
            {
                if (packet.LinkType != LinkType.Ethernet || packet.Data.Length > SnaplenMax)
                {
                    continue;
                }

                lengthUs += Math.Clamp(packet.TimestampUs - (lastUs ?? packet.TimestampUs), 0, GapUsMax);
                lastUs = packet.TimestampUs;
                packets.Add((packet.Data.ToArray(), packet.WireLength, lengthUs));
            }
        }
        catch (FlowsException)
        {
            // Deliberately broken files are among them; what came before the break is in.
        }

        Files += packets.Count > before ? 1 : 0;
        lengthUs++;
    }
}
