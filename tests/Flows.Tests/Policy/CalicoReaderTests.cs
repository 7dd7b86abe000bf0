using Flows.Core.Policy;
using Xunit;

namespace Flows.Tests.Policy;

/// <summary>What a Calico policy means, by Calico's own code: see DESIGN.md beside the readers for which of it.</summary>
public sealed class CalicoReaderTests
{
    [Theory]
    [InlineData("{}", "-shop/web>shop/api", "+shop/api>data/db")]
    [InlineData("{selector: ''}", "-shop/web>shop/api", "-data/db>shop/web")]
    [InlineData("{selector: app == 'api'}", "-shop/web>shop/api", "+data/db>shop/web")]
    [InlineData("{egress: [{action: Allow}]}", "+shop/web>shop/api", "+shop/api>data/db")]
    [InlineData("{types: [Ingress, Egress], egress: [{action: Allow}]}", "-shop/web>shop/api", "+shop/api>world")]
    [InlineData("{types: [Egress], ingress: [{action: Deny}]}", "-shop/web>shop/api", "-shop/api>data/db", "+data/db>shop/api")]
    [InlineData("{ingress: [{action: Deny}], egress: [{action: Allow}]}", "-shop/web>shop/api", "+shop/api>data/db")]
    [InlineData("{ingress: [{action: Log}, {action: Allow}]}", "+shop/web>shop/api")]
    [InlineData("{ingress: [{action: Pass}, {action: Deny}]}", "+shop/web>shop/api")]
    [InlineData("{selector: \"!all()\", ingress: [{action: Deny}]}", "+shop/web>shop/api")]
    public void What_governs_a_direction(string spec, params string[] expected) => SmallCluster.Check(SmallCluster.Read(Policy("p", spec)), expected);

    [Theory]
    [InlineData("{selector: app == 'web'}", "+shop/web>shop/api", "-lab/web>shop/api")]
    [InlineData("{selector: app == 'web', namespaceSelector: all()}", "+shop/web>shop/api", "+lab/web>shop/api", "-data/db>shop/api", "-world>shop/api")]
    [InlineData("{namespaceSelector: team == 'b'}", "-shop/web>shop/api", "+data/db>shop/api")]
    [InlineData("{namespaceSelector: \"projectcalico.org/name in {'lab', 'data'}\"}", "-shop/web>shop/api", "+lab/web>shop/api", "+data/db>shop/api")]
    [InlineData("{namespaceSelector: \"kubernetes.io/metadata.name == 'lab'\"}", "-shop/web>shop/api", "+lab/web>shop/api")]
    [InlineData("{namespaceSelector: all(), selector: \"projectcalico.org/namespace != 'lab'\"}", "+shop/web>shop/api", "-lab/web>shop/api")]
    [InlineData("{namespaceSelector: all(), selector: pcns.team == 'b'}", "-shop/web>shop/api", "+data/db>shop/api")]
    [InlineData("{namespaceSelector: all(), selector: \"pcns.projectcalico.org/name == 'lab'\"}", "-shop/web>shop/api", "+lab/web>shop/api")]
    [InlineData("{namespaceSelector: all(), selector: \"!has(pcns.team)\"}", "-shop/web>shop/api", "+lab/web>shop/api")]
    [InlineData("{selector: \"projectcalico.org/orchestrator == 'k8s'\"}", "+shop/web>shop/api", "-lab/web>shop/api")]
    [InlineData("{selector: \"projectcalico.org/orchestrator == 'cni'\"}", "-shop/web>shop/api", "-world>shop/api")]
    [InlineData("{selector: \"!has(projectcalico.org/orchestrator)\"}", "-shop/web>shop/api", "-world>shop/api")]
    [InlineData("{selector: \"!all()\"}", "-shop/web>shop/api", "-world>shop/api", "-node>shop/api")]
    [InlineData("{notSelector: app == 'web'}", "-shop/web>shop/api", "-data/db>shop/api", "-world>shop/api")]
    [InlineData("{notSelector: app == 'db'}", "+shop/web>shop/api", "-lab/web>shop/api", "-world>shop/api")]
    [InlineData("{namespaceSelector: all(), notSelector: app == 'web'}", "-shop/web>shop/api", "-lab/web>shop/api", "+data/db>shop/api", "-world>shop/api")]
    [InlineData("{namespaceSelector: all(), notSelector: \"app == 'web' && pcns.team == 'a'\"}", "-shop/web>shop/api", "+lab/web>shop/api", "+data/db>shop/api")]
    [InlineData("{namespaceSelector: all(), selector: \"app in {'web', 'db'}\", notSelector: projectcalico.org/namespace == 'lab'}", "+shop/web>shop/api", "-lab/web>shop/api", "+data/db>shop/api")]
    [InlineData("{notSelector: all()}", "-shop/web>shop/api", "-world>shop/api")]
    [InlineData("{selector: app == 'web', notSelector: ''}", "+shop/web>shop/api", "-data/db>shop/api")]
    [InlineData("{selector: ''}", "+shop/web>shop/api", "+world>shop/api")]
    [InlineData("{nets: []}", "+shop/web>shop/api", "+world6>shop/api")]
    [InlineData("{nets: [10.0.0.0/24]}", "+shop/web>shop/api", "-lab/web>shop/api", "-world>shop/api")]
    [InlineData("{nets: [10.0.0.9/24]}", "+shop/web>shop/api")]
    [InlineData("{nets: [10.0.0.0/8], notNets: [10.0.2.0/24]}", "+shop/web>shop/api", "-lab/web>shop/api", "-world>shop/api")]
    [InlineData("{notNets: [10.0.0.0/24]}", "-shop/web>shop/api", "+lab/web>shop/api", "+world>shop/api", "-world6>shop/api")]
    public void Whom_a_rule_lets_in(string source, params string[] expected) => SmallCluster.Check(SmallCluster.Read(Policy("p", $"{{selector: app == 'api', ingress: [{{action: Allow, source: {source}}}]}}")), expected);

