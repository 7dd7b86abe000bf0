using Flows.Core.Policy;
using Xunit;

namespace Flows.Tests.Policy;

/// <summary>What a Cilium policy means, by the agent's own code: see DESIGN.md beside the readers for which of it.</summary>
public sealed class CiliumReaderTests
{
    private const string Api = "endpointSelector: {matchLabels: {app: api}}";

    [Theory]
    [InlineData("", "+shop/web>shop/api", "+shop/api>data/db")]
    [InlineData(", ingress: []", "+shop/web>shop/api", "+shop/api>data/db")]
    [InlineData(", ingress: [], ingressDeny: []", "+shop/web>shop/api")]
    [InlineData(", ingress: [{}]", "-shop/web>shop/api", "+shop/api>data/db")]
    [InlineData(", egress: [{}]", "+shop/web>shop/api", "-shop/api>data/db")]
    [InlineData(", ingress: [{}], egress: []", "-shop/web>shop/api", "+shop/api>data/db")]
    [InlineData(", ingress: [{fromEndpoints: []}]", "-shop/web>shop/api", "-world>shop/api")]
    [InlineData(", ingress: [{fromEndpoints: [], toPorts: [{ports: [{port: '80'}]}]}]", "-shop/web>shop/api")]
    [InlineData(", ingress: [{fromCIDR: []}]", "-world>shop/api")]
    [InlineData(", ingress: [{toPorts: []}]", "-shop/web>shop/api")]
    [InlineData(", egress: [{toFQDNs: [], toPorts: [{ports: [{port: '80'}]}]}]", "+shop/api>data/db tcp 80", "-shop/api>data/db tcp 81")]
    [InlineData(", ingress: [{fromEndpoints: [{}]}]", "+shop/web>shop/api", "-lab/web>shop/api", "-world>shop/api")]
    [InlineData(", ingressDeny: [{fromEndpoints: [{matchLabels: {app: web}}]}]", "-shop/web>shop/api", "-data/db>shop/api")]
    [InlineData(", ingress: [{fromEntities: [all]}], ingressDeny: [{fromEndpoints: [{matchLabels: {app: web}}]}]", "-shop/web>shop/api", "+data/db>shop/api", "+world>shop/api", "+node>shop/api")]
    [InlineData(", enableDefaultDeny: {ingress: false}, ingressDeny: [{fromEndpoints: [{matchLabels: {app: web}}]}]", "-shop/web>shop/api", "+data/db>shop/api")]
    [InlineData(", enableDefaultDeny: {ingress: false}, ingress: [{fromEndpoints: [{}]}]", "+shop/web>shop/api", "+data/db>shop/api")]
    [InlineData(", enableDefaultDeny: {ingress: true}", "-shop/web>shop/api", "+shop/api>data/db")]
    [InlineData(", enableDefaultDeny: {ingress: true, egress: true}", "-shop/web>shop/api", "-shop/api>data/db")]
    public void What_closes_a_direction(string rest, params string[] expected) => SmallCluster.Check(SmallCluster.Read(Policy(Api + rest)), expected);

