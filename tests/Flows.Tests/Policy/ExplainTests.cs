using Flows.Core;
using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.Core.Map;
using Flows.Core.Policy;
using Xunit;
using static Flows.Tests.Policy.Fleet;

namespace Flows.Tests.Policy;

public sealed class ExplainTests
{
    private static readonly Rule FromWeb = new() { Peers = [PodSegment.In("shop", LabelSelector.Of([new("app", "web")]))], Ports = [PortMatch.Of(IpProtocol.Tcp, 8080)] };
    private static readonly SegmentPolicy Api = SegmentPolicy.For("shop", "api", LabelSelector.Of([new("app", "api")])) with { Ingress = [FromWeb] };

    [Fact]
    public void An_allowed_connection_names_the_rule()
    {
        var answer = Explain([Edge(App("web"), App("api"), 8080)], "shop/web", "shop/api", 8080);
        Assert.Equal("allowed", answer.Sets[0].Verdict);
        Assert.StartsWith("allowed by shop/api ingress[0], which allows TCP 8080 from", answer.Sets[0].Ingress[0], StringComparison.Ordinal);
        Assert.Equal("allowed: no policy speaks of egress here, so it is open", answer.Sets[0].Egress[0]);
        Assert.Equal(10, answer.Seen.Connections);
        Assert.Contains(answer.Suggested, line => line.StartsWith("suggested by shop/api-deployment ingress[0]", StringComparison.Ordinal));
        Assert.Empty(answer.WhyNoEdge);
    }

    [Fact]
    public void A_denied_one_names_what_closes_and_the_rules_that_nearly_match()
    {
        var edges = new[] { Edge(App("web"), App("api"), 8080), Edge(App("batch"), App("api"), 9090, answered: 0) };
        var other = Explain(edges, "shop/batch", "shop/api", 8080);
        Assert.Equal("denied", other.Sets[0].Verdict);
        Assert.Equal("denied by default: shop/api closes ingress, and no rule matches", other.Sets[0].Ingress[0]);
        Assert.EndsWith("the peer is another", other.Sets[0].Ingress[1], StringComparison.Ordinal);
        Assert.EndsWith("the port is another", Explain(edges, "shop/web", "shop/api", 9090).Sets[0].Ingress[1], StringComparison.Ordinal);
        Assert.Contains("never seen on this port; the two were seen on TCP 9090", other.WhyNoEdge);
        Assert.Contains("not suggested: nothing of the kind was seen", other.Suggested);

        var attempt = Explain(edges, "shop/batch", "shop/api", 9090);
        Assert.Contains("not suggested: nobody ever answered: a failed attempt is no need", attempt.Suggested);
        Assert.Contains("there were 10 attempts, and nobody answered: 0 refused, 10 without an answer", attempt.WhyNoEdge);
    }

    [Fact]
    public void Where_nothing_was_seen_doubtful_peers_and_gaps_are_told()
    {
        var answer = Explain([Edge(App("web"), Unknown("203.0.113.9"), 443), Edge(App("db"), App("web"), 1)], "shop/web", "shop/db", 443, "node n1 saw packets not");
        Assert.Equal(
            ["never seen in the span", "on this port 10 connections were seen with 203.0.113.9, whom the ledger cannot tell: it may be the one asked about", "not everything was watched: node n1 saw packets not"],
            answer.WhyNoEdge);
    }

    [Fact]
    public void Pods_of_a_workload_that_differ_make_it_depend()
    {
        var odd = Pod("web-1", "web", "app=front");
        var answer = Explain([Edge(App("web"), App("api"), 8080), Edge(odd, App("api"), 8080)], "shop/web", "shop/api", 8080);
        Assert.Equal("depends", answer.Sets[0].Verdict);
        Assert.StartsWith("denied by default", answer.Sets[0].Ingress[0], StringComparison.Ordinal);
        Assert.Equal("denied", Explain([Edge(odd, App("api"), 8080)], "shop/web-1", "shop/api", 8080).Sets[0].Verdict);
    }

    [Fact]
    public void Addresses_stand_for_their_holders_and_strangers_for_themselves()
    {
        var input = Held([Edge(App("web"), App("api"), 8080)]);
        var explainer = new PolicyExplainer(input, new JudgeOptions(), []);
        var web = input.Addresses[App("web").Id][0].First.ToString();
        var suggestion = PolicySuggester.Suggest(input);
        Assert.Equal("allowed", explainer.Explain(new(web, "shop/api", IpProtocol.Tcp, 8080), [new("mine", new([Api]))], suggestion).Sets[0].Verdict);
        Assert.Equal("denied", explainer.Explain(new("198.51.100.1", "shop/api", IpProtocol.Tcp, 8080), [new("mine", new([Api]))], suggestion).Sets[0].Verdict);
        Assert.Contains("Meant may be shop/api", Assert.Throws<FlowsException>(() => explainer.Explain(new("api", "shop/api", IpProtocol.Tcp, 1), [], suggestion)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Tiers_are_told_in_the_order_in_which_they_are_asked()
    {
        var admin = new SegmentPolicy
        {
            Name = "guard", Target = PodSegment.All, Tier = Tier.Admin, Order = 5, ClosesIngress = false, Ingress = [new Rule { Action = RuleAction.Deny, Peers = FromWeb.Peers }],
        };
        var input = Held([Edge(App("web"), App("api"), 8080)]);
        var answer = new PolicyExplainer(input, new JudgeOptions(), []).Explain(new("shop/web", "shop/api", IpProtocol.Tcp, 8080), [new("mine", PolicySet.Of([Api, admin]))], PolicySuggester.Suggest(input));
        Assert.StartsWith("denied by guard ingress[0], which denies everything from", answer.Sets[0].Ingress[0], StringComparison.Ordinal);
        Assert.Equal("asked in this order: guard (admin 5), shop/api (application)", answer.Sets[0].Ingress[1]);
    }

    private static Explanation Explain(IReadOnlyList<Edge> edges, string src, string dst, ushort port, params string[] gaps)
    {
        var input = Held(edges);
        return new PolicyExplainer(input, new JudgeOptions(), gaps).Explain(new(src, dst, IpProtocol.Tcp, port), [new("mine", new([Api]))], PolicySuggester.Suggest(input));
    }
}