    [Theory]
    [InlineData("protocol: TCP, destination: {ports: [80, '90:92', http]}", "+shop/web>shop/api tcp 80", "+shop/web>shop/api tcp 92", "+shop/web>shop/api tcp 8080", "-shop/web>shop/api tcp 93", "-shop/web>shop/api udp 80")]
    [InlineData("protocol: TCP, destination: {ports: ['80']}", "+shop/web>shop/api tcp 80", "-shop/web>shop/api tcp 81")]
    [InlineData("protocol: 17, destination: {ports: [53]}", "+shop/web>shop/api udp 53", "-shop/web>shop/api tcp 53")]
    [InlineData("protocol: TCP, destination: {notPorts: [80, '90:92']}", "-shop/web>shop/api tcp 80", "+shop/web>shop/api tcp 81", "-shop/web>shop/api tcp 91", "+shop/web>shop/api tcp 65535", "-shop/web>shop/api udp 81")]
    [InlineData("protocol: ICMP", "+shop/web>shop/api icmp 0", "-shop/web>shop/api tcp 80")]
    [InlineData("destination: {ports: [http, dns]}", "+shop/web>shop/api tcp 8080", "+shop/web>shop/api udp 53", "-shop/web>shop/api udp 8080")]
    [InlineData("ipVersion: 4", "+shop/web>shop/api", "+world>shop/api", "-world6>shop/api")]
    [InlineData("ipVersion: 6", "-shop/web>shop/api", "+world6>shop/api")]
    [InlineData("ipVersion: 4, source: {nets: [192.0.2.0/24]}", "-shop/web>shop/api", "+world>shop/api")]
    public void What_else_a_rule_asks_for(string rule, params string[] expected) => SmallCluster.Check(SmallCluster.Read(Policy("p", $"{{selector: app == 'api', ingress: [{{action: Allow, {rule}}}]}}")), expected);

    [Theory]
    [InlineData("order: 1", "order: 2", false)]
    [InlineData("order: 2", "order: 1", true)]
    [InlineData("order: 1.5", "order: 1.25", true)]
    [InlineData("order: 99999", "tier: default", false)]
    [InlineData("tier: default", "order: -1", true)]
    [InlineData("order: 3", "order: 3", false)]
    [InlineData("tier: default", "tier: default", false)]
    public void The_order_decides_then_the_name(string deny, string allow, bool allowed) => Assert.Equal(allowed, SmallCluster.Allows(
        SmallCluster.Read(Policy("a", $"{{{deny}, ingress: [{{action: Deny}}]}}"), Policy("b", $"{{{allow}, ingress: [{{action: Allow}}]}}")), "shop/web>shop/api"));

