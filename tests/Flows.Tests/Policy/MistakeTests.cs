using Flows.Core;
using Flows.Core.Facts;
using Flows.Core.Policy;
using Xunit;

namespace Flows.Tests.Policy;

/// <summary>What other engines, readers and writers got wrong.</summary>
public sealed class MistakeTests
{
    private const string Np = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, namespace: shop}\nspec:\n";
    private const string Cnp = "apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: {name: g}\nspec:\n";

    private static readonly Party Web = Pod("shop/web", "app=web", "10.0.0.1");
    private static readonly Party Api = Pod("shop/api", "app=api", "10.0.0.2", new NamedPort("http", IpProtocol.Tcp, 8080), new NamedPort("http", IpProtocol.Udp, 9090));

    [Theory]
    [InlineData("  podSelector: {}\n  ingress: []\n", false)]
    [InlineData("  podSelector: {}\n", false)]
    [InlineData("  podSelector: {}\n  ingress: [{}]\n", true)]
    [InlineData("  podSelector: {}\n  ingress: [{from: []}]\n", true)]
    [InlineData("  podSelector: {}\n  ingress: [{from: [], ports: []}]\n", true)]
    [InlineData("  podSelector: {}\n  ingress: [{ports: [{port: 8080}]}]\n", true)]
    [InlineData("  podSelector: {}\n  ingress: [{ports: [{port: 8080, protocol: UDP}]}]\n", false)]
    [InlineData("  podSelector: {}\n  ingress: [{ports: [{protocol: TCP}]}]\n", true)]
    [InlineData("  podSelector: {}\n  ingress: [{ports: [{port: http}]}]\n", true)]
    [InlineData("  podSelector: {}\n  ingress: [{ports: [{port: http, protocol: UDP}]}]\n", false)]
    [InlineData("  podSelector: {}\n  ingress: [{ports: [{port: 8000, endPort: 8080}]}]\n", true)]
    [InlineData("  podSelector: {}\n  ingress: [{ports: [{port: 8081, endPort: 8090}]}]\n", false)]
    [InlineData("  podSelector: {matchLabels: {app: api}}\n  policyTypes: [Egress]\n", true)]
    [InlineData("  podSelector: {matchExpressions: [{key: gone, operator: NotIn, values: [x]}]}\n", false)]
    [InlineData("  podSelector: {matchExpressions: [{key: app, operator: NotIn, values: [api]}]}\n", true)]
    [InlineData("  podSelector: {}\n  ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/24}}]}]\n", true)]
    [InlineData("  podSelector: {}\n  ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/24, except: [10.0.0.1/32]}}]}]\n", false)]
    [InlineData("  podSelector: {}\n  ingress: [{from: [{ipBlock: {cidr: '::/0'}}]}]\n", false)]
    [InlineData("  podSelector: {}\n  ingress: [{from: [{podSelector: {}}]}]\n", true)]
    [InlineData("  podSelector: {}\n  ingress: [{from: [{namespaceSelector: {matchLabels: {team: x}}}]}]\n", false)]
    public void A_policy_alone(string spec, bool allowed) =>
        Assert.Equal(allowed, new PolicyEvaluator(Read(Np + spec)).Evaluate(new Connection(Web, Api, IpProtocol.Tcp, 8080)).Allowed);

    [Fact]
    public void Policies_are_judged_as_a_set_not_one_by_one()
    {
        var set = Read(Np + "  podSelector: {}\n  ingress: []\n---\n" + Np.Replace("name: p", "name: q", StringComparison.Ordinal) + "  podSelector: {}\n  ingress: [{}]\n");
        var decision = new PolicyEvaluator(set).Evaluate(new Connection(Web, Api, IpProtocol.Tcp, 8080));
        Assert.Equal((true, "shop/q", "shop/p shop/q"), (decision.Allowed, decision.Ingress.By.Single().Policy, string.Join(' ', decision.Ingress.IsolatedBy)));
    }

    [Fact]
    public void Named_egress_ports_are_resolved_at_the_destination()
    {
        var client = Web with { Ports = [new NamedPort("http", IpProtocol.Tcp, 1)] };
        var evaluator = new PolicyEvaluator(Read(Np + "  podSelector: {matchLabels: {app: web}}\n  policyTypes: [Egress]\n  egress: [{ports: [{port: http}]}]\n"));
        Assert.True(evaluator.Evaluate(new Connection(client, Api, IpProtocol.Tcp, 8080)).Allowed);
        Assert.False(evaluator.Evaluate(new Connection(client, Api, IpProtocol.Tcp, 1)).Allowed);
    }

    [Fact]
    public void Ranges_and_ports_are_read_as_the_dialect_says()
    {
        var set = Read(Np + "  podSelector: {matchLabels: {app: web}}\n  policyTypes: [Egress]\n  egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8}}], ports: [{port: 8080}]}]\n");
        bool Allows(string dialect, Connection connection) => new PolicyEvaluator(set, null, Dialect.Named(dialect)).Evaluate(connection).Allowed;
        var direct = new Connection(Web, Api, IpProtocol.Tcp, 8080);
        var service = direct with { Dialled = new Dialled(NetAddress.Parse("172.20.0.1"), 80) };
        Assert.Equal((true, false, true, false), (Allows("kubernetes", direct), Allows("cilium", direct), Allows("kubernetes", service), Allows("pre-dnat", service)));
        Assert.ThrowsAny<FlowsException>(() => Dialect.Named("klingon"));
    }

    [Fact]
    public void Host_network_pods_are_hosts_for_every_selector()
    {
        var host = Web with { Id = "shop/agent", Selectable = false, HostLabels = new Dictionary<string, string>() };
        var evaluator = new PolicyEvaluator(Read(Np + "  podSelector: {}\n  policyTypes: [Ingress, Egress]\n  ingress: [{from: [{podSelector: {}}]}]\n"));
        Assert.True(evaluator.Evaluate(new Connection(host, Api, IpProtocol.Tcp, 1)).Egress.Allowed);
        Assert.False(evaluator.Evaluate(new Connection(host, Api, IpProtocol.Tcp, 1)).Ingress.Allowed);
        Assert.True(evaluator.Evaluate(new Connection(host, Api, IpProtocol.Tcp, 1) { OwnNode = true }).Allowed);
    }

    [Fact]
    public void A_pod_reaches_itself_and_nothing_unselected_is_closed()
    {
        var evaluator = new PolicyEvaluator(Read(Np + "  podSelector: {matchLabels: {app: web}}\n  policyTypes: [Ingress, Egress]\n"));
        Assert.True(evaluator.Evaluate(new Connection(Web, Web, IpProtocol.Tcp, 1)).Allowed);
        Assert.True(evaluator.Evaluate(new Connection(Api, Pod("data/db", "app=web", "10.0.0.9"), IpProtocol.Tcp, 1)).Allowed);
    }

    [Theory]
    [InlineData("Deny", false)]
    [InlineData("Accept", true)]
    [InlineData("Pass", false)]
    public void The_admin_tier_decides_before_policies_and_they_before_the_baseline(string action, bool allowed)
    {
        var admin = $"  tier: Admin\n  priority: 1\n  subject: {{namespaces: {{}}}}\n  ingress: [{{action: {action}, from: [{{namespaces: {{}}}}]}}, {{action: Accept, from: [{{namespaces: {{}}}}]}}]\n";
        var deny = Np + "  podSelector: {}\n";
        var set = Read($"{Cnp}{admin}\n---\n{deny}");
        Assert.Equal(allowed, new PolicyEvaluator(set).Evaluate(new Connection(Web, Api, IpProtocol.Tcp, 1)).Allowed);

        var baseline = Cnp + "  tier: Baseline\n  priority: 1\n  subject: {namespaces: {}}\n  ingress: [{action: Deny, from: [{namespaces: {}}]}]\n";
        var allow = Np + "  podSelector: {}\n  ingress: [{}]\n";
        Assert.False(new PolicyEvaluator(Read(baseline)).Evaluate(new Connection(Web, Api, IpProtocol.Tcp, 1)).Allowed);
        Assert.True(new PolicyEvaluator(Read($"{baseline}---\n{allow}")).Evaluate(new Connection(Web, Api, IpProtocol.Tcp, 1)).Allowed);
    }

    [Fact]
    public void Priority_then_position_decides_among_cluster_policies()
    {
        string Policy(string name, int priority, string rules) =>
            $"{Cnp.Replace("name: g", $"name: {name}", StringComparison.Ordinal)}  tier: Admin\n  priority: {priority}\n  subject: {{namespaces: {{}}}}\n  ingress: [{rules}]\n";
        string Rule(string action) => $"{{action: {action}, from: [{{namespaces: {{}}}}]}}";
        bool Allowed(string text) => new PolicyEvaluator(Read(text)).Evaluate(new Connection(Web, Api, IpProtocol.Tcp, 1)).Allowed;
        Assert.True(Allowed($"{Policy("a", 9, Rule("Deny"))}---\n{Policy("b", 2, Rule("Accept"))}"));
        Assert.False(Allowed($"{Policy("a", 9, Rule("Accept"))}---\n{Policy("b", 2, Rule("Deny"))}"));
        Assert.False(Allowed(Policy("a", 9, $"{Rule("Deny")}, {Rule("Accept")}")));
        Assert.True(Allowed(Policy("a", 9, $"{Rule("Pass")}, {Rule("Deny")}")));
    }

    [Theory]
    [InlineData("sameLabels: [team]", "spec.subject.namespaces.sameLabels was removed from the API")]
    [InlineData("notSameLabels: [team]", "spec.subject.namespaces.notSameLabels was removed from the API")]
    [InlineData("namespaceSelector: {}", "spec.subject.namespaces.namespaceSelector was removed from the API")]
    public void Removed_fields_are_named(string subject, string expected) => Assert.Contains(expected,
        Assert.ThrowsAny<FlowsException>(() => Read($"{Cnp}  tier: Admin\n  priority: 1\n  subject: {{namespaces: {{{subject}}}}}\n")).Message, StringComparison.Ordinal);

    [Fact]
    public void Every_fault_of_an_object_is_told_and_the_rest_of_the_set_is_kept()
    {
        var objects = PolicyReader.Objects(
        [
            new("bad.yaml", Np + "  podSelector: {}\n  ingress: [{ports: [{port: 0}, {port: 99999}]}, {from: [{}]}]\n"),
            new("future.yaml", Np.Replace("io/v1", "io/v9", StringComparison.Ordinal)),
            new("broken.yaml", "{"),
            new("good.yaml", Np + "  podSelector: {}\n"),
        ]);
        Assert.Equal(["spec.ingress[0].ports[0].port", "spec.ingress[0].ports[1].port", "spec.ingress[1].from[0]"],
            objects.Single(one => one.Document == "bad.yaml").Faults.Select(fault => fault.Path).Order(StringComparer.Ordinal));
        Assert.Contains("this version knows that kind as v1", objects.Single(one => one.Document == "future.yaml").Faults[0].Message.Replace("networking.k8s.io/", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Equal("shop/p", PolicyReader.SetOf(objects).Policies.Single().Id);
    }

    [Fact]
    public void A_target_that_cannot_deny_says_so_and_an_emptied_rule_never_means_everybody()
    {
        var set = new PolicySet([SegmentPolicy.For("shop", "p", LabelSelector.Everything) with
        {
            Ingress = [new Rule { Action = RuleAction.Deny }, new Rule { Peers = [new NameSegment("example.com")] }, new Rule { Ports = [new PortMatch(IpProtocol.Icmp)] }],
        }]);
        var rendering = PolicyRenderer.Render(set, "kubernetes");
        Assert.Equal([LossEffect.Opens, LossEffect.Closes, LossEffect.Closes], rendering.Losses.Select(loss => loss.Effect));
        Assert.Empty(PolicyReader.Read(rendering.Documents).Policies.Single().Ingress!);
    }

    [Fact]
    public void Cilium_gets_at_most_forty_ports_in_a_list()
    {
        var ports = Enumerable.Range(1, 100).Select(port => PortMatch.Of(IpProtocol.Tcp, (ushort)(port * 2))).ToList();
        var text = PolicyRenderer.Render(new PolicySet([SegmentPolicy.For("shop", "p", LabelSelector.Everything) with { Ingress = [new Rule { Ports = ports }] }]), "cilium").Files.Single().Text;
        Assert.Equal(3, text.Split("- ports:").Length - 1);
        Assert.Equal(100, PolicyReader.Read([new("c.yaml", text)]).Policies.Single().Ingress!.Single().Ports.Count);
    }

    [Theory]
    [InlineData("app == 'web'", "app=web", true)]
    [InlineData("app != 'web'", "", true)]
    [InlineData("app not in {'web', 'api'}", "app=web", false)]
    [InlineData("has(app) && !(app starts with 'we' || app ends with 'x')", "app=web", false)]
    [InlineData("(app contains \"e\" || env == 'prod') && !has(gone)", "app=web", true)]
    [InlineData("!all()", "app=web", false)]
    [InlineData("", "", true)]
    public void Calicos_selectors_are_understood(string selector, string labels, bool matches)
    {
        var pod = Pod("shop/x", labels, "10.0.0.3");
        Assert.Equal(matches, CalicoSelector.Parse(selector).Any(group => new LabelSelector(group).Matches(pod.Labels)));
    }

    [Theory]
    [InlineData("app =")]
    [InlineData("has(app")]
    [InlineData("app in {'a'")]
    [InlineData("global()")]
    [InlineData("app == 'a' app == 'b'")]
    public void And_what_is_none_is_refused(string selector) => Assert.Throws<FormatException>(() => CalicoSelector.Parse(selector));

    private static Party Pod(string id, string labels, string address, params NamedPort[] ports) => new()
    {
        Id = id,
        Selectable = true,
        Namespace = id.Split('/')[0],
        Labels = labels.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(label => label.Split('=')).ToDictionary(label => label[0], label => label[1]),
        Address = NetBlock.Of(NetAddress.Parse(address)),
        Ports = ports,
    };

    private static PolicySet Read(string text) => PolicyReader.Read([new PolicyDocument("p.yaml", text)]);
}
