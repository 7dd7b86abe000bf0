using Flows.Benchmarks.Policy.Simulate;
using Flows.Core.Facts;
using Flows.Core.Policy;
using Flows.Tests.Policy;

namespace Flows.Benchmarks.Policy.Scores;

/// <summary>Scores what was suggested from the first days of a landscape on the days after a roll-out.</summary>
internal static class Scorer
{
    /// <param name="full">Also what is about the suggestion alone: growth, order, minimality.</param>
    public static PolicyScore Score(SimRun run, string variant, bool full)
    {
        var (topology, fleet, suggestion) = (run.Topology, run.Fleet, run.Suggestion);
        var judged = run.Test.Select(connection => (connection.Need.Triple, connection.Weight, Connection: SimParties.Meet(connection))).ToList();
        var engine = run.Engine;
        var verdicts = judged.Select(one => (one.Triple, one.Weight, engine.Evaluate(one.Connection).Allowed)).ToList();
        var namespaces = SimParties.Namespaces(topology);
        var disagreements = judged.Select(one => one.Connection).DistinctBy(one => (one.Src.Id, one.Dst.Id, one.Protocol, one.Port))
            .Count(one => NaiveJudge.Judge(run.Set, namespaces, one, Dialect.Kubernetes) != NaiveJudge.Text(engine.Evaluate(one)));

        var denied = verdicts.Where(one => !one.Allowed).ToList();
        var deniedEdges = denied.Select(one => one.Triple).ToHashSet();
        var (untrue, allowed) = OverPermission(topology, fleet, engine);
        var rules = Rules(suggestion.Set);
        var again = full ? Again(run) : null;
        return new PolicyScore
        {
            Topology = topology.Name,
            Variant = variant,
            Connections = verdicts.Sum(one => (long)one.Weight),
            DeniedConnections = denied.Sum(one => (long)one.Weight),
            FloorConnections = verdicts.Where(one => !run.Seen.Contains(one.Triple)).Sum(one => (long)one.Weight),
            DeniedConnectionsSeen = denied.Where(one => run.Seen.Contains(one.Triple)).Sum(one => (long)one.Weight),
            Edges = verdicts.Select(one => one.Triple).Distinct().Count(),
            DeniedEdges = deniedEdges.Count,
            FloorEdges = verdicts.Select(one => one.Triple).Distinct().Count(triple => !run.Seen.Contains(triple)),
            DeniedSeen = [.. deniedEdges.Where(run.Seen.Contains).Select(triple => triple.ToString()).Order(StringComparer.Ordinal)],
            Untrue = untrue,
            AllowedUntrue = allowed,
            Scanner = Scanner(topology, fleet, engine),
            FalseScanners = suggestion.Review.Count(item => item.Reason == ReviewReason.Scanner && item.Src != Topology.ScannerName),
            Rules = rules,
            Objects = suggestion.Set.Policies.Count,
            TrueEdges = topology.Edges.Select(need => need.Triple).Distinct().Count(),
            Growth = again is null ? 1 : (double)Rules(again.Set) / rules,
            Renames = again is null ? 0 : Names(again.Set, false).Except(Names(suggestion.Set, false)).Count() + Names(suggestion.Set, false).Except(Names(again.Set, false)).Count(),
            DefaultDenies = (Names(suggestion.Set, true).Count, again is null ? [] : [.. Names(suggestion.Set, true).Except(Names(again.Set, true))],
                again is null ? 0 : Names(again.Set, true).Except(Names(suggestion.Set, true)).Count()),
            Changed = again is null ? 0 : SimRun.TextsOf(again.Set).Count(text => run.Texts.TryGetValue(text.Key, out var old) && old != text.Value),
            SameBytesShuffled = !full || SameShuffled(run),
            InexactSelectors = Inexact(run),
            Removable = full ? Removable(run.Input, suggestion.Set) : [],
            Misattributed = run.Misattributed,
            Miscounted = run.Miscounted,
            NodesLetIn = NodesLetIn(run),
            Stale = Stale(suggestion, topology),
            Unexplained = suggestion.Set.Policies.SelectMany(policy => policy.AllRules()).Count(rule => rule.Rule.Evidence is not { Connections: > 0 }),
            Disagreements = disagreements,
            StableSegments = suggestion.Readiness.Count(ready => ready.State == ReadinessState.Stable),
        };
    }