    [Theory]
    [InlineData("fromEndpoints: [{matchLabels: {app: web}}]", "+shop/web>shop/api", "-lab/web>shop/api")]
    [InlineData("fromEndpoints: [{matchLabels: {'k8s:app': web}}]", "+shop/web>shop/api", "-lab/web>shop/api")]
    [InlineData("fromEndpoints: [{matchLabels: {'any:app': web}}]", "+shop/web>shop/api", "-lab/web>shop/api")]
    [InlineData("fromEndpoints: [{matchLabels: {'k8s:io.kubernetes.pod.namespace': data}}]", "-shop/web>shop/api", "+data/db>shop/api")]
    [InlineData("fromEndpoints: [{matchLabels: {io.kubernetes.pod.namespace: lab, app: web}}]", "-shop/web>shop/api", "+lab/web>shop/api")]
    [InlineData("fromEndpoints: [{matchExpressions: [{key: 'k8s:io.kubernetes.pod.namespace', operator: Exists}]}]", "+shop/web>shop/api", "+data/db>shop/api", "-world>shop/api")]
    [InlineData("fromEndpoints: [{matchExpressions: [{key: 'k8s:io.kubernetes.pod.namespace', operator: NotIn, values: [data]}]}]", "+shop/web>shop/api", "+lab/web>shop/api", "-data/db>shop/api")]
    [InlineData("fromEndpoints: [{matchLabels: {'k8s:io.cilium.k8s.namespace.labels.team': b}}]", "-shop/web>shop/api", "+data/db>shop/api")]
    [InlineData("fromEndpoints: [{matchLabels: {io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name: lab}}]", "-shop/web>shop/api", "+lab/web>shop/api")]
    [InlineData("fromEntities: [cluster]", "+shop/web>shop/api", "+node>shop/api", "-world>shop/api")]
    [InlineData("fromEntities: [world]", "-shop/web>shop/api", "-node>shop/api", "+world>shop/api")]
    [InlineData("fromEntities: [remote-node]", "-shop/web>shop/api", "+node>shop/api", "-world>shop/api")]
    [InlineData("fromEntities: [none]", "-shop/web>shop/api", "-node>shop/api", "-world>shop/api", "+node>shop/api own")]
    [InlineData("fromCIDR: [192.0.2.0/24]", "+world>shop/api", "-world6>shop/api")]
    [InlineData("fromCIDR: [192.0.2.1]", "+world>shop/api")]
    [InlineData("fromCIDR: [0.0.0.0/0]", "+world>shop/api", "-world6>shop/api", "-shop/web>shop/api", "-node>shop/api")]
    [InlineData("fromCIDRSet: [{cidr: 192.0.0.0/16, except: [192.0.2.0/24]}]", "-world>shop/api")]
    [InlineData("fromCIDRSet: [{cidr: 192.0.0.0/16, except: [192.0.3.0/24]}]", "+world>shop/api")]
    [InlineData("fromNodes: [{matchLabels: {role: worker}}]", "+node>shop/api", "-shop/web>shop/api")]
    public void Whom_a_rule_lets_in(string peers, params string[] expected) => SmallCluster.Check(SmallCluster.Read(Policy($"{Api}, ingress: [{{{peers}}}]")), expected);

    [Theory]
    [InlineData("{port: '80'}", "+shop/web>shop/api tcp 80", "+shop/web>shop/api udp 80", "+shop/web>shop/api sctp 80", "-shop/web>shop/api icmp 80", "-shop/web>shop/api tcp 81")]
    [InlineData("{port: '80', protocol: ANY}", "+shop/web>shop/api tcp 80", "+shop/web>shop/api udp 80")]
    [InlineData("{port: '80', protocol: TCP}", "+shop/web>shop/api tcp 80", "-shop/web>shop/api udp 80")]
    [InlineData("{port: '80', endPort: 82, protocol: UDP}", "+shop/web>shop/api udp 82", "-shop/web>shop/api udp 83", "-shop/web>shop/api tcp 80")]
    [InlineData("{port: '0', protocol: TCP}", "+shop/web>shop/api tcp 1", "-shop/web>shop/api udp 1")]
    [InlineData("{port: http}", "+shop/web>shop/api tcp 8080", "-shop/web>shop/api tcp 80")]
    [InlineData("{port: HTTP, protocol: TCP}", "+shop/web>shop/api tcp 8080", "-shop/web>shop/api tcp 80")]
    [InlineData("{port: dns, protocol: TCP}", "-shop/web>shop/api udp 53", "-shop/web>shop/api tcp 53")]
    public void Which_ports_a_rule_opens(string port, params string[] expected) =>
        SmallCluster.Check(SmallCluster.Read(Policy($"{Api}, ingress: [{{fromEndpoints: [{{}}], toPorts: [{{ports: [{port}]}}]}}]")), expected);

