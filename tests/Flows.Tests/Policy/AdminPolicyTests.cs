using Flows.Core.Policy;
using Xunit;

namespace Flows.Tests.Policy;

/// <summary>AdminNetworkPolicy and BaselineAdminNetworkPolicy v1alpha1, and what ClusterNetworkPolicy v1alpha2 does otherwise.</summary>
public sealed class AdminPolicyTests
{
    private const string Subject = "{pods: {namespaceSelector: {matchLabels: {team: a}}, podSelector: {matchLabels: {app: api}}}}";
    private const string Everyone = "{namespaces: {}}";
    private const string NetworkPolicy = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, namespace: shop}\nspec: ";

    [Theory]
    [InlineData("{action: Deny, from: [{namespaces: {}}]}", "-shop/web>shop/api", "-data/db>shop/api", "+shop/api>data/db", "+world>shop/api", "+node>shop/api")]
    [InlineData("{action: Deny, from: [{namespaces: {matchLabels: {team: b}}}]}", "+shop/web>shop/api", "-data/db>shop/api", "+lab/web>shop/api")]
    [InlineData("{action: Deny, from: [{namespaces: {matchExpressions: [{key: team, operator: NotIn, values: [b]}]}}]}", "-shop/web>shop/api", "+data/db>shop/api", "-lab/web>shop/api")]
    [InlineData("{action: Deny, from: [{pods: {namespaceSelector: {}, podSelector: {matchLabels: {app: web}}}}]}", "-shop/web>shop/api", "+data/db>shop/api", "-lab/web>shop/api")]
    [InlineData("{action: Deny, from: [{namespaces: {}}], ports: [{portNumber: {port: 80}}]}", "-shop/web>shop/api tcp 80", "+shop/web>shop/api udp 80", "+shop/web>shop/api tcp 81")]
    [InlineData("{action: Deny, from: [{namespaces: {}}], ports: [{portNumber: {port: 80, protocol: ''}}]}", "-shop/web>shop/api tcp 80", "+shop/web>shop/api udp 80")]
    [InlineData("{action: Deny, from: [{namespaces: {}}], ports: [{portNumber: {port: 53, protocol: UDP}}]}", "+shop/web>shop/api tcp 53", "-shop/web>shop/api udp 53")]
    [InlineData("{action: Deny, from: [{namespaces: {}}], ports: [{portRange: {start: 80, end: 82}}]}", "-shop/web>shop/api tcp 80", "-shop/web>shop/api tcp 82", "+shop/web>shop/api tcp 83", "+shop/web>shop/api udp 81")]
    [InlineData("{action: Deny, from: [{namespaces: {}}], ports: [{portRange: {start: 80, end: 82, protocol: SCTP}}]}", "+shop/web>shop/api tcp 80", "-shop/web>shop/api sctp 81")]
    [InlineData("{action: Deny, from: [{namespaces: {}}], ports: [{namedPort: http}]}", "-shop/web>shop/api tcp 8080", "+shop/web>shop/api udp 8080", "+shop/web>shop/api tcp 80")]
    [InlineData("{action: Deny, from: [{namespaces: {}}], ports: [{namedPort: dns}]}", "-shop/web>shop/api udp 53", "+shop/web>shop/api tcp 53")]
    public void Ingress_of_an_admin_policy(string rule, params string[] expected) => SmallCluster.Check(SmallCluster.Read(Admin("a", 5, Subject, rule)), expected);

    [Theory]
    [InlineData("{action: Deny, to: [{networks: ['10.0.0.0/8']}]}", "-shop/api>data/db", "-shop/api>node", "+shop/api>world", "+data/db>shop/api")]
    [InlineData("{action: Deny, to: [{networks: ['0.0.0.0/0']}]}", "-shop/api>world", "+shop/api>world6")]
    [InlineData("{action: Deny, to: [{nodes: {matchLabels: {role: worker}}}]}", "+shop/api>data/db", "-shop/api>node", "+shop/api>node own")]
    [InlineData("{action: Deny, to: [{nodes: {matchExpressions: [{key: gpu, operator: Exists}]}}]}", "+shop/api>node")]
    [InlineData("{action: Allow, to: [{domainNames: ['*.example.com']}]}, {action: Deny, to: [{networks: ['0.0.0.0/0']}]}", "+shop/api>world", "-shop/api>data/db")]
    [InlineData("{action: Allow, to: [{domainNames: ['example.com']}]}, {action: Deny, to: [{networks: ['0.0.0.0/0']}]}", "-shop/api>world")]
    [InlineData("{action: Allow, to: [{domainNames: [_srv.example.com]}]}", "+shop/api>world")]
    public void Egress_of_an_admin_policy(string rules, params string[] expected) => SmallCluster.Check(SmallCluster.Read(Admin("a", 5, Subject, "", rules)), expected);

    [Theory]
    [InlineData("{sameLabels: [team]}", "-shop/web>shop/api", "+data/db>shop/api", "+lab/web>shop/api")]
    [InlineData("{notSameLabels: [team]}", "+shop/web>shop/api", "-data/db>shop/api", "+lab/web>shop/api")]
    [InlineData("{sameLabels: []}", "+shop/web>shop/api", "+data/db>shop/api")]
    [InlineData("{notSameLabels: []}", "+shop/web>shop/api", "+data/db>shop/api")]
    [InlineData("{namespaceSelector: {matchLabels: {team: b}}}", "+shop/web>shop/api", "-data/db>shop/api")]
    [InlineData("{namespaceSelector: {}}", "-shop/web>shop/api", "-data/db>shop/api", "-lab/web>shop/api", "+world>shop/api")]
    public void The_first_releases_named_namespaces_one_field_deeper(string namespaces, params string[] expected)
    {
        SmallCluster.Check(SmallCluster.Read(Admin("a", 5, Subject, $"{{action: Deny, from: [{{namespaces: {namespaces}}}]}}")), expected);
        SmallCluster.Check(SmallCluster.Read(Admin("a", 5, Subject, $"{{action: Deny, from: [{{pods: {{namespaces: {namespaces}, podSelector: {{}}}}}}]}}")), expected);
    }

    [Fact]
    public void Labels_that_differ_in_one_of_several_are_not_the_same()
    {
        const string subject = "{namespaces: {matchLabels: {team: a, tier: x}}}";
        SmallCluster.Check(SmallCluster.Read(Admin("a", 5, subject, "{action: Deny, from: [{namespaces: {notSameLabels: [team, tier]}}]}")), "-data/db>shop/api", "+shop/web>shop/api", "+lab/web>shop/api");
        SmallCluster.Check(SmallCluster.Read(Admin("a", 5, subject, "{action: Deny, from: [{namespaces: {sameLabels: [team, tier]}}]}")), "+data/db>shop/api", "-shop/web>shop/api", "+lab/web>shop/api");
    }

    [Fact]
    public void Priority_comes_before_position_and_name()
    {
        const string deny = "{action: Deny, from: [{namespaces: {}}]}";
        const string allow = "{action: Allow, from: [{namespaces: {}}]}";
        SmallCluster.Check(SmallCluster.Read(Admin("a", 7, Everyone, deny), Admin("b", 6, Everyone, allow)), "+shop/web>shop/api");
        SmallCluster.Check(SmallCluster.Read(Admin("a", 6, Everyone, deny), Admin("b", 7, Everyone, allow)), "-shop/web>shop/api");
        SmallCluster.Check(SmallCluster.Read(Admin("a", 0, Everyone, $"{allow}, {deny}")), "+shop/web>shop/api");
        SmallCluster.Check(SmallCluster.Read(Admin("a", 1000, Everyone, $"{deny}, {allow}")), "-shop/web>shop/api");
    }

    [Fact]
    public void Admin_then_network_policies_then_the_baseline()
    {
        const string baseline = "{action: Deny, from: [{namespaces: {}}]}";
        var pass = Admin("a", 5, Everyone, "{action: Pass, from: [{namespaces: {matchLabels: {team: a}}}]}, {action: Allow, from: [{namespaces: {}}]}");
        SmallCluster.Check(SmallCluster.Read(Baseline(Everyone, baseline)), "-shop/web>shop/api", "+world>shop/api", "+shop/api>world");
        SmallCluster.Check(SmallCluster.Read(Baseline(Everyone, baseline), NetworkPolicy + "{podSelector: {}, ingress: [{}]}"), "+shop/web>shop/api", "-shop/web>data/db");
        SmallCluster.Check(SmallCluster.Read(Baseline(Everyone, baseline), pass), "-shop/web>shop/api", "+data/db>shop/api", "+lab/web>shop/api");
        SmallCluster.Check(SmallCluster.Read(pass, NetworkPolicy + "{podSelector: {}}"), "-shop/web>shop/api", "+data/db>shop/api", "-world>shop/api");
        SmallCluster.Check(SmallCluster.Read(pass), "+shop/web>shop/api", "+data/db>shop/api");
    }

    [Theory]
    [InlineData("spec: {priority: 1, subject: {namespaces: {}}}", "")]
    [InlineData("spec: {priority: 1000, subject: {namespaces: {}}, ingress: [], egress: []}", "")]
    [InlineData("spec: {priority: 1001, subject: {namespaces: {}}}", "spec.priority 1001 is not from 0 to 1000")]
    [InlineData("spec: {priority: -1, subject: {namespaces: {}}}", "spec.priority -1 is not from 0 to 1000")]
    [InlineData("spec: {subject: {namespaces: {}}}", "spec has no priority")]
    [InlineData("spec: {priority: 1}", "spec has no subject")]
    [InlineData("spec: {priority: 1, subject: {}}", "spec.subject must have exactly one of namespaces and pods")]
    [InlineData("spec: {priority: 1, subject: {namespaces: {}, pods: {namespaceSelector: {}, podSelector: {}}}}", "spec.subject must have exactly one of namespaces and pods")]
    [InlineData("spec: {priority: 1, subject: {pods: {podSelector: {}}}}", "spec.subject.pods has no namespaceSelector")]
    [InlineData("spec: {priority: 1, subject: {pods: {namespaceSelector: {}}}}", "spec.subject.pods has no podSelector")]
    [InlineData("spec: {priority: 1, tier: Admin, subject: {namespaces: {}}}", "spec.tier is not a field")]
    [InlineData("spec: {priority: 1, subject: {namespaces: {}}, ingress: [{from: [{namespaces: {}}]}]}", "spec.ingress[0] has no action")]
    [InlineData("spec: {priority: 1, subject: {namespaces: {}}, ingress: [{action: Accept, from: [{namespaces: {}}]}]}", "spec.ingress[0].action 'Accept' is not Allow, Deny or Pass")]
    [InlineData("spec: {priority: 1, subject: {namespaces: {}}, ingress: [{action: Allow}]}", "spec.ingress[0] has no from")]
    [InlineData("spec: {priority: 1, subject: {namespaces: {}}, ingress: [null]}", "spec.ingress[0] must be an object")]
    [InlineData("spec: {priority: 1, subject: {namespaces: {}}, ingress: [{action: Allow, from: []}]}", "spec.ingress[0].from must have at least one item")]
    [InlineData("spec: {priority: 1, subject: {namespaces: {}}, ingress: [{action: Allow, from: [{}]}]}", "spec.ingress[0].from[0] must have exactly one kind of peer")]
    [InlineData("spec: {priority: 1, subject: {namespaces: {}}, ingress: [{action: Allow, from: [{networks: [10.0.0.0/8]}]}]}", "spec.ingress[0].from[0].networks is not a field")]
    [InlineData("spec: {priority: 1, subject: {namespaces: {}}, ingress: [{action: Allow, from: [{namespaces: {}}], ports: []}]}", "spec.ingress[0].ports must have at least one item")]
    [InlineData("spec: {priority: 1, subject: {namespaces: {}}, ingress: [{action: Allow, from: [{namespaces: {}}], ports: [{}]}]}", "spec.ingress[0].ports[0] must have exactly one of portNumber, namedPort and portRange")]
    [InlineData("spec: {priority: 1, subject: {namespaces: {}}, ingress: [{action: Allow, from: [{namespaces: {}}], ports: [{portNumber: {port: 0}}]}]}", "ports[0].portNumber.port 0 is not a port")]
    [InlineData("spec: {priority: 1, subject: {namespaces: {}}, ingress: [{action: Allow, from: [{namespaces: {}}], ports: [{portRange: {start: 9, end: 8}}]}]}", "ports[0].portRange must start below its end")]
    [InlineData("spec: {priority: 1, subject: {namespaces: {}}, ingress: [{action: Allow, from: [{namespaces: {}}], ports: [{portRange: {end: 8}}]}]}", "ports[0].portRange has no start")]
    [InlineData("spec: {priority: 1, subject: {namespaces: {}}, ingress: [{action: Allow, from: [{namespaces: {}}], ports: [{portRange: {start: 8}}]}]}", "ports[0].portRange has no end")]
    [InlineData("spec: {priority: 1, subject: {namespaces: {}}, egress: [{action: Allow, to: [{networks: []}]}]}", "to[0].networks must have at least one item")]
    [InlineData("spec: {priority: 1, subject: {namespaces: {}}, egress: [{action: Allow, to: [{networks: [10.0.0.0]}]}]}", "to[0].networks[0] '10.0.0.0' is not an address range")]
    [InlineData("spec: {priority: 1, subject: {namespaces: {}}, egress: [{action: Allow, to: [{networks: [10.0.0.0/8, 10.0.0.0/8]}]}]}", "to[0].networks[1] '10.0.0.0/8' stands twice")]
    [InlineData("spec: {priority: 1, subject: {namespaces: {}}, egress: [{action: Deny, to: [{domainNames: [example.com]}]}]}", "to[0].domainNames can only stand in rules that Allow")]
    [InlineData("spec: {priority: 1, subject: {namespaces: {}}, egress: [{action: Allow, to: [{domainNames: ['a.*.com']}]}]}", "to[0].domainNames[0] 'a.*.com' is not a DNS name")]
    [InlineData("spec: {priority: 1, subject: {namespaces: {}}, egress: [{action: Allow, to: [{networks: [10.0.0.0/8]}], ports: [{namedPort: http}]}]}", "egress[0].ports has a named port")]
    [InlineData("spec: {priority: 1, subject: {namespaces: {}}, egress: [{action: Allow, to: [{nodes: {}}], ports: [{namedPort: http}]}]}", "egress[0].ports has a named port")]
    [InlineData("spec: {priority: 1, subject: {namespaces: {}}, ingress: [{action: Deny, from: [{namespaces: {sameLabels: [team]}}]}]}", "sameLabels[0] is relative to the subject's namespaces, whose selector does not fix 'team'")]
    [InlineData("spec: {priority: 1, subject: {namespaces: {}}, ingress: [{action: Deny, from: [{namespaces: {sameLabels: [a], notSameLabels: [b]}}]}]}", "from[0].namespaces must have exactly one of")]
    [InlineData("metadata: {name: A_b}\nspec: {priority: 1, subject: {namespaces: {}}}", "metadata.name 'A_b' is not a valid name")]
    [InlineData("metadata: {name: a, namespace: shop}\nspec: {priority: 1, subject: {namespaces: {}}}", "metadata.namespace is not for objects of the whole cluster")]
    public void What_the_definition_of_the_resource_refuses(string rest, string expected)
    {
        var text = $"apiVersion: policy.networking.k8s.io/v1alpha1\nkind: AdminNetworkPolicy\n{(rest.StartsWith("metadata", StringComparison.Ordinal) ? "" : "metadata: {name: a}\n")}{rest}\n";
        if (expected.Length == 0)
        {
            Assert.Single(SmallCluster.Read(text).Policies);
        }
        else
        {
            Assert.Contains(expected, SmallCluster.FaultOf(text), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Lists_are_bounded_as_published()
    {
        string Rules(int count) => string.Join(", ", Enumerable.Repeat("{action: Deny, from: [{namespaces: {}}]}", count));
        Assert.Equal(100, SmallCluster.Read(Admin("a", 1, Everyone, Rules(100))).Policies[0].Ingress!.Count);
        Assert.Contains("spec.ingress has more than 100 rules", SmallCluster.FaultOf(Admin("a", 1, Everyone, Rules(101))), StringComparison.Ordinal);
        string Named(int length) => Admin("a", 1, Everyone, $"{{name: {new string('n', length)}, action: Deny, from: [{{namespaces: {{}}}}]}}");
        Assert.Equal(100, SmallCluster.Read(Named(100)).Policies[0].Ingress![0].Name.Length);
        Assert.Contains("name is longer than 100 characters", SmallCluster.FaultOf(Named(101)), StringComparison.Ordinal);
        string Networks(int count) => Admin("a", 1, Everyone, "", $"{{action: Deny, to: [{{networks: [{string.Join(", ", Enumerable.Range(0, count).Select(i => $"10.0.{i}.0/24"))}]}}]}}");
        Assert.Equal(25, SmallCluster.Read(Networks(25)).Policies[0].Egress![0].Peers.Count);
        Assert.Contains("networks has more than 25 items", SmallCluster.FaultOf(Networks(26)), StringComparison.Ordinal);
    }

    [Fact]
    public void There_is_one_baseline_and_it_cannot_pass_or_name_domains()
    {
        Assert.Contains("metadata.name must be 'default'", SmallCluster.FaultOf(Baseline(Everyone, "{action: Deny, from: [{namespaces: {}}]}").Replace("default", "other", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Contains("'Pass' is not Allow or Deny", SmallCluster.FaultOf(Baseline(Everyone, "{action: Pass, from: [{namespaces: {}}]}")), StringComparison.Ordinal);
        Assert.Contains("domainNames is not a field", SmallCluster.FaultOf(Baseline(Everyone, "", "{action: Allow, to: [{domainNames: [example.com]}]}")), StringComparison.Ordinal);
        Assert.Contains("spec.priority is not a field", SmallCluster.FaultOf(Baseline(Everyone, "").Replace("subject:", "priority: 1, subject:", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{action: Deny, from: [{pods: {podSelector: {matchLabels: {app: web}}}}]}", "-shop/web>shop/api", "-lab/web>shop/api", "+data/db>shop/api")]
    [InlineData("{action: Deny, from: [{namespaces: {}}], protocols: [{tcp: {destinationPort: {number: 80}}}]}", "-shop/web>shop/api tcp 80", "+shop/web>shop/api udp 80", "+shop/web>shop/api tcp 81")]
    [InlineData("{action: Deny, from: [{namespaces: {}}], protocols: [{udp: {destinationPort: {range: {start: 50, end: 60}}}}]}", "-shop/web>shop/api udp 50", "-shop/web>shop/api udp 60", "+shop/web>shop/api udp 61")]
    [InlineData("{action: Deny, from: [{namespaces: {}}], protocols: [{sctp: {destinationPort: {number: 9}}}, {destinationNamedPort: http}]}", "-shop/web>shop/api sctp 9", "-shop/web>shop/api tcp 8080", "+shop/web>shop/api tcp 9")]
    public void Rules_of_version_alpha_2(string rule, params string[] expected) => SmallCluster.Check(SmallCluster.Read(Cluster(rule)), expected);

    [Theory]
    [InlineData("{action: Allow, from: [{namespaces: {}}]}", "'Allow' is not Accept, Deny or Pass")]
    [InlineData("{action: Deny, from: [{namespaces: {}}], ports: [{portNumber: {port: 80}}]}", "ports is not a field")]
    [InlineData("{action: Deny, from: [{namespaces: {}}], protocols: [{tcp: {}}]}", "protocols[0].tcp has no destinationPort")]
    [InlineData("{action: Deny, from: [{namespaces: {}}], protocols: [{tcp: {destinationPort: {}}}]}", "destinationPort must have exactly one of number and range")]
    [InlineData("{action: Deny, from: [{namespaces: {}}], protocols: [{tcp: {destinationPort: {range: {start: 80, end: 80}}}}]}", "range must start below its end")]
    [InlineData("{action: Deny, from: [{namespaces: {}}], protocols: [{tcp: {destinationPort: {number: 1}}, udp: {destinationPort: {number: 1}}}]}", "protocols[0] must have exactly one of")]
    [InlineData("{action: Deny, from: [{namespaces: {namespaceSelector: {}}}]}", "namespaceSelector was removed from the API here")]
    [InlineData("{action: Deny, from: [{namespaces: {sameLabels: [team]}}]}", "sameLabels was removed from the API here")]
    [InlineData("{action: Deny, from: [{nodes: {}}]}", "nodes is not a field")]
    public void And_what_version_alpha_2_refuses(string rule, string expected) => Assert.Contains(expected, SmallCluster.FaultOf(Cluster(rule)), StringComparison.Ordinal);

    private static string Admin(string name, int priority, string subject, string ingress, string egress = "") =>
        $"apiVersion: policy.networking.k8s.io/v1alpha1\nkind: AdminNetworkPolicy\nmetadata: {{name: {name}}}\nspec: {{priority: {priority}, subject: {subject}, ingress: [{ingress}], egress: [{egress}]}}\n";

    private static string Baseline(string subject, string ingress, string egress = "") =>
        $"apiVersion: policy.networking.k8s.io/v1alpha1\nkind: BaselineAdminNetworkPolicy\nmetadata: {{name: default}}\nspec: {{subject: {subject}, ingress: [{ingress}], egress: [{egress}]}}\n";

    private static string Cluster(string ingress) =>
        $"apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: {{name: c}}\nspec: {{tier: Admin, priority: 1, subject: {Subject}, ingress: [{ingress}]}}\n";
}
