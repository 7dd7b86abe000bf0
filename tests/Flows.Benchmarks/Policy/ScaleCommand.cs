using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Flows.Core;
using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.Core.Map;
using Flows.Core.Policy;

namespace Flows.Benchmarks.Policy;

/// <summary><c>policy scale</c>: a suggestion for 100,000 workloads from 30 days of hourly edges (bar P8).</summary>
internal static class ScaleCommand
{
    private const int Hours = 30 * 24;
    private const int PerNamespace = 50;
    private const long HourUs = 3_600_000_000;
    private const long StartUs = 1_767_571_200_000_000;
    private const double WantedSeconds = 60;

    public static Command Create()
    {
        var workloads = new Option<int>("--workloads") { Description = "Workloads, two pods each.", HelpName = "N", DefaultValueFactory = _ => 100_000 };
        var verb = new Command("scale", "Measure how long a suggestion takes, and how much memory it needs. The edges are in memory, rolled up over the span as the store gives them.") { workloads };
        verb.SetAction(parsed => (int)Run(Math.Max(100, parsed.GetValue(workloads))));
        return verb;
    }

    private static ExitCode Run(int count)
    {
        var input = Input(count);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var (watch, cpu) = (Stopwatch.StartNew(), Environment.CpuUsage.TotalTime);
        var suggestion = PolicySuggester.Suggest(input);
        var (seconds, used) = (watch.Elapsed.TotalSeconds, (Environment.CpuUsage.TotalTime - cpu).TotalSeconds);
        using var self = Process.GetCurrentProcess();
        var hourly = input.Edges.Sum(edge => (long)edge.Hours!.Count);
        var holds = seconds < WantedSeconds;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"P8 {count} workloads, {input.Entities.Count} pods, {input.Edges.Count} edges of {hourly} hourly ones: {suggestion.Set.Policies.Count} policies in {seconds:0.0} s, {used:0.0} CPU s (wanted < {WantedSeconds} s: {(holds ? "holds" : "MISSED")}); input {before >> 20} MiB, peak resident {self.PeakWorkingSet64 >> 20} MiB"));
        return holds ? ExitCode.Ok : ExitCode.No;
    }

    private static PolicyInput Input(int count)
    {
        var random = new Random(1);
        var pods = new Entity[count * 2];
        Dictionary<ulong, IReadOnlyList<NetBlock>> addresses = [];
        for (var i = 0; i < pods.Length; i++)
        {
            pods[i] = Pod(i / 2, i % 2);
            addresses[pods[i].Id] = [NetBlock.Of(NetAddress.FromV4((10u << 24) | (uint)i))];
        }

        // Half is in use around the clock, the rest by day.
        var always = HourSet.Of([.. Enumerable.Range(HourSet.HourOf(StartUs), Hours)]);
        var byDay = HourSet.Of([.. always.Hours.Where(hour => hour % 24 is >= 7 and < 19)]);
        List<Edge> edges = [];
        for (var workload = 0; workload < count; workload++)
        {
            var first = workload / PerNamespace * PerNamespace;
            for (var need = 0; need < 5; need++)
            {
                // Mostly within the namespace, else anywhere; each client's pods meet both of the server's.
                var server = need == 4 ? random.Next(count) : Math.Min(count - 1, first + random.Next(PerNamespace));
                if (server == workload)
                {
                    continue;
                }

                for (var pair = 0; pair < 4; pair += random.Next(1, 3))
                {
                    edges.Add(EdgeOf(pods[(workload * 2) + (pair & 1)], pods[(server * 2) + (pair >> 1)], (ushort)(8000 + (server % 7)), random.Next(2) == 0 ? always : byDay));
                }
            }
        }

        // And one that collects metrics from all of them.
        edges.AddRange(Enumerable.Range(1, count - 1).Select(workload => EdgeOf(pods[0], pods[workload * 2], 9090, always)));
        return new PolicyInput { Edges = edges, Entities = pods, Addresses = addresses, Cluster = "c1", SinceUs = StartUs, UntilUs = StartUs + (Hours * HourUs) };
    }

    private static Entity Pod(int workload, int replica)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"app-{workload}");
        var uid = string.Create(CultureInfo.InvariantCulture, $"{name}-{replica}");
        return new()
        {
            Id = Entity.IdOf("c1", EntityKind.Pod, uid),
            Kind = EntityKind.Pod,
            Cluster = "c1",
            Uid = uid,
            Namespace = string.Create(CultureInfo.InvariantCulture, $"team-{workload / PerNamespace}"),
            Name = uid,
            WorkloadKind = "Deployment",
            Workload = name,
            Node = string.Create(CultureInfo.InvariantCulture, $"n{(workload + replica) % 2000}"),
            Labels = LabelDictionary.Of([new("app.kubernetes.io/name", name), new("app.kubernetes.io/part-of", "shop"), new("pod-template-hash", uid), new("team", "a")]),
            Selector = LabelDictionary.Of([new("app.kubernetes.io/name", name)]),
        };
    }

    private static Edge EdgeOf(Entity src, Entity dst, ushort port, HourSet hours) => new()
    {
        Src = src,
        Dst = dst,
        SrcResolvedBy = ResolvedBy.AsOf,
        DstResolvedBy = ResolvedBy.AsOf,
        Protocol = IpProtocol.Tcp,
        DstPort = port,
        Connections = 1000,
        Answered = 1000,
        DirectionTrusted = 1000,
        FirstSeenUs = StartUs,
        LastSeenUs = StartUs + (Hours * HourUs) - 1,
        Nodes = src.Node == dst.Node ? [src.Node] : [src.Node, dst.Node],
        Hours = hours,
    };
}
