using Flows.Benchmarks.Policy.Simulate;
using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.Core.Map;
using Flows.Core.Policy;
using Flows.Tests.Policy;

namespace Flows.Benchmarks.Policy.Scores;

/// <summary>Runs a landscape, suggests from its first days, and scores the suggestion on the days after a roll-out.</summary>
internal static class Scorer
{
    /// <param name="full">Also what is about the suggestion alone: growth, order, minimality.</param>
    public static PolicyScore Score(Topology topology, SimPlan plan, string variant, bool full, SegmentLevel level = SegmentLevel.Workload)
    {
        var fleet = new SimFleet(topology, plan);
        var traffic = new SimTraffic(topology, fleet);
        var training = traffic.Connections(0, plan.TrainDays, salt: 0);
        traffic.Observe(training);
        traffic.ObserveNoise();
        var edges = traffic.Edges();
        var input = Input(fleet, edges, level);
        var suggestion = PolicySuggester.Suggest(input);
        var set = Written(suggestion.Set);

        var test = traffic.Connections(plan.TrainDays, plan.TrainDays + plan.TestDays, salt: 0).Where(connection => connection.Src.Id != connection.Dst.Id).ToList();
        var judged = test.Select(connection => (connection.Need.Triple, connection.Weight, Connection: Meet(connection, fleet))).ToList();
        var engine = new PolicyEvaluator(set);
        var verdicts = judged.Select(one => (one.Triple, one.Weight, engine.Evaluate(one.Connection).Allowed)).ToList();
        var namespaces = Namespaces(topology);
        var disagreements = judged.Select(one => one.Connection).DistinctBy(one => (one.Src.Id, one.Dst.Id, one.Protocol, one.Port))
            .Count(one => NaiveJudge.Judge(set, namespaces, one, Dialect.Kubernetes) != NaiveJudge.Text(engine.Evaluate(one)));

        var denied = verdicts.Where(one => !one.Allowed).ToList();
        var deniedEdges = denied.Select(one => one.Triple).ToHashSet();
        var (untrue, allowed) = OverPermission(topology, fleet, engine);
        var rules = Rules(suggestion.Set);
        var again = full ? Again(topology, plan, fleet, traffic, training, level) : null;
        var texts = Texts(suggestion.Set);
        return new PolicyScore
        {
            Topology = topology.Name,
            Variant = variant,
            Connections = verdicts.Sum(one => (long)one.Weight),
            DeniedConnections = denied.Sum(one => (long)one.Weight),
            FloorConnections = verdicts.Where(one => !traffic.Seen.Contains(one.Triple)).Sum(one => (long)one.Weight),
            DeniedConnectionsSeen = denied.Where(one => traffic.Seen.Contains(one.Triple)).Sum(one => (long)one.Weight),
            Edges = verdicts.Select(one => one.Triple).Distinct().Count(),
            DeniedEdges = deniedEdges.Count,
            FloorEdges = verdicts.Select(one => one.Triple).Distinct().Count(triple => !traffic.Seen.Contains(triple)),
            DeniedSeen = [.. deniedEdges.Where(traffic.Seen.Contains).Select(triple => triple.ToString()).Order(StringComparer.Ordinal)],
            Untrue = untrue,
            AllowedUntrue = allowed,
            Scanner = Scanner(topology, fleet, engine),
            FalseScanners = suggestion.Review.Count(item => item.Reason == ReviewReason.Scanner && item.Src != Topology.ScannerName),
            Rules = rules,
            Objects = suggestion.Set.Policies.Count,
            TrueEdges = topology.Edges.Select(need => need.Triple).Distinct().Count(),
            Growth = again is null ? 1 : (double)Rules(again.Set) / rules,
            Renames = again is null ? 0 : Names(again.Set).Except(Names(suggestion.Set)).Count() + Names(suggestion.Set).Except(Names(again.Set)).Count(),
            Changed = again is null ? 0 : Texts(again.Set).Count(text => texts.TryGetValue(text.Key, out var old) && old != text.Value),
            SameBytesShuffled = !full || SameShuffled(input, suggestion),
            InexactSelectors = Inexact(suggestion.Set, fleet, plan),
            Removable = full ? Removable(input, suggestion.Set) : [],
            Misattributed = traffic.Misattributed,
            Unexplained = suggestion.Set.Policies.SelectMany(policy => policy.AllRules()).Count(rule => rule.Rule.Evidence is not { Connections: > 0 }),
            Disagreements = disagreements,
            StableSegments = suggestion.Readiness.Count(ready => ready.State == ReadinessState.Stable),
        };
    }

    public static PolicyInput Input(SimFleet fleet, IReadOnlyList<Edge> edges, SegmentLevel level)
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

    /// <summary>What was written and read back is what is judged.</summary>
    private static PolicySet Written(PolicySet set) => KubernetesReader.Read(set.Policies.Where(policy => policy.Ingress is not null || policy.Egress is not null)
        .Select(policy => new PolicyDocument($"{policy.Id}.yaml", KubernetesWriter.Write(policy))));

    /// <summary>The same days once more with other arrivals, without edges that the first time had not shown.</summary>
    private static Suggestion Again(Topology topology, SimPlan plan, SimFleet fleet, SimTraffic first, List<SimConnection> training, SegmentLevel level)
    {
        var traffic = new SimTraffic(topology, fleet);
        traffic.Observe([.. training, .. traffic.Connections(0, plan.TrainDays, salt: 1).Where(connection => first.Seen.Contains(connection.Need.Triple))]);
        traffic.ObserveNoise();
        return PolicySuggester.Suggest(Input(fleet, traffic.Edges(), level));
    }