    [Theory]
    [InlineData("order: 10", "Pass", false)]
    [InlineData("order: 10, defaultAction: Pass", "Log", false)]
    [InlineData("order: 10", "Log", false)]
    [InlineData("order: 10", "Allow", true)]
    [InlineData("order: 10, defaultAction: Pass", "Allow", true)]
    [InlineData("order: 2000000", "Allow", false)]
    [InlineData("defaultAction: Deny", "Allow", false)]
    public void Tiers_are_asked_one_by_one(string tier, string action, bool allowed) => Assert.Equal(allowed, SmallCluster.Allows(
        SmallCluster.Read(
            $"apiVersion: projectcalico.org/v3\nkind: Tier\nmetadata: {{name: ops}}\nspec: {{{tier}}}\n",
            Policy("ops.a", $"{{tier: ops, ingress: [{{action: {action}}}]}}"),
            Policy("b", "{ingress: [{action: Deny}]}")), "shop/web>shop/api"));

    [Fact]
    public void A_tier_denies_by_default_only_whom_one_of_its_policies_governs()
    {
        const string tier = "apiVersion: projectcalico.org/v3\nkind: Tier\nmetadata: {name: ops}\nspec: {order: 10}\n";
        SmallCluster.Check(SmallCluster.Read(tier, Policy("ops.a", "{tier: ops, selector: app == 'api'}")), "-shop/web>shop/api", "+shop/api>shop/web", "+shop/web>data/db");
        var passing = SmallCluster.Read(tier.Replace("10", "10, defaultAction: Pass", StringComparison.Ordinal), Policy("ops.a", "{tier: ops, ingress: [{action: Pass, source: {selector: app == 'web'}}, {action: Deny}]}"));
        SmallCluster.Check(passing, "+shop/web>shop/api", "-data/db>shop/api");
    }

