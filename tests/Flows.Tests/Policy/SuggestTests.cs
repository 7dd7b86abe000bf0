using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.Core.Map;
using Flows.Core.Policy;
using Xunit;
using static Flows.Tests.Policy.Fleet;

namespace Flows.Tests.Policy;

public sealed class SuggestTests
{
    [Fact]
    public void Both_ends_get_a_rule_on_the_port_that_answers()
    {
        var edge = Edge(App("web"), App("api"), 8080) with { Service = Machine(EntityKind.Service, "api"), ServicePort = 80 };
        var set = PolicySuggester.Suggest(Input([edge])).Set;
        Assert.Equal(["shop/api-deployment", "shop/web-deployment"], set.Policies.Select(policy => policy.Id));
        Assert.Equal("TCP 8080|pods kubernetes.io/metadata.name=shop|app=web", set.Policies[0].Ingress!.Single().Key);
        Assert.Equal("TCP 8080|pods kubernetes.io/metadata.name=shop|app=api", set.Policies[1].Egress!.Single().Key);
    }

    [Fact]
    public void A_direction_that_was_not_seen_stays_open_and_is_listed()
    {
        var suggestion = PolicySuggester.Suggest(Input([Edge(App("web"), App("api"), 8080)]));
        Assert.Null(suggestion.Set.Policies[0].Egress);
        Assert.Null(suggestion.Set.Policies[1].Ingress);
        Assert.Equal(2, suggestion.Reasons().Count(reason => reason == ReviewReason.DirectionNotObserved));
        Assert.DoesNotContain("Egress", KubernetesWriter.Write(suggestion.Set.Policies[0]), StringComparison.Ordinal);
    }

    [Fact]
    public void A_workload_of_which_nothing_was_seen_gets_no_policy()
    {
        var suggestion = PolicySuggester.Suggest(Input([Edge(App("web"), App("api"), 8080)], [App("idle")]));
        Assert.Equal(2, suggestion.Set.Policies.Count);
        Assert.Contains(suggestion.Review, item => item is { Reason: ReviewReason.NotObserved, Src: "shop/idle" });
    }

    [Fact]
    public void Volatile_labels_never_reach_a_selector()
    {
        var web = Pod("web-1", "web", "app=web,pod-template-hash=5d8f,app.kubernetes.io/version=1.2,topology.kubernetes.io/zone=a");
        var set = PolicySuggester.Suggest(Input([Edge(web, App("api"), 8080)])).Set;
        Assert.Equal("app=web", set.Policies[1].Pods.Text);
    }

    [Fact]
    public void Labels_that_differ_between_the_pods_of_one_owner_never_reach_a_selector()
    {
        var before = Pod("web-1", "web", "app=web,release=blue");
        var after = Pod("web-2", "web", "app=web,release=green");
        var set = PolicySuggester.Suggest(Input([Edge(before, App("api"), 8080)], [after])).Set;
        Assert.Equal("app=web", set.Policies[1].Pods.Text);
    }

    [Fact]
    public void A_jobs_own_selector_does_not_last_and_is_not_used()
    {
        var job = Pod("backup-1", "backup", "app=backup,batch.kubernetes.io/controller-uid=1", "batch.kubernetes.io/controller-uid=1", kind: "CronJob");
        Assert.Equal("app=backup", PolicySuggester.Suggest(Input([Edge(job, App("api"), 8080)])).Set.Policies[1].Pods.Text);
    }

    [Fact]
    public void An_owners_selector_that_picks_others_too_is_made_exact()
    {
        var web = Pod("web-1", "web", "app=shop,tier=web", "app=shop");
        var admin = Pod("admin-1", "admin", "app=shop,tier=admin", "app=shop,tier=admin");
        var set = PolicySuggester.Suggest(Input([Edge(web, App("api"), 8080)], [admin])).Set;
        Assert.Equal("app=shop,tier=web", set.Policies[1].Pods.Text);
    }