    private static bool SameShuffled(PolicyInput input, Suggestion suggestion)
    {
        var shuffled = input with { Edges = [.. input.Edges.OrderBy(edge => edge.Src.Id ^ (edge.Dst.Id * 31))], Entities = [.. input.Entities.Reverse()] };
        return string.Join("", Texts(suggestion.Set).Values) == string.Join("", Texts(PolicySuggester.Suggest(shuffled).Set).Values);
    }

    private static SortedDictionary<string, string> Texts(PolicySet set) => new(set.Policies.Where(policy => policy.Ingress is not null || policy.Egress is not null)
        .ToDictionary(policy => policy.Id, policy => KubernetesWriter.Write(policy)), StringComparer.Ordinal);

    /// <summary>A default deny comes with readiness, and is no other name for anything.</summary>
    private static IEnumerable<string> Names(PolicySet set) => set.Policies.Where(policy => !policy.Pods.IsEverything).Select(policy => policy.Id);

    private static int Rules(PolicySet set) => set.Policies.Sum(policy => policy.AllRules().Count());

    private static Dictionary<string, IReadOnlyDictionary<string, string>> Namespaces(Topology topology) => topology.Workloads.Select(workload => workload.Namespace).Append("").Distinct()
        .ToDictionary(name => name, name => (IReadOnlyDictionary<string, string>)new Dictionary<string, string> { [PodSegment.NameLabel] = name });

    private static Connection Meet(SimConnection connection, SimFleet fleet) =>
        new(PartyOf(connection.Src, connection.SrcAddress), PartyOf(connection.Dst, connection.DstAddress), connection.Need.Protocol, connection.Need.Port)
        {
            OwnNode = connection.Src.Kind == EntityKind.Pod && connection.Dst.Kind == EntityKind.Pod && connection.Src.Node == connection.Dst.Node && (connection.Src.HostNetwork || connection.Dst.HostNetwork),
        };

    private static Party PartyOf(Entity entity, NetAddress address) => new()
    {
        Id = entity.Uid.Length > 0 ? entity.Uid : address.ToString(),
        Selectable = entity is { Kind: EntityKind.Pod, HostNetwork: false },
        Namespace = entity.Namespace,
        Labels = entity.Labels,
        HostLabels = entity is { Kind: EntityKind.Pod, HostNetwork: true } ? new Dictionary<string, string> { [HostSegment.NameLabel] = entity.Node } : null,
        Address = NetBlock.Of(address),
    };

    /// <summary>Every pod of a client may or may not; one that may is enough.</summary>
    private static (int All, List<string> Allowed) OverPermission(Topology topology, SimFleet fleet, PolicyEvaluator engine)
    {
        var truth = topology.Edges.Select(need => (need.Src.Id, need.Dst.Id, need.Protocol, need.Port)).ToHashSet();
        var listening = topology.Edges.Where(need => need.Dst is { IsPod: true, HostNetwork: false }).Select(need => (need.Dst, need.Protocol, need.Port)).Distinct().ToList();
        var all = 0;
        List<string> allowed = [];
        foreach (var client in topology.Workloads.Where(workload => workload is { IsPod: true, HostNetwork: false } && workload.Id != Topology.ScannerName))
        {
            foreach (var (server, protocol, port) in listening.Where(one => one.Dst != client && one.Dst.Id != "kube-system/coredns"))
            {
                if (!truth.Contains((client.Id, server.Id, protocol, port)))
                {
                    all++;
                    if (After(fleet, client).Any(src => After(fleet, server).Any(dst => engine.Evaluate(new Connection(PartyOf(src.Entity, src.Address), PartyOf(dst.Entity, dst.Address), protocol, port)).Allowed)))
                    {
                        allowed.Add($"{client} -> {server} {port}");
                    }
                }
            }
        }

        return (all, allowed);
    }

    private static (int Reached, int All) Scanner(Topology topology, SimFleet fleet, PolicyEvaluator engine)
    {
        var scanner = fleet.Of(Topology.ScannerName)[^1];
        var ports = topology.Edges.Where(need => need.Dst is { IsPod: true, HostNetwork: false }).Select(need => (need.Dst, need.Protocol, need.Port)).Distinct().ToList();
        return (ports.Count(one => After(fleet, one.Dst).Any(dst =>
            engine.Evaluate(new Connection(PartyOf(scanner.Entity, scanner.Address), PartyOf(dst.Entity, dst.Address), one.Protocol, one.Port)).Allowed)
            && one.Dst.Id != "kube-system/coredns"), ports.Count);
    }

    /// <summary>The last pods of a workload: those after the roll-out.</summary>
    private static IEnumerable<SimPod> After(SimFleet fleet, SimWorkload workload) => fleet.Of(workload.Id).OrderByDescending(pod => pod.FromUs).Take(workload.Replicas);

    private static List<string> Inexact(PolicySet set, SimFleet fleet, SimPlan plan)
    {
        var end = SimFleet.StartUs + (plan.TrainDays * SimFleet.DayUs);
        List<string> wrong = [];
        foreach (var policy in set.Policies.Where(policy => !policy.Pods.IsEverything))
        {
            foreach (var (when, pods) in ((string, List<SimPod>)[]) [("then", [.. fleet.Pods.Where(pod => pod.FromUs < end)]), ("after", [.. fleet.Pods.Where(pod => pod.ToUs > end + SimFleet.HourUs)])])
            {
                var own = pods.Where(pod => pod.Workload is { IsPod: true, HostNetwork: false } && pod.Workload.Namespace == policy.Namespace).ToList();
                if (own.Exists(pod => policy.Pods.Matches(pod.Entity.Labels) != (pod.Workload.Id == policy.Subject)))
                {
                    wrong.Add($"{policy.Id} {when}: {policy.Pods}");
                }
            }
        }

        return wrong;
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
