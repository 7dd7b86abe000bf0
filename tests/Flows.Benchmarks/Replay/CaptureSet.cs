using System.Globalization;
using Flows.Benchmarks.Traffic;

namespace Flows.Benchmarks.Replay;

/// <summary>One capture to replay. <see cref="Name"/> is what the table says.</summary>
internal sealed record CaptureFile(string Name, string Path, long Packets)
{
    /// <summary>A line with the bar, or one that is only told.</summary>
    public bool IsJudged { get; init; } = true;

    public string Note { get; init; } = "";
}

/// <summary>The captures of the comparison, generated once and kept.</summary>
internal sealed class CaptureSet(BenchPlan plan)
{
    // Below it, start-up decides; the longest run of a peer stays under ten seconds.
    private const long SmallPackets = 4_000_000, FullPackets = 2_000_000, WildPackets = 2_000_000, FewPackets = 200_000, QuickPackets = 20_000;

    public IEnumerable<CaptureFile> Files()
    {
        Directory.CreateDirectory(plan.Cache);
        yield return Generated("96 bytes, VLAN and VXLAN among them, 5 % reused", new TrafficPlan { Name = "mix-96", Packets = Size(SmallPackets), Snaplen = 96, Encapsulated = true, Reuse = 0.05 });
        yield return Generated("full packets, VLAN and VXLAN among them, 5 % reused", new TrafficPlan { Name = "mix-full", Packets = Size(FullPackets), Encapsulated = true, Reuse = 0.05 });
        yield return Generated("96 bytes, plain", new TrafficPlan { Name = "plain-96", Packets = Size(SmallPackets), Snaplen = 96 });
        yield return Generated("96 bytes, plain, short run", new TrafficPlan { Name = "plain-96", Packets = Size(FewPackets), Snaplen = 96 }) with { IsJudged = false };
        foreach (var joined in FromTheWild())
        {
            yield return joined;
        }
    }

    private IEnumerable<CaptureFile> FromTheWild()
    {
        if (!Directory.Exists(plan.Wild))
        {
            BenchPlan.Say($"bench: no folder {plan.Wild}: the captures from the wild are left out");
            yield break;
        }

        var wild = WildTraffic.Read(plan.Wild);
        yield return Joined(wild, passes: 1) with { IsJudged = false };
        var passes = (int)((Size(WildPackets) + wild.Count - 1) / wild.Count);
        if (passes > 1)
        {
            yield return Joined(wild, passes);
        }
    }

    private long Size(long packets) => plan.Quick ? QuickPackets : packets;

    private CaptureFile Generated(string name, TrafficPlan traffic)
    {
        var path = Cached($"{traffic.Name}-{traffic.Packets}", traffic.Snaplen, file => new MicroTraffic(traffic).WriteTo(file));
        return new CaptureFile(name, path, CountOf(path));
    }

    private CaptureFile Joined(WildTraffic wild, int passes)
    {
        var path = Cached(string.Create(CultureInfo.InvariantCulture, $"wild-{wild.Count}-{passes}"), 262_144, file => wild.WriteTo(file, passes));
        return new CaptureFile(passes == 1 ? "captures joined, one pass" : "captures joined", path, CountOf(path))
        {
            Note = string.Create(CultureInfo.InvariantCulture, $"{wild.Files} Ethernet files x {passes}"),
        };
    }

    /// <summary>The file of that name, made now if it is not there; a run that breaks off leaves none.</summary>
    private string Cached(string name, int snaplen, Action<PcapFileWriter> write)
    {
        var path = Path.Combine(plan.Cache, name + ".pcap");
        if (File.Exists(path) && File.Exists(path + ".count"))
        {
            return path;
        }

        BenchPlan.Say($"bench: making {path}");
        using (var file = new PcapFileWriter(path, snaplen))
        {
            write(file);
            File.WriteAllText(path + ".count", file.Packets.ToString(CultureInfo.InvariantCulture));
        }

        return path;
    }

    private static long CountOf(string path) => long.Parse(File.ReadAllText(path + ".count"), CultureInfo.InvariantCulture);
}