    [Theory]
    [InlineData("toFQDNs: [{matchName: www.example.com}]", "+shop/api>world", "-shop/api>world6", "-shop/api>data/db")]
    [InlineData("toFQDNs: [{matchName: WWW.example.com.}]", "+shop/api>world")]
    [InlineData("toFQDNs: [{matchPattern: '*.example.com'}]", "+shop/api>world")]
    [InlineData("toFQDNs: [{matchPattern: '*.com'}]", "-shop/api>world")]
    [InlineData("toFQDNs: [{matchPattern: '**.com'}]", "+shop/api>world")]
    [InlineData("toFQDNs: [{matchPattern: '***.com'}]", "+shop/api>world")]
    [InlineData("toFQDNs: [{matchPattern: '*'}]", "+shop/api>world", "-shop/api>world6", "-shop/api>data/db")]
    [InlineData("toFQDNs: [{matchPattern: '**.'}]", "+shop/api>world", "-shop/api>world6")]
    [InlineData("toFQDNs: [{matchPattern: 'w*.ex**ple.*'}]", "+shop/api>world")]
    [InlineData("toFQDNs: [{matchPattern: 'www*.example.com'}]", "+shop/api>world")]
    [InlineData("toFQDNs: [{matchPattern: 'x*.example.com'}]", "-shop/api>world")]
    [InlineData("toFQDNs: [{matchPattern: '*.www.example.com'}]", "-shop/api>world")]
    [InlineData("toFQDNs: [{matchPattern: www.example.com}]", "+shop/api>world")]
    [InlineData("toFQDNs: [{matchName: localhost}]", "-shop/api>world")]
    [InlineData("toServices: [{k8sService: {serviceName: api, namespace: shop}}]", "-shop/api>data/db")]
    public void Names_and_services(string peers, params string[] expected) => SmallCluster.Check(SmallCluster.Read(Policy($"{Api}, egress: [{{{peers}}}]")), expected);

    [Theory]
    [InlineData("*", false)]
    [InlineData("*.com", false)]
    [InlineData("w*.example.*", true)]
    [InlineData("localhost", false)]
    public void Names_come_back_from_every_target_that_has_them(string pattern, bool oneLabel)
    {
        var set = new PolicySet([SegmentPolicy.For("shop", "p", LabelSelector.Everything) with { Egress = [new Rule { Peers = [new NameSegment(pattern, oneLabel)] }] }]);
        Assert.All((string[])["cilium", "json"], target => Assert.Equal($"|name {(oneLabel ? "one " : "")}{pattern}", PolicyReader.Read(PolicyRenderer.Render(set, target).Documents).Policies.Single().Egress!.Single().Key));
    }

    [Fact]
    public void A_policy_governs_its_own_namespace_whatever_its_target_says()
    {
        SmallCluster.Check(SmallCluster.Read(Policy("endpointSelector: {matchLabels: {'k8s:io.kubernetes.pod.namespace': data}}, ingress: [{}]")), "-shop/web>shop/api", "+shop/web>data/db");
        SmallCluster.Check(SmallCluster.Read(Policy("endpointSelector: {matchLabels: {'any:io.kubernetes.pod.namespace': data}}, ingress: [{}]")), "+shop/web>shop/api", "+shop/web>data/db");
    }

    [Fact]
    public void One_of_the_whole_cluster_governs_all_and_its_peers_are_of_all()
    {
        const string whole = "apiVersion: cilium.io/v2\nkind: CiliumClusterwideNetworkPolicy\nmetadata: {name: c}\nspec: ";
        SmallCluster.Check(SmallCluster.Read(whole + "{endpointSelector: {}, ingress: [{fromEndpoints: [{matchLabels: {app: web}}]}]}"), "+lab/web>shop/api", "+shop/web>data/db", "-data/db>shop/api", "-world>shop/api");
        SmallCluster.Check(SmallCluster.Read(whole + "{endpointSelector: {}, ingress: [{fromEndpoints: [{}]}]}"), "+lab/web>shop/api", "-world>shop/api", "-node>shop/api");
        SmallCluster.Check(SmallCluster.Read(whole + "{nodeSelector: {matchLabels: {role: worker}}, ingress: [{fromEntities: [cluster]}]}"), "+shop/web>node", "-world>node", "+world>shop/api");
        SmallCluster.Check(SmallCluster.Read(whole + "{endpointSelector: {}, ingress: [{fromEndpoints: [{}]}], egress: [{toEntities: [cluster]}]}"), "+shop/web>data/db", "-shop/web>world");
    }

