using CsCheck;
using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.Core.Map;
using Flows.Core.Policy;
using Xunit;
using static Flows.Tests.Policy.Fleet;

namespace Flows.Tests.Policy;

/// <summary>What must hold for any traffic of any fleet.</summary>
public sealed class SuggestPropertyTests
{
    private static readonly Entity[] Ends =
    [
        .. Enumerable.Range(0, 6).SelectMany(i => (Entity[])[App($"app{i}"), App($"app{i}", 1), App($"app{i}", ns: "data")]),
        Pod("blue-1", "blue", "app=pair,colour=blue,pod-template-hash=1"), Pod("green-1", "green", "app=pair,colour=green"),
        Pod("twin-a", "twina", "app=twin"), Pod("twin-b", "twinb", "app=twin"), Pod("bare", "", "run=bare"), Pod("nameless", "nameless", ""),
        Pod("agent", "agent", "app=agent", host: true, node: "n2"),
        Machine(EntityKind.Vm, "vm"), Machine(EntityKind.Node, "n1"), Machine(EntityKind.LoadBalancer, "lb"),
        .. Enumerable.Range(1, 12).Select(i => Unknown($"203.0.113.{i}")), Unknown("2001:db8::1"),
        new Entity { Id = 9, Kind = EntityKind.Ambiguous, Name = "either" },
    ];

    private static readonly (Entity, string)[] Addresses =
    [
        (Ends.Single(end => end.Name == "vm"), "192.0.2.10"), (Ends.Single(end => end.Name == "vm"), "2001:db8::10"),
        (Ends.Single(end => end.Name == "n1"), "192.0.2.1"), (Ends.Single(end => end.Name == "lb"), "192.0.2.20"), (Ends.Single(end => end.Name == "agent"), "192.0.2.2"),
    ];

    private static readonly Gen<Edge> AnyEdge =
        from src in Gen.OneOf(Ends)
        from dst in Gen.OneOf(Ends)
        from port in Gen.OneOf<ushort>(53, 80, 443, 8080, 9090)
        from protocol in Gen.OneOf(IpProtocol.Tcp, IpProtocol.Udp, IpProtocol.Sctp)
        from answered in Gen.Frequency((8, Gen.Const(10L)), (1, Gen.Const(0L)))
        from trusted in Gen.Frequency((8, Gen.Const(10L)), (1, Gen.Const(0L)))
        select Edge(src, dst, port, protocol, answered: answered, trusted: trusted, resolved: src.Kind == EntityKind.Ambiguous || dst.Kind == EntityKind.Ambiguous ? ResolvedBy.Ambiguous : ResolvedBy.AsOf);

    private static readonly Gen<PolicyInput> AnyInput =
        from edges in AnyEdge.List[0, 60]
        from level in Gen.OneOf(SegmentLevel.Workload, SegmentLevel.Namespace)
        from ranges in Gen.OneOf<string[]>([], ["10.244.0.0/16"])
        from max in Gen.OneOf(1, 2, 8)
        select Input(edges.DistinctBy(edge => (edge.Src.Id, edge.Dst.Id, edge.Protocol, edge.DstPort)), Ends.Where(end => end.Kind == EntityKind.Pod), level, Addresses, ranges) with { ExternalPeersMax = max };

    [Fact]
    public void A_written_suggestion_denies_nothing_that_is_needed() =>
        AnyInput.Sample(input => Replay(input, PolicySuggester.Suggest(input).Set) is { Denied.Count: 0, Unsure.Count: 0 }, iter: 300);

    [Fact]
    public void No_rule_can_be_taken_away() => AnyInput.Sample(
        input =>
        {
            var set = PolicySuggester.Suggest(input).Set;
            return set.Policies.All(policy => policy.AllRules().All(rule => PolicyReplay.Run(input, Without(set, policy, rule.Direction, rule.Index)) is var replay
                && replay.Denied.Count + replay.Unsure.Count > 0));
        },
        iter: 60);

    [Fact]
    public void The_order_of_the_input_changes_no_byte() => AnyInput.SelectMany(input => Gen.Shuffle(input.Edges.ToArray()).Select(edges => (input, edges))).Sample(
        pair =>
        {
            var shuffled = pair.input with { Edges = pair.edges, Entities = [.. pair.input.Entities.Reverse()] };
            return Text(PolicySuggester.Suggest(pair.input)) == Text(PolicySuggester.Suggest(shuffled));
        },
        iter: 100);

    [Fact]
    public void More_traffic_of_the_same_kind_renames_nothing_and_adds_no_rule() => AnyInput.Sample(
        input =>
        {
            var twice = input with { Edges = [.. input.Edges.Select(edge => edge with { Connections = edge.Connections * 2, Answered = edge.Answered * 2, DirectionTrusted = edge.DirectionTrusted * 2 })] };
            return Yaml(PolicySuggester.Suggest(input)) == Yaml(PolicySuggester.Suggest(twice));
        },
        iter: 100);

    [Fact]
    public void Selectors_pick_exactly_the_pods_of_their_workload() => AnyInput.Where(input => input.Level == SegmentLevel.Workload).Sample(
        input => PolicySuggester.Suggest(input).Set.Policies.All(policy => Ends
            .Where(end => end.Kind == EntityKind.Pod && !end.HostNetwork && end.Namespace == policy.Namespace && policy.Pods.Matches(end.Labels))
            .Select(end => end.Workload).Distinct().Count() == 1),
        iter: 100);

    private static PolicySet Without(PolicySet set, SegmentPolicy policy, Direction direction, int index)
    {
        IReadOnlyList<Rule>? Left(Direction one) => one == direction ? [.. policy.Rules(one)!.Where((_, i) => i != index)] : policy.Rules(one);
        return new PolicySet([.. set.Policies.Select(other => other.Id == policy.Id ? other with { Ingress = Left(Direction.Ingress), Egress = Left(Direction.Egress) } : other)]);
    }

    private static string Yaml(Suggestion suggestion) => string.Join("---\n", suggestion.Set.Policies.Select(policy => KubernetesWriter.Write(policy, "evidence.json")));

    private static string Text(Suggestion suggestion) => Yaml(suggestion)
        + string.Join('\n', suggestion.Review)
        + string.Join('\n', suggestion.Set.Rules().SelectMany(rule => rule.Evidence!.Edges).Select(edge => $"{edge.Src.Name} {edge.Dst.Name} {edge.DstPort}"));
}
