using Flows.Core;
using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.Core.Map;
using Flows.Core.Policy;
using Xunit;
using static Flows.Tests.Policy.Fleet;

namespace Flows.Tests.Policy;

/// <summary>Segments of every level, fences, and what a target allows to say.</summary>
public sealed class SuggestLevelTests
{
    [Fact]
    public void Pods_of_a_stateful_set_are_segments_and_those_of_a_deployment_say_why_not()
    {
        var db = Pod("db-0", "db", "app=db,statefulset.kubernetes.io/pod-name=db-0", "app=db", kind: "StatefulSet");
        var suggestion = PolicySuggester.Suggest(Input([Edge(App("web"), db, 5432)], level: SegmentLevel.Pod));
        Assert.Equal(["shop/db-0-pod", "shop/web-deployment"], suggestion.Set.Policies.Select(policy => policy.Id));
        Assert.Equal("statefulset.kubernetes.io/pod-name=db-0", suggestion.Set.Policies[0].Pods.Text);
        Assert.Contains(suggestion.Review, item => item is { Reason: ReviewReason.LevelRaised, Src: "shop/web" });
    }

    [Fact]
    public void Whatever_answers_behind_a_service_is_one_segment()
    {
        var service = Machine(EntityKind.Service, "api") with { Namespace = "shop", Selector = new Dictionary<string, string> { ["part"] = "api" } };
        var blue = Pod("b-1", "blue", "part=api,colour=blue");
        var green = Pod("g-1", "green", "part=api,colour=green");
        var input = Input([Edge(App("web"), blue, 8080) with { Service = service, ServicePort = 80 }, Edge(App("web"), green, 8080) with { Service = service, ServicePort = 80 }], level: SegmentLevel.Service);
        var suggestion = PolicySuggester.Suggest(input);
        Assert.Equal(["shop/api-service", "shop/web-deployment"], suggestion.Set.Policies.Select(policy => policy.Id));
        Assert.Equal("part=api", suggestion.Set.Policies[0].Pods.Text);
        Assert.Empty(Replay(input, suggestion.Set).Denied);
    }

    [Fact]
    public void Auto_takes_together_what_no_labels_tell_apart()
    {
        var input = Input([Edge(Pod("a-1", "a", "app=twin"), App("api"), 8080), Edge(Pod("b-1", "b", "app=twin"), App("api"), 9090)], level: SegmentLevel.Auto);
        var suggestion = PolicySuggester.Suggest(input);
        var group = Assert.Single(suggestion.Set.Policies, policy => policy.Pods.Text == "app=twin");
        Assert.Equal(2, group.Egress!.Count + suggestion.Reasons().Count(reason => reason == ReviewReason.LevelRaised) - 1);
        Assert.Empty(Replay(input, suggestion.Set).Denied);
    }

    [Fact]
    public void Auto_takes_the_namespace_where_pods_have_no_labels()
    {
        var suggestion = PolicySuggester.Suggest(Input([Edge(Pod("a-1", "a", ""), App("api"), 8080), Edge(App("web"), App("db", ns: "data"), 5432)], level: SegmentLevel.Auto));
        Assert.Equal(["data/db-deployment", "shop/shop-namespace"], suggestion.Set.Policies.Select(policy => policy.Id));
    }

    [Fact]
    public void The_level_can_be_chosen_for_one_segment()
    {
        var input = Input([Edge(App("web"), App("db", ns: "data"), 5432)]) with { LevelOf = new Dictionary<string, SegmentLevel> { ["data"] = SegmentLevel.Namespace } };
        Assert.Equal(["data/data-namespace", "shop/web-deployment"], PolicySuggester.Suggest(input).Set.Policies.Select(policy => policy.Id));
    }