    [Fact]
    public void A_workload_that_no_labels_pick_alone_gets_no_policy_but_stays_reachable()
    {
        var web = Pod("web-1", "web", "app=twin");
        var twin = Pod("twin-1", "twin", "app=twin");
        var input = Input([Edge(web, App("api"), 8080)], [twin]);
        var suggestion = PolicySuggester.Suggest(input);
        Assert.Equal(["shop/api-deployment"], suggestion.Set.Policies.Select(policy => policy.Id));
        Assert.Contains(suggestion.Review, item => item.Reason == ReviewReason.Selector && item.Detail.Contains("shop/twin", StringComparison.Ordinal));
        Assert.NotNull(suggestion.Set.Rules().Single().Widened);
        Assert.Empty(Replay(input, suggestion.Set).Denied);
    }

    [Fact]
    public void No_labels_never_become_an_empty_selector()
    {
        var suggestion = PolicySuggester.Suggest(Input([Edge(Pod("web-1", "web", ""), App("api"), 8080), Edge(App("api"), Pod("web-1", "web", ""), 80)]));
        Assert.All(suggestion.Set.Policies, policy => Assert.False(policy.Pods.IsEverything));
        Assert.Contains(ReviewReason.Selector, suggestion.Reasons());
    }

    [Fact]
    public void Failed_attempts_and_guessed_directions_are_for_review()
    {
        var suggestion = PolicySuggester.Suggest(Input([
            Edge(App("web"), App("api"), 1, answered: 0, refused: 10),
            Edge(App("web"), App("api"), 2, answered: 0),
            Edge(App("api"), App("web"), 44321, trusted: 0),
            Edge(App("web"), App("api"), 0),
            Edge(App("web"), App("api"), 8, IpProtocol.Icmp),
        ]));
        Assert.Empty(suggestion.Set.Policies);
        Assert.Equal([ReviewReason.Refused, ReviewReason.Unanswered, ReviewReason.UntrustedDirection, ReviewReason.Protocol, ReviewReason.Protocol],
            suggestion.Reasons().Where(reason => reason != ReviewReason.NotObserved));
    }

    [Fact]
    public void Whoever_hides_behind_a_node_gets_no_rule_in_its_name()
    {
        var node = Machine(EntityKind.Node, "n9");
        (Entity, string)[] addresses = [(node, "192.0.2.9")];
        var hidden = PolicySuggester.Suggest(Input([Edge(node, App("api"), 80) with { SnatUnresolved = 10 }], addresses: addresses));
        Assert.Empty(hidden.Set.Policies);
        Assert.Contains(ReviewReason.BehindNode, hidden.Reasons());

        // Some of it the node did itself: that is needed.
        var own = PolicySuggester.Suggest(Input([Edge(node, App("api"), 80) with { SnatUnresolved = 9 }], addresses: addresses));
        Assert.Equal(["shop/api-deployment"], own.Set.Policies.Select(policy => policy.Id));
    }

    [Fact]
    public void Nothing_a_scanner_did_becomes_a_rule()
    {
        var scans = Enumerable.Range(1, 20).Select(port => Edge(App("scanner"), App("api"), (ushort)port, answered: port == 7 ? 10 : 0));
        var suggestion = PolicySuggester.Suggest(Input([.. scans, Edge(App("web"), App("api"), 7)]));
        Assert.DoesNotContain(suggestion.Set.Rules().SelectMany(rule => rule.Peers), peer => peer.Key.Contains("scanner", StringComparison.Ordinal));
        Assert.Equal(200, suggestion.Review.Single(item => item.Reason == ReviewReason.Scanner).Connections);
    }

    [Fact]
    public void A_fan_out_client_whose_targets_answer_is_no_scanner()
    {
        var scrapes = Enumerable.Range(0, 30).Select(i => Edge(App("prometheus"), App($"target{i}"), 9090));
        var suggestion = PolicySuggester.Suggest(Input(scrapes));
        Assert.DoesNotContain(ReviewReason.Scanner, suggestion.Reasons());
        Assert.Equal(31, suggestion.Set.Policies.Count);
    }

