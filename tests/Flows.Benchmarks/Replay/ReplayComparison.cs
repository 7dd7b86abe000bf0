using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Flows.Benchmarks.Measuring;

namespace Flows.Benchmarks.Replay;

/// <summary>
/// Bar P1: <c>flows replay</c> against softflowd, from the same file to flow records. Ours are Arrow batches with the connection's whole
/// story; softflowd's are NetFlow v9 in UDP datagrams to a collector on loopback. It runs as its manual has it for files (-r, in the
/// foreground), with v9 because its default v5 leaves IPv6 out, and with room for as many flows as our table has, for with its default
/// of 8,192 it cuts flows short.
/// </summary>
internal sealed partial class ReplayComparison(BenchPlan plan)
{
    private const double Bar = 2.0, StoringBar = 1.2, MemoryBar = 2.0;
    private const int FlowsMax = 262_144;

    private static readonly TimeSpan RunMax = TimeSpan.FromMinutes(3);
    private static readonly Place Place = new(BenchPlan.MeasuredCore);

    public static IEnumerable<Comparison> Run(BenchPlan plan) => new CaptureSet(plan).Files().SelectMany(new ReplayComparison(plan).Compare);

    private IEnumerable<Comparison> Compare(CaptureFile capture)
    {
        Figures ours = new(), storing = new(), theirs = new();
        string ourNote = "", theirNote = "";
        using var sink = new UdpSink();

        // The first read brings the file into memory, for nobody's account.
        ReadThrough(capture.Path);
        for (var round = 1; round <= plan.Rounds; round++)
        {
            BenchPlan.Say($"bench: p1 {capture.Name}, round {round} of {plan.Rounds}");
            ours.Add(Flows(capture, store: null, out ourNote));
            theirs.Add(Softflowd(capture, sink.Port, out theirNote));
            storing.Add(FlowsStoring(capture));
        }

        var name = capture.Name;
        var packets = capture.Packets / 1e6;
        var line = new Comparison
        {
            Bar = "p1",
            What = name,
            Unit = "M packets / CPU s",
            Ours = packets / ours.CpuSeconds,
            Peer = "softflowd",
            Theirs = packets / theirs.CpuSeconds,
            Note = string.Join("; ", new[] { capture.Note, ourNote, theirNote }.Where(part => part.Length > 0)),
        };
        var store = line with { What = $"{name}: storing", Ours = packets / storing.CpuSeconds, Note = "" };
        var memory = line with { What = $"{name}: memory", Unit = "MiB peak", Ours = ours.PeakMib, Theirs = theirs.PeakMib, Note = "" };
        return capture.IsJudged ? [line.AtLeast(Bar), store.AtLeast(StoringBar), memory.AtMost(MemoryBar)] : [line, store, memory];
    }

    private Usage FlowsStoring(CaptureFile capture)
    {
        var store = BenchPlan.NewScratch();
        try
        {
            return Flows(capture, store.FullName, out _);
        }
        finally
        {
            store.Delete(recursive: true);
        }
    }

    private Usage Flows(CaptureFile capture, string? store, out string note)
    {
        string[] where = store is null ? ["--no-store"] : ["--store", store];
        var usage = MeasuredProcess.Run(Place, RunMax, plan.Product, ["replay", capture.Path, .. where, "--output", "json"]);
        using var told = JsonDocument.Parse(usage.Output);
        var packets = told.RootElement.GetProperty("packets").GetInt64();
        note = string.Create(
            CultureInfo.InvariantCulture, $"{packets:N0} packets, {told.RootElement.GetProperty("connections").GetInt64():N0} connections");
        return packets == capture.Packets
            ? usage
            : throw BenchException.Of($"flows read {packets} packets of {capture.Packets} from {capture.Path}.");
    }

    private static Usage Softflowd(CaptureFile capture, int port, out string note)
    {
        string[] arguments =
        [
            "-r", capture.Path, "-d", "-v", "9", "-m", FlowsMax.ToString(CultureInfo.InvariantCulture),
            "-n", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}"),
        ];
        var usage = MeasuredProcess.Run(Place, RunMax, "/usr/sbin/softflowd", arguments);
        var flows = ExportedFlows().Match(usage.Output);
        note = flows.Success ? $"softflowd {flows.Groups[1].Value} flows, {flows.Groups[2].Value} cut short" : "";
        return usage;
    }

    private static void ReadThrough(string path)
    {
        using var file = File.OpenRead(path);
        file.CopyTo(Stream.Null, 1 << 20);
    }

    [GeneratedRegex(@"Flows expired: (\d+) \((\d+) forced\)")]
    private static partial Regex ExportedFlows();
}