    [Theory]
    [InlineData("ops", "{order: 5, defaultAction: Pass}", "")]
    [InlineData("ops", "{}", "")]
    [InlineData("default", "{order: 1000000}", "")]
    [InlineData("kube-admin", "{order: 1000, defaultAction: Pass}", "")]
    [InlineData("default", "{order: 5}", "spec must have order 1000000 and defaultAction Deny")]
    [InlineData("kube-admin", "{order: 1000}", "spec must have order 1000 and defaultAction Pass")]
    [InlineData("kube-baseline", "{order: 1000, defaultAction: Pass}", "spec must have order 10000000 and defaultAction Pass")]
    [InlineData("ops", "{defaultAction: Allow}", "spec.defaultAction 'Allow' is neither Deny nor Pass")]
    [InlineData("ops", "{order: first}", "spec.order must be a number")]
    [InlineData("ops.eu", "{}", "metadata.name 'ops.eu' is no name for a tier")]
    public void Tiers_are_checked_too(string name, string spec, string expected)
    {
        var text = $"apiVersion: projectcalico.org/v3\nkind: Tier\nmetadata: {{name: {name}}}\nspec: {spec}\n";
        if (expected.Length == 0)
        {
            Assert.Empty(SmallCluster.Read(text).Policies);
        }
        else
        {
            Assert.Contains(expected, SmallCluster.FaultOf(text), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_tiers_of_every_installation_are_those_of_cluster_policies()
    {
        const string tier = "apiVersion: projectcalico.org/v3\nkind: Tier\nmetadata: {name: kube-admin}\nspec: {order: 1000, defaultAction: Pass}\n";
        Assert.Equal(Tier.Admin, SmallCluster.Read(tier, Policy("p", "{tier: kube-admin}")).Policies.Single().Tier);
    }

    [Fact]
    public void Policies_of_kubernetes_stand_at_order_1000_of_the_default_tier()
    {
        const string kubernetes = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: k, namespace: shop}\nspec: {podSelector: {}, ingress: [{from: [{podSelector: {}}]}]}\n";
        SmallCluster.Check(SmallCluster.Read(kubernetes, Policy("p", "{order: 999, ingress: [{action: Deny}]}")), "-shop/web>shop/api");
        SmallCluster.Check(SmallCluster.Read(kubernetes, Policy("p", "{order: 1001, ingress: [{action: Deny}]}")), "+shop/web>shop/api", "-data/db>shop/api");
        SmallCluster.Check(SmallCluster.Read(kubernetes, Policy("p", "{ingress: [{action: Allow}]}")), "+shop/web>shop/api", "+data/db>shop/api");
    }

    [Fact]
    public void One_of_the_whole_cluster_governs_pods_of_all_namespaces()
    {
        SmallCluster.Check(SmallCluster.Read(Global("{selector: app == 'web', ingress: [{action: Allow, source: {selector: app == 'db'}}]}")), "+data/db>shop/web", "+data/db>lab/web", "-shop/api>lab/web", "+world>shop/api", "+world>node");
        SmallCluster.Check(SmallCluster.Read(Global("{ingress: [{action: Allow, source: {selector: has(app), notSelector: app == 'web'}}]}")), "+data/db>shop/api", "-shop/web>shop/api", "-world>shop/api");
        Assert.Contains("notSelector cannot be read without a selector beside it", SmallCluster.FaultOf(Global("{ingress: [{action: Allow, source: {notSelector: has(app)}}]}")), StringComparison.Ordinal);
        SmallCluster.Check(SmallCluster.Read(Global("{namespaceSelector: has(team), ingress: [{action: Deny}]}")), "-world>shop/api", "+world>lab/web");
        SmallCluster.Check(SmallCluster.Read(Global("{selector: \"app == 'web' || app == 'db'\", ingress: [{action: Deny}]}")), "-world>shop/web", "-world>data/db", "+world>shop/api");
    }

    [Fact]
    public void A_staged_policy_is_read_as_the_draft_that_it_is()
    {
        SmallCluster.Check(SmallCluster.Read(Policy("p", "{stagedAction: Set, ingress: [{action: Deny}]}", "StagedNetworkPolicy")), "-shop/web>shop/api");
        SmallCluster.Check(SmallCluster.Read(Policy("p", "{stagedAction: Learn}", "StagedNetworkPolicy")), "-shop/web>shop/api");
        Assert.Empty(SmallCluster.Read(Policy("p", "{stagedAction: Ignore, ingress: [{action: Deny}]}", "StagedNetworkPolicy")).Policies);
        Assert.Empty(SmallCluster.Read(Policy("p", "{stagedAction: Delete, tier: default}", "StagedNetworkPolicy")).Policies);
    }

    [Theory]
    [InlineData("NetworkPolicy", "p", "{stagedAction: Set}", "spec.stagedAction is not a field")]
    [InlineData("StagedNetworkPolicy", "p", "{stagedAction: Remove}", "'Remove' is not Set, Delete, Learn or Ignore")]
    [InlineData("StagedNetworkPolicy", "p", "{stagedAction: Delete, ingress: [{action: Deny}]}", "must hold nothing but its tier")]
    [InlineData("NetworkPolicy", "a.b.c", "{}", "metadata.name 'a.b.c' is no name for a policy of Calico")]
    [InlineData("NetworkPolicy", "p", "{namespaceSelector: all()}", "namespaceSelector is for policies of the whole cluster")]
    [InlineData("NetworkPolicy", "p", "{serviceAccountSelector: a == 'b'}", "serviceAccountSelector cannot be read")]
    [InlineData("NetworkPolicy", "p", "{tier: nowhere}", "'nowhere' is a tier that no Tier object here defines")]
    [InlineData("NetworkPolicy", "p", "{order: high}", "spec.order must be a number")]
    [InlineData("NetworkPolicy", "p", "{types: [Ingress, Ingress]}", "spec.types holds a direction twice")]
    [InlineData("NetworkPolicy", "p", "{types: [In]}", "'In' is neither Ingress nor Egress")]
    [InlineData("NetworkPolicy", "p", "{selector: app = 'x'}", "spec.selector is no selector")]
    [InlineData("NetworkPolicy", "p", "{selector: \"pcsa.app == 'x'\"}", "asks for pcsa.app, which the model does not know")]
    [InlineData("NetworkPolicy", "p", "{selector: has(projectcalico.org/serviceaccount)}", "asks for projectcalico.org/serviceaccount")]
    [InlineData("NetworkPolicy", "p", "{ingress: [{}]}", "spec.ingress[0] has no action")]
    [InlineData("NetworkPolicy", "p", "{ingress: [{action: allow}]}", "'allow' is not Allow, Deny, Pass or Log")]
    [InlineData("NetworkPolicy", "p", "{ingress: [{action: Allow, protocol: 0}]}", "protocol 0 is not a protocol from 1 to 255")]
    [InlineData("NetworkPolicy", "p", "{ingress: [{action: Allow, protocol: 300}]}", "protocol 300 is not a protocol from 1 to 255")]
    [InlineData("NetworkPolicy", "p", "{ingress: [{action: Allow, protocol: tcp}]}", "'tcp' is no protocol")]
    [InlineData("NetworkPolicy", "p", "{ingress: [{action: Allow, destination: {ports: [80]}}]}", "ports needs a protocol")]
    [InlineData("NetworkPolicy", "p", "{ingress: [{action: Allow, destination: {ports: [http, 80]}}]}", "ports needs a protocol")]
    [InlineData("NetworkPolicy", "p", "{ingress: [{action: Allow, destination: {notPorts: [http]}}]}", "notPorts needs a protocol")]
    [InlineData("NetworkPolicy", "p", "{ingress: [{action: Allow, protocol: ICMP, destination: {ports: [80]}}]}", "ports needs TCP, UDP or SCTP")]
    [InlineData("NetworkPolicy", "p", "{ingress: [{action: Allow, protocol: UDPLite, destination: {notPorts: [80]}}]}", "notPorts needs TCP, UDP or SCTP")]
    [InlineData("NetworkPolicy", "p", "{ingress: [{action: Allow, protocol: TCP, destination: {ports: [0]}}]}", "'0' is neither a port from 1")]
    [InlineData("NetworkPolicy", "p", "{ingress: [{action: Allow, protocol: TCP, destination: {ports: ['0:5']}}]}", "'0:5' is neither a port from 1")]
    [InlineData("NetworkPolicy", "p", "{ingress: [{action: Allow, protocol: TCP, destination: {ports: ['9:5']}}]}", "'9:5' is neither a port from 1")]
    [InlineData("NetworkPolicy", "p", "{ingress: [{action: Allow, protocol: TCP, destination: {ports: ['1:2:3']}}]}", "'1:2:3' is neither a port from 1")]
    [InlineData("NetworkPolicy", "p", "{ingress: [{action: Allow, protocol: TCP, destination: {ports: ['a b']}}]}", "'a b' is no name of a port")]
    [InlineData("NetworkPolicy", "p", "{ingress: [{action: Allow, protocol: TCP, destination: {notPorts: ['1:65535']}}]}", "leaves no port")]
    [InlineData("NetworkPolicy", "p", "{ingress: [{action: Allow, source: {nets: [10.0.0.1]}}]}", "'10.0.0.1' is not an address range")]
    [InlineData("NetworkPolicy", "p", "{ingress: [{action: Allow, source: {nets: [10.0.0.0/8, '2001:db8::/32']}}]}", "nets[1] is of another IP version")]
    [InlineData("NetworkPolicy", "p", "{ingress: [{action: Allow, ipVersion: 6, source: {nets: [10.0.0.0/8]}}]}", "nets[0] is of another IP version")]
    [InlineData("NetworkPolicy", "p", "{ingress: [{action: Allow, ipVersion: 5}]}", "ipVersion 5 is neither 4 nor 6")]
    [InlineData("NetworkPolicy", "p", "{ingress: [{action: Allow, ipVersion: 4, source: {selector: all()}}]}", "ipVersion cannot be read beside selectors")]
    [InlineData("NetworkPolicy", "p", "{ingress: [{action: Allow, source: {nets: [10.0.0.0/8, 10.0.0.0/8]}}]}", "must have at most 256 distinct items")]
    [InlineData("NetworkPolicy", "p", "{ingress: [{action: Allow, source: {notNets: ['::/0']}}]}", "leaves out every address")]
    [InlineData("NetworkPolicy", "p", "{ingress: [{action: Allow, source: {selector: all(), nets: [10.0.0.0/8]}}]}", "both would have to hold")]
    [InlineData("NetworkPolicy", "p", "{ingress: [{action: Allow, source: {notSelector: app = 'x'}}]}", "source.notSelector is no selector")]
    [InlineData("NetworkPolicy", "p", "{ingress: [{action: Allow, source: {selector: '!all()', notSelector: app = 'x'}}]}", "source.notSelector is no selector")]
    [InlineData("NetworkPolicy", "p", "{ingress: [{action: Allow, source: {notSelector: all(), nets: [10.0.0.0/8]}}]}", "both would have to hold")]
    [InlineData("NetworkPolicy", "p", "{ingress: [{action: Allow, source: {ports: [80]}}]}", "cannot be read: rules are about the ports of servers")]
    [InlineData("NetworkPolicy", "p", "{ingress: [{action: Allow, destination: {selector: all()}}]}", "it narrows whom the policy governs")]
    [InlineData("NetworkPolicy", "p", "{ingress: [{action: Allow, http: {methods: [GET]}}]}", "http cannot be read")]
    public void What_is_refused(string kind, string name, string spec, string expected) => Assert.Contains(expected, SmallCluster.FaultOf(Policy(name, spec, kind)), StringComparison.Ordinal);

    [Fact]
    public void Two_selectors_together_have_no_more_alternatives_than_one()
    {
        var (some, others) = (string.Join(" || ", Enumerable.Range(0, 17).Select(i => $"a == '{i}'")), string.Join(" && ", Enumerable.Range(0, 16).Select(i => $"b == '{i}'")));
        string Source(string selector) => Policy("p", $"{{ingress: [{{action: Allow, source: {{selector: \"{selector}\", notSelector: \"{others}\"}}}}]}}");
        Assert.Contains("notSelector and the selector beside it have more than 256 alternatives", SmallCluster.FaultOf(Source(some)), StringComparison.Ordinal);
        Assert.Equal(256, SmallCluster.Read(Source(some[..some.LastIndexOf(" ||", StringComparison.Ordinal)])).Policies[0].Ingress![0].Peers.Count);
    }

    [Theory]
    [InlineData("app notin {'web'}", true)]
    [InlineData("app not  in{'web',}", true)]
    [InlineData("app startswith 'we'", true)]
    [InlineData("app contains'e'", true)]
    [InlineData("! ! has(app)", true)]
    [InlineData("in in {'a'}", true)]
    [InlineData("has-cat == 'x'", true)]
    [InlineData("app in {}", true)]
    [InlineData("has (app)", false)]
    [InlineData("all ()", false)]
    [InlineData("app == 'web'\n", false)]
    [InlineData("app inx {'a'}", false)]
    [InlineData("app in {,}", false)]
    [InlineData("app containsx 'a'", false)]
    [InlineData("app == web", false)]
    [InlineData("app", false)]
    [InlineData("!", false)]
    [InlineData("app == 'a' &&", false)]
    [InlineData("app == 'a' & app == 'b'", false)]
    public void Selectors_are_legal_as_calicos_tokenizer_says(string selector, bool legal)
    {
        if (legal)
        {
            Assert.NotNull(CalicoSelector.Parse(selector));
        }
        else
        {
            Assert.Throws<FormatException>(() => CalicoSelector.Parse(selector));
        }
    }

    [Fact]
    public void What_is_rendered_keeps_calicos_limits()
    {
        var ports = Enumerable.Range(1, 120).Select(port => PortMatch.Of(6, (ushort)(port * 2))).Append(new PortMatch(6, 0, 1)).ToList();
        var policy = SegmentPolicy.For("shop", "a.b", LabelSelector.Everything) with
        {
            Ingress = [new Rule { Peers = [RangeSegment.Of("10.0.0.0/8"), RangeSegment.Of("2001:db8::/32"), RangeSegment.Of("10.0.0.0/8")], Ports = ports }],
        };
        var rendering = PolicyRenderer.Render(new PolicySet([policy]), "calico");
        var text = Assert.Single(rendering.Files).Text;
        Assert.True(rendering.IsExact);
        Assert.DoesNotContain("a.b", text, StringComparison.Ordinal);
        var rules = PolicyReader.Read(rendering.Documents).Policies.Single().Ingress!;
        Assert.Equal(6, rules.Count);
        Assert.All(rules, rule => Assert.Single(rule.Peers));
        Assert.All(rules, rule => Assert.True(rule.Ports.Count <= 50));
        Assert.Equal(2, rules.Count(rule => rule.Ports.Contains(PortMatch.Of(6, 1))));
    }

    private static string Policy(string name, string spec, string kind = "NetworkPolicy") => $"apiVersion: projectcalico.org/v3\nkind: {kind}\nmetadata: {{name: {name}, namespace: shop}}\nspec: {spec}\n";

    private static string Global(string spec) => $"apiVersion: projectcalico.org/v3\nkind: GlobalNetworkPolicy\nmetadata: {{name: g}}\nspec: {spec}\n";
}