    [Fact]
    public void Pods_in_the_nodes_network_and_ambiguous_ends_are_never_selected()
    {
        var agent = Pod("agent-1", "agent", "app=agent", host: true, node: "n2", kind: "DaemonSet");
        var either = new Entity { Id = 9, Kind = EntityKind.Ambiguous, Name = "shop/a or shop/b" };
        var suggestion = PolicySuggester.Suggest(Input(
            [Edge(agent, App("api"), 8080), Edge(App("api"), agent, 9100), Edge(either, App("api"), 8080, resolved: ResolvedBy.Ambiguous)],
            addresses: [(agent, "192.0.2.2")]));
        var policy = Assert.Single(suggestion.Set.Policies);
        Assert.Equal("TCP 8080|range 192.0.2.2/32|", policy.Ingress!.Single().Key);
        Assert.Contains(ReviewReason.HostNetwork, suggestion.Reasons());
        Assert.Contains(ReviewReason.Ambiguous, suggestion.Reasons());
    }

    [Fact]
    public void A_pods_own_node_needs_no_rule_and_is_let_through()
    {
        var node = Machine(EntityKind.Node, "n1");
        var input = Input([Edge(node, App("api"), 8080), Edge(App("web"), App("api"), 8080)], addresses: [(node, "192.0.2.1")]);
        var suggestion = PolicySuggester.Suggest(input);
        Assert.Contains(ReviewReason.OwnNode, suggestion.Reasons());
        Assert.DoesNotContain(suggestion.Set.Rules().SelectMany(rule => rule.Peers), peer => peer is RangeSegment);
    }

    [Fact]
    public void Machines_are_named_by_their_addresses_of_either_family()
    {
        var vm = Machine(EntityKind.Vm, "db");
        var suggestion = PolicySuggester.Suggest(Input([Edge(App("api"), vm, 5432)], addresses: [(vm, "192.0.2.9"), (vm, "2001:db8::9"), (vm, "fe80::1"), (vm, "127.0.0.1")]));
        Assert.Equal(["192.0.2.9/32", "2001:db8::9/128"], suggestion.Set.Rules().Single().Peers.Select(peer => peer.ToString()));
    }

    [Fact]
    public void Use_of_dns_opens_both_protocols_and_no_use_opens_none()
    {
        var dns = Pod("coredns-1", "coredns", "k8s-app=kube-dns", ns: "kube-system");
        var query = Edge(App("web"), dns, 5353, IpProtocol.Udp) with { ServicePort = 53 };
        var suggestion = PolicySuggester.Suggest(Input([query, Edge(App("web"), App("api"), 8080)]));
        var rule = Assert.Single(suggestion.Set.Policies.Single(policy => policy.Name == "web-deployment").Egress!, rule => rule.Purpose == RulePurpose.Baseline);
        Assert.Equal("TCP 5353,UDP 5353", string.Join(',', rule.Ports));
        Assert.DoesNotContain(suggestion.Set.Policies.Single(policy => policy.Name == "api-deployment").AllRules(), each => each.Rule.Purpose == RulePurpose.Baseline);
    }

    [Fact]
    public void Many_unknown_addresses_widen_to_the_world_without_the_cluster_and_say_so()
    {
        var edges = Enumerable.Range(1, 20).Select(i => Edge(App("web"), Unknown($"203.0.113.{i}"), 443)).ToList();
        var input = Input(edges, clusterRanges: ["10.244.0.0/16", "10.96.0.0/12"]);
        var suggestion = PolicySuggester.Suggest(input);
        Assert.Equal("TCP 443|range 0.0.0.0/0|10.96.0.0/12,10.244.0.0/16", suggestion.Set.Rules().Single().Key);
        Assert.Contains(ReviewReason.Widened, suggestion.Reasons());
        Assert.Empty(Replay(input, suggestion.Set).Denied);

        var narrow = PolicySuggester.Suggest(Input(edges));
        Assert.Equal(20, narrow.Set.Rules().Single().Peers.Count);
        Assert.Contains(ReviewReason.ManyAddresses, narrow.Reasons());
    }

