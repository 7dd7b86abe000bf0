using Flows.Core;
using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.Core.Policy;
using Xunit;
using static Flows.Tests.Policy.Fleet;

namespace Flows.Tests.Policy;

/// <summary>What a replay says beyond denials: surplus, what stays open, what rules do, and versions of one pod.</summary>
public sealed class WholeReplayTests
{
    private static readonly PodSegment Web = PodSegment.In("shop", LabelSelector.Of([new("app", "web")]));
    private static readonly PodSegment Apps = PodSegment.In("shop", LabelSelector.Everything);

    [Fact]
    public void What_a_rule_allows_and_nobody_did_is_surplus_with_the_rule()
    {
        var replay = Whole([Edge(App("web"), App("api"), 8080), Edge(App("batch"), App("db"), 5432)], Policy("api", new Rule { Peers = [Apps] }));
        Assert.Equal(["shop/batch shop/api 8080 shop/p-api ingress[0]", "shop/db shop/api 8080 shop/p-api ingress[0]"],
            replay.Surplus.Edges.Select(edge => $"{edge.Src} {edge.Dst} {edge.Port} {string.Join(' ', edge.By)}"));
    }

    [Fact]
    public void What_is_open_at_both_ends_is_uncovered_and_no_surplus()
    {
        var replay = Whole([Edge(App("web"), App("api"), 8080)], Policy("other"));
        Assert.Empty(replay.Surplus.Edges);
        Assert.Equal(4, replay.Uncovered.Count);
        Assert.Contains(new UncoveredSegment("shop/api", Direction.Ingress, 10), replay.Uncovered);
    }

    [Fact]
    public void Egress_rules_make_surplus_at_servers_that_are_open()
    {
        var client = SegmentPolicy.For("shop", "p-web", LabelSelector.Of([new("app", "web")])) with { Egress = [new Rule { Peers = [Apps] }] };
        var replay = Whole([Edge(App("web"), App("api"), 8080), Edge(App("batch"), App("db"), 5432)], client);
        Assert.Equal(["shop/web shop/db 5432"], replay.Surplus.Edges.Select(edge => $"{edge.Src} {edge.Dst} {edge.Port}"));
    }

    [Fact]
    public void Rules_are_used_unused_redundant_or_shadowed()
    {
        var narrow = new Rule { Peers = [Web], Ports = [PortMatch.Of(IpProtocol.Tcp, 8080)] };
        var used = Whole([Edge(App("web"), App("api"), 8080, connections: 7)], Policy("api", narrow, new Rule { Peers = [Web], Ports = [PortMatch.Of(IpProtocol.Tcp, 1)] }));
        Assert.Equal(["used", "unused"], used.Rules.Select(rule => rule.State));
        Assert.Equal((7, 7), (used.Rules[0].Connections, used.Rules[0].Alone));

        var shadowed = Whole([Edge(App("web"), App("api"), 8080)], Policy("api", narrow, new Rule { Peers = [Apps] }));
        Assert.Equal("shop/p-api ingress[1]", shadowed.Rules[0].ShadowedBy);
        Assert.Null(shadowed.Rules[1].ShadowedBy);

        var other = SegmentPolicy.For("shop", "z", LabelSelector.Of([new("app", "api")])) with { Ingress = [new Rule { Peers = [Apps], Ports = [PortMatch.Of(IpProtocol.Tcp, 8080)] }] };
        var both = Whole([Edge(App("web"), App("api"), 8080)], Policy("api", new Rule { Peers = [Web] }), other);
        Assert.Equal(["redundant", "redundant"], both.Rules.Select(rule => rule.State));
    }

    [Fact]
    public void Of_two_equal_rules_one_stays()
    {
        var rule = new Rule { Peers = [Web] };
        var replay = Whole([Edge(App("web"), App("api"), 8080)], Policy("api", rule, rule with { Name = "again" }));
        Assert.Equal([null, "shop/p-api ingress[0]"], replay.Rules.Select(one => one.ShadowedBy));
    }