    /// <summary>The same days once more with other arrivals, without edges that the first time had not shown.</summary>
    private static Suggestion Again(SimRun run)
    {
        var traffic = new SimTraffic(run.Topology, run.Fleet);
        traffic.Observe([.. run.Training, .. traffic.Connections(0, run.Plan.TrainDays, salt: 1).Where(connection => run.Seen.Contains(connection.Need.Triple))]);
        traffic.ObserveNoise();
        return PolicySuggester.Suggest(SimRun.InputOf(run.Fleet, traffic.Edges(), run.Level));
    }

    private static bool SameShuffled(SimRun run)
    {
        var shuffled = run.Input with { Edges = [.. run.Input.Edges.OrderBy(edge => edge.Src.Id ^ (edge.Dst.Id * 31))], Entities = [.. run.Input.Entities.Reverse()] };
        return run.Texts.Values.SequenceEqual(SimRun.TextsOf(PolicySuggester.Suggest(shuffled).Set).Values, StringComparer.Ordinal);
    }

    /// <summary>A default deny comes and goes with readiness, and is no other name for anything; it is counted apart.</summary>
    private static List<string> Names(PolicySet set, bool closing) => [.. set.Policies.Where(policy => policy.Pods.IsEverything == closing).Select(policy => policy.Id)];

    private static int Rules(PolicySet set) => set.Policies.Sum(policy => policy.AllRules().Count());

    /// <summary>Every client with every listening port that no need explains. Names are resolved for all, so that the resolver is left out.</summary>
    public static IEnumerable<SimUntrue> Untrue(Topology topology)
    {
        var truth = topology.Edges.Select(need => (need.Src.Id, need.Dst.Id, need.Protocol, need.Port)).ToHashSet();
        var listening = topology.Edges.Where(need => need.Dst is { IsPod: true, HostNetwork: false }).Select(need => (need.Dst, need.Protocol, need.Port)).Distinct().ToList();
        return from client in topology.Workloads
               where client is { IsPod: true, HostNetwork: false } && client.Id != Topology.ScannerName
               from one in listening
               where one.Dst != client && one.Dst.Id != "kube-system/coredns" && !truth.Contains((client.Id, one.Dst.Id, one.Protocol, one.Port))
               select new SimUntrue(client, one.Dst, one.Protocol, one.Port);
    }

    /// <summary>Every pod of a client may or may not; one that may is enough.</summary>
    public static (int All, List<string> Allowed) OverPermission(Topology topology, SimFleet fleet, PolicyEvaluator engine)
    {
        var untrue = Untrue(topology).ToList();
        return (untrue.Count, [.. untrue
            .Where(one => SimParties.After(fleet, one.Client).Any(src => SimParties.After(fleet, one.Server).Any(dst =>
                engine.Evaluate(SimParties.Meet(src.Entity, src.Address, dst.Entity, dst.Address, one.Protocol, one.Port)).Allowed)))
            .Select(one => one.ToString())]);
    }

    /// <summary>The scanner with every listening port; it may reach none but the resolver's.</summary>
    public static IEnumerable<SimUntrue> Scans(Topology topology) => topology.Edges.Where(need => need.Dst is { IsPod: true, HostNetwork: false } && need.Dst.Id != "kube-system/coredns")
        .Select(need => new SimUntrue(topology[Topology.ScannerName], need.Dst, need.Protocol, need.Port)).Distinct();