    [Fact]
    public void A_fence_opens_the_inside_and_closes_the_border()
    {
        var input = Input([Edge(App("web"), App("api"), 8080), Edge(App("in", ns: "edge"), App("web"), 443)]) with { RingFence = SegmentFilter.Parse("shop") };
        var policy = Assert.Single(PolicySuggester.Suggest(input).Set.Policies);
        Assert.Equal("shop/shop-ring-fence", policy.Id);
        var set = RoundTrip(new PolicySet([policy]));
        var evaluator = new PolicyEvaluator(set);
        bool Allowed(Entity src, Entity dst, ushort port) => evaluator.Evaluate(new Connection(PartyOf(src), PartyOf(dst), IpProtocol.Tcp, port)).Allowed;
        Assert.True(Allowed(App("api"), App("web"), 1234));
        Assert.True(Allowed(App("in", ns: "edge"), App("web"), 443));
        Assert.False(Allowed(App("in", ns: "edge"), App("web"), 444));
        Assert.False(Allowed(App("web"), App("in", ns: "edge"), 443));
    }

    [Fact]
    public void Business_labels_name_segments_to_fence_and_to_restrict_to()
    {
        var cart = Pod("cart-1", "cart", "app=cart,app.kubernetes.io/part-of=store", "app=cart");
        var pay = Pod("pay-1", "pay", "app=pay,app.kubernetes.io/part-of=store", "app=pay", ns: "bank");
        var input = Input([Edge(cart, pay, 8080), Edge(App("web"), cart, 80)]);
        Assert.Equal(["bank/pay-deployment", "shop/cart-deployment"], PolicySuggester.Suggest(input with { RingFence = SegmentFilter.Parse("app=store") }).Set.Policies.Select(policy => policy.Id));
        Assert.Equal(["bank/pay-deployment", "shop/cart-deployment"], PolicySuggester.Suggest(input with { Only = SegmentFilter.Parse("app=store") }).Set.Policies.Select(policy => policy.Id));
        Assert.Throws<FlowsException>(() => PolicySuggester.Suggest(input with { RingFence = SegmentFilter.Parse("nobody") }));
        Assert.Throws<FlowsException>(() => SegmentFilter.Parse("a/b/c"));
    }

    [Fact]
    public void The_border_of_the_cluster_is_a_segment()
    {
        var input = Input([Edge(App("web"), App("db", ns: "data"), 5432), Edge(App("web"), Unknown("203.0.113.1"), 443)], level: SegmentLevel.Boundary);
        var suggestion = PolicySuggester.Suggest(input);
        Assert.Equal(["data/data-boundary", "shop/shop-boundary"], suggestion.Set.Policies.Select(policy => policy.Id));
        Assert.Empty(Replay(input, suggestion.Set).Denied);
        Assert.Contains(suggestion.Set.Rules(), rule => rule.Peers is [RangeSegment] && rule.Ports.Count == 1);
    }

