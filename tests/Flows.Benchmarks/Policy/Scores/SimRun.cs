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
        Training = Traffic.Connections(0, plan.TrainDays, salt: 0);
        Traffic.Observe(Training);
        Traffic.ObserveNoise();
        Input = InputOf(Fleet, Traffic.Edges(), level);
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

    public Suggestion Suggestion { get; }

    /// <summary>The suggestion as files, by the policies' ids.</summary>
    public SortedDictionary<string, string> Texts { get; }

    /// <summary>What was written and read back; this is what is judged.</summary>
    public PolicySet Set { get; }

    public PolicyEvaluator Engine { get; }

    /// <summary>What there was in the days after.</summary>
    public List<SimConnection> Test { get; }

    public static SimRun Of(Topology topology, SimPlan plan, SegmentLevel level = SegmentLevel.Workload) => new(topology, plan, level);

    public static PolicyInput InputOf(SimFleet fleet, IReadOnlyList<Edge> edges, SegmentLevel level)
    {
        var until = SimFleet.StartUs + (fleet.Plan.TrainDays * SimFleet.DayUs);

        // What lies ahead of the end of training nobody can know.
        var known = fleet.Statements().Where(said => said.ValidFromUs < until).Select(said => said.ValidToUs >= until ? said with { ValidToUs = null } : said).ToList();
        var input = PolicyInput.Of(edges, known, SimFleet.StartUs, until, SimFleet.Cluster);
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