    [Fact]
    public void Few_unknown_addresses_are_listed_and_those_within_the_cluster_are_for_review()
    {
        var suggestion = PolicySuggester.Suggest(Input(
            [Edge(Unknown("203.0.113.1"), App("web"), 443), Edge(Unknown("10.244.1.9"), App("web"), 443)], clusterRanges: ["10.244.0.0/16"]));
        Assert.Equal("203.0.113.1/32", suggestion.Set.Rules().Single().Peers.Single().ToString());
        Assert.Contains(ReviewReason.UnknownInCluster, suggestion.Reasons());
    }

    /// <summary>Beside the end of a pod's life clocks that are apart, or late news, leave its address to nobody; the next pod that gets it must not inherit a rule.</summary>
    [Fact]
    public void Somebody_unknown_at_an_address_that_a_pod_or_service_held_is_for_review()
    {
        var (web, old) = (App("web"), App("old"));
        var service = Machine(EntityKind.Service, "api");
        var suggestion = PolicySuggester.Suggest(Input(
            [Edge(Unknown("203.0.113.1"), web, 443), Edge(Unknown("10.244.1.9"), web, 443), Edge(web, Unknown("10.96.0.7"), 443)], [old, service], addresses: [(old, "10.244.1.9"), (service, "10.96.0.7")]));
        Assert.Equal("203.0.113.1/32", suggestion.Set.Rules().Single().Peers.Single().ToString());
        Assert.Equal(2, suggestion.Reasons().Count(reason => reason == ReviewReason.UnknownInCluster));
    }

    [Fact]
    public void Somebody_unknown_at_a_pods_former_address_does_not_hide_the_clusters_range()
    {
        var (web, old) = (App("web"), App("old"));
        var clients = Enumerable.Range(1, 20).Select(i => Edge(Unknown($"203.0.113.{i}"), web, 443)).Append(Edge(Unknown("10.244.1.9"), web, 443));
        var suggestion = PolicySuggester.Suggest(Input(clients, [old], addresses: [(web, "10.244.0.2"), (old, "10.244.1.9")]));
        Assert.Equal("TCP 443|range 0.0.0.0/0|10.244.0.0/16", suggestion.Set.Rules().Single().Key);
    }

    [Fact]
    public void A_namespace_gets_one_policy_for_all_of_its_pods()
    {
        var input = Input([Edge(App("web"), App("api"), 8080), Edge(App("web"), App("db", ns: "data"), 5432)], [App("idle")], SegmentLevel.Namespace);
        var suggestion = PolicySuggester.Suggest(input);
        Assert.Equal(["data/data-namespace", "shop/shop-namespace"], suggestion.Set.Policies.Select(policy => policy.Id));
        Assert.All(suggestion.Set.Policies, policy => Assert.True(policy.Pods.IsEverything));
        Assert.Equal(["TCP 5432|pods kubernetes.io/metadata.name=data|", "TCP 8080|pods kubernetes.io/metadata.name=shop|"], suggestion.Set.Policies[1].Egress!.Select(rule => rule.Key));
        Assert.Empty(Replay(input, suggestion.Set).Denied);
        Assert.Contains(suggestion.Review, item => item is { Reason: ReviewReason.NotObserved, Src: "shop/idle" });
    }

    [Fact]
    public void Every_rule_carries_its_evidence()
    {
        var rule = PolicySuggester.Suggest(Input([Edge(App("web", 0), App("api"), 8080), Edge(App("web", 1), App("api"), 8080)])).Set.Policies[0].Ingress!.Single();
        Assert.Equal((20, 2, 1), (rule.Evidence!.Connections, rule.Evidence.DistinctSources, rule.Evidence.DistinctDestinations));
        Assert.Equal(Start, rule.Evidence.FirstSeenUs);
        Assert.Equal(["n1", "n2"], rule.Evidence.Nodes);
        Assert.Equal(["as_of"], rule.Evidence.ResolvedBy);
    }
}