    [Fact]
    public void Hosts_get_rules_where_the_target_has_them()
    {
        var node = Machine(EntityKind.Node, "n7");
        var input = Input([Edge(App("web"), node, 9100)], addresses: [(node, "192.0.2.7"), (App("web"), "10.0.0.1")], level: SegmentLevel.Host) with { Target = SuggestTarget.Nftables };
        var policy = Assert.Single(PolicySuggester.Suggest(input).Set.Policies);
        Assert.Equal(("n7-host", "hosts kubernetes.io/hostname=n7"), (policy.Name, policy.Target.Key));
        var rendering = NftablesWriter.Render(new PolicySet([policy]), SuggestedHosts.Of(input, policy.Subject));
        Assert.Contains("10.0.0.1", rendering.Files[0].Text, StringComparison.Ordinal);
        Assert.Contains("9100", rendering.Files[0].Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Outside_names_stay_names_where_the_target_knows_them_and_become_addresses_where_not()
    {
        var mail = new Entity { Id = 77, Kind = EntityKind.External, Name = "Smtp.Example.COM" };
        var input = Input([Edge(App("web"), mail, 587)], addresses: [(mail, "203.0.113.5")]);
        Assert.Equal("smtp.example.com", PolicySuggester.Suggest(input with { Target = SuggestTarget.Named("cilium") }).Set.Rules().Single().Peers.Single().ToString());
        Assert.Equal("203.0.113.5/32", PolicySuggester.Suggest(input).Set.Rules().Single().Peers.Single().ToString());
    }

    [Fact]
    public void Known_ranges_come_before_the_world()
    {
        var range = new Entity { Id = 78, Kind = EntityKind.Cidr, Name = "saas" };
        var edges = Enumerable.Range(1, 9).Select(i => Edge(App("web"), Unknown($"203.0.113.{i}"), 443)).ToList();
        var input = Input(edges, [range], clusterRanges: ["10.0.0.0/8"]);
        var known = input with { Addresses = new Dictionary<ulong, IReadOnlyList<NetBlock>> { [78] = [NetBlock.Parse("203.0.113.0/24")] } };
        Assert.Equal("203.0.113.0/24", PolicySuggester.Suggest(known).Set.Rules().Single().Peers.Single().ToString());
        Assert.Contains("known range", PolicySuggester.Suggest(known).Set.Rules().Single().Widened!, StringComparison.Ordinal);
    }

    [Fact]
    public void The_clusters_ranges_are_found_from_its_pods_unless_somebody_else_lives_there()
    {
        var edges = Enumerable.Range(1, 9).Select(i => Edge(App("web"), Unknown($"203.0.113.{i}"), 443)).Append(Edge(App("web"), App("api"), 80)).ToList();
        (Entity, string)[] pods = [(App("web"), "10.244.1.2"), (App("api"), "10.244.2.3")];
        Assert.Contains("range 0.0.0.0/0|10.244.0.0/16", string.Join(' ', PolicySuggester.Suggest(Input(edges, addresses: pods)).Set.Rules().Select(rule => rule.Key)), StringComparison.Ordinal);
        var vm = Machine(EntityKind.Vm, "db");
        Assert.Contains(ReviewReason.ManyAddresses, PolicySuggester.Suggest(Input(edges, [vm], addresses: [.. pods, (vm, "10.244.9.9")])).Reasons());
    }

    [Fact]
    public void The_resolver_answers_every_pod_once_several_ask()
    {
        var dns = Pod("dns-1", "coredns", "k8s-app=kube-dns", ns: "kube-system");
        var suggestion = PolicySuggester.Suggest(Input(((string[])["a", "b", "c"]).Select(name => Edge(App(name), dns, 53, IpProtocol.Udp))));
        var rule = suggestion.Set.Policies.Single(policy => policy.Namespace == "kube-system").Ingress!.Single();
        Assert.Equal(("pods |", RulePurpose.Baseline), (rule.Peers.Single().Key, rule.Purpose));
    }

    [Fact]
    public void Api_servers_metadata_and_the_nodes_resolver_are_baselines()
    {
        var api = Machine(EntityKind.Service, "kubernetes") with { Namespace = "default" };
        Entity[] nodes = [Machine(EntityKind.Node, "m1"), Machine(EntityKind.Node, "m2")];
        var input = Input(
            [
                Edge(App("web"), nodes[0], 6443) with { Service = api, ServicePort = 443 }, Edge(App("api"), nodes[1], 6443) with { Service = api, ServicePort = 443 },
                Edge(App("web"), Unknown("169.254.169.254"), 80), Edge(App("web"), Unknown("169.254.20.10"), 53, IpProtocol.Udp),
            ],
            addresses: [(nodes[0], "192.0.2.1"), (nodes[1], "192.0.2.2")]);
        var rules = PolicySuggester.Suggest(input).Set.Policies.Single(policy => policy.Name == "web-deployment").Egress!;
        Assert.All(rules, rule => Assert.Equal((RulePurpose.Baseline, true), (rule.Purpose, rule.Reason is not null)));
        Assert.Equal(["192.0.2.1/32", "192.0.2.2/32"], rules.Single(rule => rule.Ports[0].First == 6443).Peers.Select(peer => peer.ToString()));
    }

    private static Party PartyOf(Entity pod) => new() { Id = pod.Uid, Selectable = true, Namespace = pod.Namespace, Labels = pod.Labels };
}