    [Fact]
    public void A_denial_shadows_an_allowance_and_never_the_other_way()
    {
        var replay = Whole([Edge(App("web"), App("api"), 8080)], Policy("api", new Rule { Peers = [Web] }, new Rule { Action = RuleAction.Deny, Peers = [Apps] }));
        Assert.Equal(["shop/p-api ingress[1]", null], replay.Rules.Select(one => one.ShadowedBy));
        Assert.Single(replay.Denied);
        Assert.Contains("a rule denies shop/api's ingress from shop/web", replay.Denied[0].Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void A_pod_is_judged_by_the_labels_of_the_time()
    {
        var before = Pod("web-0", "web", "app=web");
        var after = before with { Labels = new SortedDictionary<string, string>(StringComparer.Ordinal) { ["app"] = "front" } };
        var history = LabelHistory.Of([Held(before, 10, 100, 10), Held(after, 100, null, 100)]);
        Assert.Same(before, history.At(after, 50));
        Assert.Same(after, history.At(after, 100));
        Assert.Same(before, history.At(after, 5));
        var edges = ((long[])[50, 150]).Select(us => Edge(history.At(after, us), App("api"), 8080) with { FirstSeenUs = us });
        var denied = Assert.Single(Whole([.. edges], Policy("api", new Rule { Peers = [Web] })).Denied);
        Assert.Equal(150, denied.Edge.FirstSeenUs);
    }

    [Fact]
    public void Versions_that_say_the_same_or_were_withdrawn_are_none()
    {
        var pod = App("web");
        Assert.Empty(LabelHistory.Of([Held(pod, 0, 10, 1), Held(pod, 10, null, 11)]).Changing);
        var wrong = Held(pod with { Labels = Entity.NoLabels }, 20, null, 20);
        Assert.Empty(LabelHistory.Of([Held(pod, 0, null, 1), wrong, wrong with { RevokedAtUs = 30 }]).Changing);
    }

    [Fact]
    public void Namespace_labels_count_where_they_are_known()
    {
        var team = new Rule { Peers = [new PodSegment(LabelSelector.Of([new("team", "x")]), LabelSelector.Everything)] };
        var input = Fleet.Held([Edge(App("web"), App("api"), 8080)]);
        var labels = new Dictionary<string, IReadOnlyDictionary<string, string>> { ["shop"] = new Dictionary<string, string> { ["team"] = "x" } };
        var set = PolicySet.Of([Policy("api", team)]);
        Assert.Single(PolicyReplay.Run(input, set, new JudgeOptions()).Notes);
        var known = PolicyReplay.Run(input, set, new JudgeOptions { NamespaceLabels = labels });
        Assert.Empty(known.Notes);
        Assert.Empty(known.Denied);
    }

    [Fact]
    public void Parties_that_no_rule_tells_apart_are_judged_once_and_all_others_as_one_by_one()
    {
        for (var seed = 0; seed < 40; seed++)
        {
            var random = new RandomSets(seed) { Denies = true, Tiers = true, Orders = true, Hosts = true, NamedPorts = false };
            var set = random.Set(6);
            List<Entity> pods = [.. Enumerable.Range(0, 12).Select(i => Pod($"p{i}", $"w{i / 2}", $"app={random.Any(["one", "two", "tow"])},env={random.Any(["one", "two"])}", ns: RandomSets.Namespaces[i % 3]))];
            var edges = Enumerable.Range(0, 60).Select(_ => Edge(random.Any(pods), random.Any(pods), random.Any<ushort>([53, 80, 443, 8080]))).Where(edge => edge.Src.Id != edge.Dst.Id).ToList();
            var input = Fleet.Held(edges);
            var options = new JudgeOptions { NamespaceLabels = RandomSets.NamespaceLabels };
            var denied = PolicyReplay.Run(input, set, options).Denied.Select(finding => finding.Edge).ToHashSet(ReferenceEqualityComparer.Instance);
            foreach (var edge in edges)
            {
                var told = NaiveJudge.Judge(set, RandomSets.NamespaceLabels, new Connection(Of(edge.Src), Of(edge.Dst), edge.Protocol, edge.DstPort), Dialect.Kubernetes);
                Assert.True(denied.Contains(edge) == told.Contains("denied", StringComparison.Ordinal), $"seed {seed}: {edge.Src.Name} {edge.Dst.Name} {edge.DstPort}\n{ModelJson.Write(set)}");
            }

            Party Of(Entity pod) => new()
            {
                Id = pod.Name, Selectable = true, Namespace = pod.Namespace, Labels = pod.Labels, Address = input.Addresses[pod.Id][0],
            };
        }
    }

    private static SegmentPolicy Policy(string app, params Rule[] ingress) => SegmentPolicy.For("shop", $"p-{app}", LabelSelector.Of([new("app", app)])) with { Ingress = ingress };

    private static ReplayResult Whole(IReadOnlyList<Core.Map.Edge> edges, params SegmentPolicy[] policies) => PolicyReplay.Run(Fleet.Held(edges), PolicySet.Of(policies), new JudgeOptions());

    private static IdentityInterval Held(Entity entity, long from, long? to, long learned)
    {
        var address = NetAddress.Parse("10.0.0.1");
        return new()
        {
            IntervalId = IdentityInterval.IdOf(entity, address, 128, from), Entity = entity, Address = address, ValidFromUs = from, ValidToUs = to, LearnedAtUs = learned, Origin = "kubernetes",
        };
    }
}