    private static (int Reached, int All) Scanner(Topology topology, SimFleet fleet, PolicyEvaluator engine)
    {
        var scanner = fleet.Of(Topology.ScannerName)[^1];
        var scans = Scans(topology).ToList();
        return (scans.Count(one => SimParties.After(fleet, one.Server).Any(dst =>
            engine.Evaluate(SimParties.Meet(scanner.Entity, scanner.Address, dst.Entity, dst.Address, one.Protocol, one.Port)).Allowed)), scans.Count);
    }

    /// <summary>The pods that policies may select: all until training ends, and those after the roll-out.</summary>
    public static IEnumerable<(string When, List<SimPod> Pods)> PodsThenAndAfter(SimRun run)
    {
        var end = SimFleet.StartUs + (run.Plan.TrainDays * SimFleet.DayUs);
        List<SimPod> selectable = [.. run.Fleet.Pods.Where(pod => pod.Workload is { IsPod: true, HostNetwork: false })];
        return [("then", [.. selectable.Where(pod => pod.FromUs < end)]), ("after", [.. selectable.Where(pod => pod.ToUs > end + SimFleet.HourUs)])];
    }

    private static List<string> Inexact(SimRun run) =>
        [.. from policy in run.Suggestion.Set.Policies
            where !policy.Pods.IsEverything
            from moment in PodsThenAndAfter(run)
            where moment.Pods.Exists(pod => pod.Workload.Namespace == policy.Namespace && policy.Pods.Matches(pod.Entity.Labels) != (pod.Workload.Id == policy.Subject))
            select $"{policy.Id} {moment.When}: {policy.Pods}"];

    /// <summary>
    /// A node's address at a port that neither outsiders nor what runs in nodes' networks need: a rule that lets it in trusts whoever hides behind a masquerade. The
    /// pod's own node is always let in, and not asked.
    /// </summary>
    private static List<string> NodesLetIn(SimRun run)
    {
        var ports = run.Topology.Edges.Where(need => need.Dst is { IsPod: true, HostNetwork: false }).ToLookup(need => (need.Dst, need.Protocol, need.Port));
        return [.. from port in ports
            where port.All(need => need.Src is { IsPod: true, HostNetwork: false })
            from dst in SimParties.After(run.Fleet, port.Key.Dst)
            from node in run.Fleet.NodeEntities
            where node.Entity.Name != dst.Entity.Node
                && run.Engine.Evaluate(SimParties.Meet(node.Entity, node.Address, dst.Entity, dst.Address, port.Key.Protocol, port.Key.Port)).Allowed
            select $"{node.Entity.Name} -> {port.Key.Dst} {port.Key.Port}"];
    }

    /// <summary>Rules that rest on what is no more.</summary>
    private static int Stale(Suggestion suggestion, Topology topology)
    {
        var retired = topology.Workloads.Where(workload => workload.Retires).Select(workload => (workload.Namespace, workload.Name)).ToHashSet();
        return suggestion.Set.Policies.SelectMany(policy => policy.AllRules())
            .Count(rule => rule.Rule.Evidence!.Edges.Any(edge => retired.Contains((edge.Src.Namespace, edge.Src.Workload)) || retired.Contains((edge.Dst.Namespace, edge.Dst.Workload))));
    }

    private static List<string> Removable(PolicyInput input, PolicySet set)
    {
        List<string> removable = [];
        foreach (var policy in set.Policies)
        {
            foreach (var (direction, index, rule) in policy.AllRules())
            {
                IReadOnlyList<Rule>? Left(Direction one) => one == direction ? [.. policy.Rules(one)!.Where((_, at) => at != index)] : policy.Rules(one);
                var without = new PolicySet([.. set.Policies.Select(other => ReferenceEquals(other, policy) ? policy with { Ingress = Left(Direction.Ingress), Egress = Left(Direction.Egress) } : other)]);
                var replay = PolicyReplay.Run(input with { Edges = rule.Evidence!.Edges }, without);
                if (replay.Denied.Count + replay.Unsure.Count == 0)
                {
                    removable.Add($"{policy.Id} {direction} {rule.Key}");
                }
            }
        }

        return removable;
    }
}
