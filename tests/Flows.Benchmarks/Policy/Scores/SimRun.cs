using Flows.Benchmarks.Policy.Simulate;
using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.Core.Map;
using Flows.Core.Policy;

namespace Flows.Benchmarks.Policy.Scores;

/// <summary>One landscape that was run, watched, and suggested for: what all scores look at.</summary>
internal sealed class SimRun
{
    private SimRun(Topology topology, SimPlan plan, SegmentLevel level)
    {
        (Topology, Plan, Level) = (topology, plan, level);
        Fleet = new SimFleet(topology, plan);
        Traffic = new SimTraffic(topology, Fleet);
        Training = [.. Traffic.Connections(0, plan.TrainDays, salt: 0), .. plan.SkewUs > 0 ? Traffic.AtTheEdges() : []];
        (Input, Seen, Misattributed, Miscounted, Misleading) = plan.Stored ? Stored() : Rolled();
        Suggestion = PolicySuggester.Suggest(Input);
        Texts = TextsOf(Suggestion.Set);
        Set = KubernetesReader.Read(Texts.Select(text => new PolicyDocument($"{text.Key}.yaml", text.Value)));
        Engine = new PolicyEvaluator(Set);
        Test = [.. Traffic.Connections(plan.TrainDays, plan.TrainDays + plan.TestDays, salt: 0).Where(connection => connection.Src.Id != connection.Dst.Id)];
    }

    public Topology Topology { get; }

    public SimPlan Plan { get; }

    public SegmentLevel Level { get; }

    public SimFleet Fleet { get; }

    public SimTraffic Traffic { get; }

    /// <summary>What there was in the days to learn from.</summary>
    public List<SimConnection> Training { get; }

    public PolicyInput Input { get; }

    /// <summary>Needs that some collector saw while training.</summary>
    public HashSet<SimTriple> Seen { get; }

    /// <summary>Edges with an end that took no part.</summary>
    public int Misattributed { get; }

    /// <summary>What was in the reports that a store had to see through; nothing where edges were made as it would.</summary>
    public SimMisleading Misleading { get; }

    /// <summary>How far the edges' connections are from those that were reported; counted where a store put reports together.</summary>
    public long Miscounted { get; }

    public Suggestion Suggestion { get; }

    /// <summary>The suggestion as files, by the policies' ids.</summary>
    public SortedDictionary<string, string> Texts { get; }

    /// <summary>What was written and read back; this is what is judged.</summary>
    public PolicySet Set { get; }

    public PolicyEvaluator Engine { get; }

    /// <summary>What there was in the days after.</summary>
    public List<SimConnection> Test { get; }

    public static SimRun Of(Topology topology, SimPlan plan, SegmentLevel level = SegmentLevel.Workload) => new(topology, plan, level);

    private (PolicyInput, HashSet<SimTriple>, int, long, SimMisleading) Rolled()
    {
        Traffic.Observe(Training);
        Traffic.ObserveNoise();
        return (InputOf(Fleet, Traffic.Edges(), Level), Traffic.Seen, Traffic.Misattributed, 0, new(0, 0, 0));
    }

    private (PolicyInput, HashSet<SimTriple>, int, long, SimMisleading) Stored()
    {
        var reports = new SimReports(Topology, Fleet);
        reports.Observe(Training);
        reports.ObserveNoise();
        var input = reports.Read() with { Level = Level };
        var truth = Topology.Edges.Concat(Topology.RetiredEdges).Select(need => need.Triple).ToHashSet();
        var wrong = input.Edges.Count(edge => edge is { Answered: > 0, DirectionTrusted: > 0 } && IsPod(edge.Src) && IsPod(edge.Dst) && SimTraffic.IdOf(edge.Src) != Topology.ScannerName
            && !truth.Contains(new SimTriple(SimTraffic.IdOf(edge.Src), SimTraffic.IdOf(edge.Dst), edge.Protocol, edge.DstPort)));
        return (input, reports.Seen, wrong, Math.Abs(reports.Reported - input.Edges.Sum(edge => edge.Connections)), reports.Misleading);

        static bool IsPod(Entity entity) => entity.Kind == EntityKind.Pod;
    }

    public static PolicyInput InputOf(SimFleet fleet, IReadOnlyList<Edge> edges, SegmentLevel level)
    {
        var until = SimFleet.StartUs + (fleet.Plan.TrainDays * SimFleet.DayUs);

        var input = PolicyInput.Of(edges, fleet.StatementsUntil(until), SimFleet.StartUs, until, SimFleet.Cluster);
        var addresses = new Dictionary<ulong, IReadOnlyList<NetBlock>>(input.Addresses);
        foreach (var named in edges.Select(edge => edge.Dst).Where(end => end.Kind == EntityKind.External).DistinctBy(end => end.Id))
        {
            addresses[named.Id] = [.. Enumerable.Range(1, 12).Select(number => NetBlock.Of(NetAddress.FromV4((203u << 24) | ((uint)(named.Name.Length % 250) << 8) | (uint)number)))];
        }

        var hours = HourSet.Between(SimFleet.StartUs, until - 1);
        return input with
        {
            Addresses = addresses,
            Level = level,
            Reports = fleet.NodeEntities.Select(node => node.Entity.Name).Skip(fleet.Plan.BlindNodes).ToDictionary(node => node, _ => hours),
        };
    }

    public static SortedDictionary<string, string> TextsOf(PolicySet set) => new(set.Policies.Where(policy => policy.Ingress is not null || policy.Egress is not null)
        .ToDictionary(policy => policy.Id, policy => KubernetesWriter.Write(policy)), StringComparer.Ordinal);
}