    [Fact]
    public void Dns_rules_that_let_every_name_through_narrow_nothing()
    {
        var set = SmallCluster.Read(Policy($"{Api}, egress: [{{toEntities: [cluster], toPorts: [{{ports: [{{port: '53', protocol: ANY}}], rules: {{dns: [{{matchPattern: '*'}}]}}}}]}}]"));
        SmallCluster.Check(set, "+shop/api>data/db udp 53", "-shop/api>data/db udp 54");
    }

    [Fact]
    public void Specs_add_up_and_a_denial_in_one_outweighs_the_others()
    {
        var set = SmallCluster.Read("apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: p, namespace: shop}\nspecs:\n"
            + $"- {{{Api}, ingress: [{{fromEntities: [all]}}]}}\n- {{{Api}, ingressDeny: [{{fromEndpoints: [{{matchLabels: {{'k8s:io.kubernetes.pod.namespace': lab}}}}]}}]}}\n");
        Assert.Equal(["shop/p#0", "shop/p#1"], set.Policies.Select(policy => policy.Id));
        SmallCluster.Check(set, "+shop/web>shop/api", "-lab/web>shop/api", "+world>shop/api");
    }

    [Theory]
    [InlineData("ingress: [{}]", "must have exactly one of endpointSelector and nodeSelector")]
    [InlineData("endpointSelector: {}, nodeSelector: {}, ingress: [{}]", "must have exactly one of endpointSelector and nodeSelector")]
    [InlineData("nodeSelector: {}, ingress: [{}]", "nodeSelector is for policies of the whole cluster")]
    [InlineData(Api + ", ingress: [{fromEndpoints: [{}], fromCIDR: [10.0.0.0/8]}]", "fromCIDR cannot stand beside fromEndpoints")]
    [InlineData(Api + ", ingress: [{fromCIDR: [10.0.0.0/8], fromCIDRSet: [{cidr: 10.0.0.0/8}]}]", "fromCIDRSet cannot stand beside fromCIDR")]
    [InlineData(Api + ", egress: [{toServices: [{k8sService: {serviceName: api}}], toPorts: [{ports: [{port: '80'}]}]}]", "toPorts cannot stand beside toServices")]
    [InlineData(Api + ", ingress: [{fromFQDNs: [{matchName: a.b}]}]", "fromFQDNs is not a field")]
    [InlineData(Api + ", ingress: [{fromEntities: [galaxy]}]", "'galaxy' is no entity")]
    [InlineData(Api + ", ingress: [{fromEntities: [kube-apiserver]}]", "'kube-apiserver' is an entity that the model does not know")]
    [InlineData(Api + ", ingress: [{fromRequires: [{matchLabels: {a: b}}]}]", "fromRequires cannot be read")]
    [InlineData(Api + ", ingress: [{icmps: [{fields: [{type: 8}]}]}]", "icmps cannot be read")]
    [InlineData(Api + ", egress: [{toGroups: [{}]}]", "toGroups cannot be read")]
    [InlineData(Api + ", ingress: [{authentication: {mode: required}}]", "authentication cannot be read")]
    [InlineData(Api + ", ingress: [{toPorts: [{ports: [{port: 80}]}]}]", "port must be text; put it in quotes")]
    [InlineData(Api + ", ingress: [{toPorts: [{ports: [{port: '080'}]}]}]", "begins with 0")]
    [InlineData(Api + ", ingress: [{toPorts: [{ports: [{port: '65536'}]}]}]", "is neither a port number nor a port's name")]
    [InlineData(Api + ", ingress: [{toPorts: [{ports: [{port: '90', endPort: 80}]}]}]", "endPort 80 is less than the port 90")]
    [InlineData(Api + ", ingress: [{toPorts: [{ports: [{port: http, endPort: 80}]}]}]", "endPort cannot follow a named port")]
    [InlineData(Api + ", ingress: [{toPorts: [{ports: [{protocol: TCP}]}]}]", "has no port")]
    [InlineData(Api + ", ingress: [{toPorts: [{ports: [{port: '80', protocol: ICMP}]}]}]", "'ICMP' is not TCP, UDP, SCTP or ANY")]
    [InlineData(Api + ", ingress: [{toPorts: [{ports: []}]}]", "must have 1 to 40 items")]
    [InlineData(Api + ", ingress: [{toPorts: [{ports: [{port: '80'}], rules: {http: [{path: /}]}}]}]", "looks into the traffic")]
    [InlineData(Api + ", ingress: [{toPorts: [{ports: [{port: '53'}], rules: {dns: [{matchName: a.b}]}}]}]", "looks into the traffic")]
    [InlineData(Api + ", ingress: [{toPorts: [{ports: [{port: '443'}], serverNames: [a.b]}]}]", "serverNames cannot be read")]
    [InlineData(Api + ", ingress: [{fromCIDRSet: [{cidr: 10.0.0.0}]}]", "'10.0.0.0' is not an address range")]
    [InlineData(Api + ", ingress: [{fromCIDRSet: [{cidr: 10.0.0.0/16, except: [10.1.0.0/24]}]}]", "except[0] 10.1.0.0/24 does not lie within 10.0.0.0/16")]
    [InlineData(Api + ", ingress: [{fromCIDRSet: [{cidrGroupRef: g}]}]", "groups of ranges cannot be read")]
    [InlineData(Api + ", ingress: [{fromCIDRSet: [{cidr: 10.0.0.0/8, cidrGroupRef: g}]}]", "cidrGroupRef cannot stand beside cidr")]
    [InlineData(Api + ", egress: [{toFQDNs: [{matchName: a.b, matchPattern: a.b}]}]", "must have exactly one of matchName and matchPattern")]
    [InlineData(Api + ", egress: [{toFQDNs: [{matchName: '*.b.c'}]}]", "'*.b.c' is no name that can be read")]
    [InlineData(Api + ", egress: [{toFQDNs: [{matchPattern: '**.b*.c'}]}]", "'**.b*.c' is no pattern that can be read")]
    [InlineData(Api + ", egress: [{toFQDNs: [{matchPattern: 'a..b'}]}]", "'a..b' is no pattern that can be read")]
    [InlineData(Api + ", egress: [{toFQDNs: [{matchPattern: 'a b'}]}]", "'a b' is no pattern that can be read")]
    [InlineData(Api + ", egress: [{toFQDNs: [{matchName: ''}]}]", "'' is no name that can be read")]
    [InlineData("endpointSelector: {matchLabels: {app: 'a b'}}", "'a b' is not a label's value")]
    [InlineData("endpointSelector: {matchLabels: {'reserved:host': ''}}", "which is no label of pods or namespaces")]
    [InlineData("endpointSelector: {matchLabels: {io.cilium.k8s.policy.serviceaccount: x}}", "which the model does not know")]
    public void What_is_refused(string spec, string expected) => Assert.Contains(expected, SmallCluster.FaultOf(Policy(spec)), StringComparison.Ordinal);

    [Fact]
    public void The_set_itself_says_whose_dialect_it_speaks()
    {
        var cilium = Policy(Api);
        const string calico = "apiVersion: projectcalico.org/v3\nkind: NetworkPolicy\nmetadata: {name: p, namespace: shop}\nspec: {}\n";
        const string kubernetes = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: k, namespace: shop}\nspec: {podSelector: {}}\n";
        Assert.Equal("cilium", Dialect.Of(SmallCluster.Read(cilium, kubernetes)).Name);
        Assert.Equal("calico", Dialect.Of(SmallCluster.Read(calico, kubernetes)).Name);
        Assert.Equal("kubernetes", Dialect.Of(SmallCluster.Read(kubernetes)).Name);
        Assert.Equal("kubernetes", Dialect.Of(SmallCluster.Read(cilium, calico)).Name);
        Assert.Equal("cilium", new JudgeOptions().DialectFor(SmallCluster.Read(cilium)).Name);
        Assert.Equal("calico", new JudgeOptions { Dialect = Dialect.Named("calico") }.DialectFor(SmallCluster.Read(cilium)).Name);
    }

    private static string Policy(string spec) => $"apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {{name: p, namespace: shop}}\nspec: {{{spec}}}\n";
}
