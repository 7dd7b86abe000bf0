using Flows.Benchmarks.Policy.Simulate;
using Flows.Core.Policy;

namespace Flows.Benchmarks.Policy.Scores;

/// <summary>What a suggestion looks like beside what it denies and allows: size, reach, use. Figures to compare with, most of them without a bar.</summary>
internal sealed record SetScore
{
    /// <summary>Weighted structural complexity: rules, peers, ports and ranges (exceptions too), each counting one. No peers or no ports count none.</summary>
    public required int Wsc { get; init; }

    /// <summary>Outside addresses that a direction of a segment lets in or out beyond those that it was seen with: log2(1 + addresses), the mean over those with any range.</summary>
    public required double OutsideMean { get; init; }

    /// <summary>The largest of these; 32 is the whole of IPv4.</summary>
    public required double OutsideMost { get; init; }

    /// <summary>Servers' listening ports that a client workload may reach, the mean over clients.</summary>
    public required double Reach { get; init; }

    /// <summary>Those that it needs.</summary>
    public required double ReachNeeded { get; init; }

    /// <summary>Share of held-out connections that a rule, not a default, decides at one end at least; 0 to 1.</summary>
    public required double Coverage { get; init; }

    /// <summary>Rules that decided no held-out connection.</summary>
    public required int IdleRules { get; init; }

    /// <summary>Over-permission between workloads of a suggestion at the namespace level from the same edges; 0 to 1.</summary>
    public required double NamespaceOverPermission { get; init; }

    /// <summary>Of what policies select, the share that is the workload's; and of the workload's pods, the share that they select. At the end of training and after the roll-out.</summary>
    public required (double Precision, double Recall) Selectors { get; init; }

    public static SetScore Of(SimRun run)
    {
        var outside = run.Set.Policies.SelectMany(policy => (IEnumerable<double>)[.. Outside(run, policy, Direction.Ingress), .. Outside(run, policy, Direction.Egress)]).ToList();
        var decisions = run.Test.Select(connection => (connection.Weight, Decision: run.Engine.Evaluate(SimParties.Meet(connection)))).ToList();
        var used = decisions.SelectMany(one => one.Decision.Egress.By.Select(rule => (Direction.Egress, rule)).Concat(one.Decision.Ingress.By.Select(rule => (Direction.Ingress, rule)))).ToHashSet();
        var clients = run.Topology.Workloads.Count(workload => workload is { IsPod: true, HostNetwork: false, Retires: false } && workload.Id != Topology.ScannerName);
        var needed = run.Topology.Edges.Where(need => need is { Src: { IsPod: true, HostNetwork: false }, Dst: { IsPod: true, HostNetwork: false } }).Select(need => need.Triple).Distinct().Count();
        var (all, untrue) = Scorer.OverPermission(run.Topology, run.Fleet, new PolicyEvaluator(PolicySuggester.Suggest(run.Input with { Level = SegmentLevel.Namespace }).Set));
        return new SetScore
        {
            Wsc = run.Set.Policies.SelectMany(policy => policy.AllRules()).Sum(one => 1 + one.Rule.Peers.Sum(SizeOf) + one.Rule.Ports.Count),
            OutsideMean = outside.Count == 0 ? 0 : outside.Average(),
            OutsideMost = outside.Count == 0 ? 0 : outside.Max(),
            Reach = (needed + Scorer.OverPermission(run.Topology, run.Fleet, run.Engine).Allowed.Count) / (double)clients,
            ReachNeeded = needed / (double)clients,
            Coverage = decisions.Where(one => one.Decision.Egress.By.Count + one.Decision.Ingress.By.Count > 0).Sum(one => (double)one.Weight) / Math.Max(1, decisions.Sum(one => (long)one.Weight)),
            IdleRules = run.Set.Policies.Sum(policy => policy.AllRules().Count(one => !used.Contains((one.Direction, new RuleReference(policy.Id, one.Index))))),
            NamespaceOverPermission = untrue.Count / (double)Math.Max(1, all),
            Selectors = SelectorsOf(run),
        };
    }

    private static int SizeOf(Segment peer) => peer is RangeSegment range ? 1 + range.Except.Count : 1;

    /// <summary>One figure for a direction that has ranges, none for others.</summary>
    private static IEnumerable<double> Outside(SimRun run, SegmentPolicy policy, Direction direction)
    {
        List<RangeSegment> ranges = [.. (policy.Rules(direction) ?? []).SelectMany(rule => rule.Peers).OfType<RangeSegment>().DistinctBy(range => range.Key)];
        if (ranges.Count == 0)
        {
            yield break;
        }

        // The widest range holds the narrower ones where a rule was widened; others are disjoint.
        var widest = ranges.Where(range => !ranges.Exists(other => other != range && other.Range.Contains(range.Range) && other.Range != range.Range)).ToList();
        var seen = run.Training.Select(one => direction == Direction.Ingress ? one.SrcAddress : one.DstAddress).Distinct().Count(address => widest.Exists(range => range.Contains(address)));
        yield return Math.Log2(1 + Math.Max(0, widest.Sum(range => Addresses(range.Range) - range.Except.Sum(Addresses)) - seen));
    }

    private static double Addresses(NetBlock block) => Math.Pow(2, 128 - block.PrefixLength);

    private static (double Precision, double Recall) SelectorsOf(SimRun run)
    {
        var (selected, own, both) = (0, 0, 0);
        foreach (var policy in run.Suggestion.Set.Policies.Where(policy => !policy.Pods.IsEverything))
        {
            foreach (var pod in Scorer.PodsThenAndAfter(run).SelectMany(moment => moment.Pods).Where(pod => pod.Workload.Namespace == policy.Namespace))
            {
                var (matches, isOwn) = (policy.Pods.Matches(pod.Entity.Labels), pod.Workload.Id == policy.Subject);
                selected += matches ? 1 : 0;
                own += isOwn ? 1 : 0;
                both += matches && isOwn ? 1 : 0;
            }
        }

        return (both / (double)Math.Max(1, selected), both / (double)Math.Max(1, own));
    }
}
