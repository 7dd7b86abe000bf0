using Flows.Core;
using Flows.Core.Policy;
using Xunit;

namespace Flows.Tests.Policy;

/// <summary>Where a connection to a service ends. Two nodes, each with a pod of <c>web</c> in both families; the client is on the first.</summary>
public sealed class ClusterServiceTests
{
    private const string Common = """
        apiVersion: v1
        kind: List
        items:
        - {apiVersion: v1, kind: Node, metadata: {name: n1}, status: {addresses: [{type: InternalIP, address: 10.9.0.1}, {type: InternalIP, address: 'fd09::1'}]}}
        - {apiVersion: v1, kind: Node, metadata: {name: n2}, status: {addresses: [{type: InternalIP, address: 10.9.0.2}]}}
        - {apiVersion: v1, kind: Pod, metadata: {name: client, namespace: shop}, spec: {nodeName: n1}, status: {phase: Running, podIPs: [{ip: 10.0.1.9}, {ip: 'fd00::1:9'}]}}
        - apiVersion: v1
          kind: Pod
          metadata: {name: web-0, namespace: shop, labels: {app: web}}
          spec: {nodeName: n1, hostname: web-0, subdomain: web, containers: [{name: c, ports: [{name: http, containerPort: 8080}, {name: dns, containerPort: 5353, protocol: UDP}]}]}
          status: {phase: Running, podIPs: [{ip: 10.0.1.2}, {ip: 'fd00::1:2'}]}
        - apiVersion: v1
          kind: Pod
          metadata: {name: web-1, namespace: shop, labels: {app: web}}
          spec: {nodeName: n2, hostname: web-1, containers: [{name: c, ports: [{name: http, containerPort: 8081, hostPort: 80}]}]}
          status: {phase: Running, podIPs: [{ip: 10.0.2.3}, {ip: 'fd00::2:3'}]}
        - {apiVersion: v1, kind: Pod, metadata: {name: other, namespace: other, labels: {app: web}}, spec: {nodeName: n2}, status: {phase: Running, podIP: 10.0.2.4}}
        - {apiVersion: v1, kind: Pod, metadata: {name: done, namespace: shop, labels: {app: web}}, spec: {nodeName: n2}, status: {phase: Failed, podIP: 10.0.2.5}}

        """;

    private static FleetView Fleet(params string[] items) => ClusterReader.Read(new PolicyDocument("cluster.yaml", Common + string.Join('\n', items)));

    private static string Service(string spec, string status = "{}") =>
        $"- {{apiVersion: v1, kind: Service, metadata: {{name: web, namespace: shop}}, spec: {{{spec}}}, status: {status}}}";

    private static string Slice(string ports, params string[] endpoints) => "- {apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, addressType: IPv4, "
        + $"metadata: {{name: web-x, namespace: shop, labels: {{kubernetes.io/service-name: web}}}}, ports: [{ports}], endpoints: [{string.Join(", ", endpoints)}]}}";

    private static string Reached(FleetView fleet, string src, string dst, string port, byte protocol = 6) =>
        string.Join(' ', fleet.Connections(src, dst, port, protocol).Select(one => $"{one.Dst.Id}@{one.Dst.Address}:{one.Port}").Order(StringComparer.Ordinal));

    private const string Web = "selector: {app: web}, clusterIPs: [10.96.0.1, 'fd96::1'], ports: [{name: www, port: 80, targetPort: http, nodePort: 30080}, {name: names, protocol: UDP, port: 53, targetPort: dns}]";
    private const string Both = "shop/web-0@10.0.1.2/32:8080 shop/web-1@10.0.2.3/32:8081";

    [Fact]
    public void A_cluster_address_leads_to_the_backends_of_its_family_each_at_its_own_port()
    {
        var fleet = Fleet(Service(Web));
        Assert.Equal(Both, Reached(fleet, "shop/client", "10.96.0.1", "80"));
        Assert.Equal("shop/web-0@fd00::1:2/128:8080 shop/web-1@fd00::2:3/128:8081", Reached(fleet, "shop/client", "fd96::1", "80"));
        Assert.All(fleet.Connections("shop/client", "fd96::1", "80", 6), one => Assert.Equal("fd00::1:9/128", one.Src.Address.ToString()));
    }

    [Fact]
    public void A_port_of_a_service_has_a_name_of_its_own_and_a_backend_without_the_target_is_none()
    {
        var fleet = Fleet(Service(Web));
        Assert.Equal(Both, Reached(fleet, "shop/client", "10.96.0.1", "www"));
        Assert.Equal("", Reached(fleet, "shop/client", "10.96.0.1", "http"));
        Assert.Equal("", Reached(fleet, "shop/client", "10.96.0.1", "www", 17));
        Assert.Equal("shop/web-0@10.0.1.2/32:5353", Reached(fleet, "shop/client", "10.96.0.1", "53", 17));
    }

    [Fact]
    public void A_node_port_is_answered_on_every_address_of_every_node()
    {
        var fleet = Fleet(Service("type: NodePort, " + Web));
        Assert.Equal(Both, Reached(fleet, "192.0.2.1", "10.9.0.2", "30080"));
        Assert.Equal(2, fleet.Connections("2001:db8::1", "fd09::1", "30080", 6).Count);
        Assert.Equal((ushort)30080, fleet.Connections("192.0.2.1", "10.9.0.2", "30080", 6)[0].Dialled!.Port);
        Assert.Equal("node n2@10.9.0.2/32:30081", Reached(fleet, "192.0.2.1", "10.9.0.2", "30081"));
        Assert.Equal("node n2@10.9.0.2/32:30080", Reached(fleet, "192.0.2.1", "10.9.0.2", "30080", 17));
    }

    [Fact]
    public void External_and_load_balancer_addresses_lead_in_at_their_ports_only()
    {
        var fleet = Fleet(Service("type: LoadBalancer, externalIPs: [203.0.113.7], " + Web, "{loadBalancer: {ingress: [{ip: 198.51.100.1}, {ip: 198.51.100.2, ipMode: Proxy}, {hostname: lb.example.com}]}}"));
        Assert.Equal(Both, Reached(fleet, "192.0.2.1", "203.0.113.7", "80"));
        Assert.Equal(Both, Reached(fleet, "shop/client", "198.51.100.1", "80"));
        Assert.Equal("198.51.100.1@198.51.100.1/32:81", Reached(fleet, "shop/client", "198.51.100.1", "81"));
        Assert.Equal("198.51.100.2@198.51.100.2/32:80", Reached(fleet, "shop/client", "198.51.100.2", "80"));
    }

    [Fact]
    public void Two_services_share_an_external_address_by_their_ports()
    {
        var fleet = Fleet(
            Service("externalIPs: [203.0.113.7], " + Web),
            "- {apiVersion: v1, kind: Service, metadata: {name: b, namespace: other}, spec: {clusterIP: 10.96.0.2, externalIPs: [203.0.113.7], selector: {app: web}, ports: [{port: 81}]}}");
        Assert.Equal("other/other@10.0.2.4/32:81", Reached(fleet, "192.0.2.1", "203.0.113.7", "81"));
        Assert.Equal(Both, Reached(fleet, "192.0.2.1", "203.0.113.7", "80"));
    }

    [Fact]
    public void An_internal_policy_of_Local_keeps_clients_on_their_node()
    {
        var fleet = Fleet(Service("internalTrafficPolicy: Local, " + Web));
        Assert.Equal("shop/web-0@10.0.1.2/32:8080", Reached(fleet, "shop/client", "10.96.0.1", "80"));
        Assert.Equal("shop/web-1@10.0.2.3/32:8081", Reached(fleet, "10.9.0.2", "10.96.0.1", "80"));
        Assert.Equal(Both, Reached(fleet, "192.0.2.1", "10.96.0.1", "80"));
        Assert.Equal("", Reached(fleet, "10.0.2.4", "10.96.0.1", "53", 17));
    }

    [Fact]
    public void An_external_policy_of_Local_holds_for_clients_outside()
    {
        var fleet = Fleet(Service("type: NodePort, externalTrafficPolicy: Local, " + Web));
        Assert.Equal("shop/web-1@10.0.2.3/32:8081", Reached(fleet, "192.0.2.1", "10.9.0.2", "30080"));
        Assert.Equal(Both, Reached(fleet, "shop/client", "10.9.0.2", "30080"));
        Assert.Equal(Both, Reached(fleet, "n2", "10.9.0.2", "30080"));
        Assert.Equal(Both, Reached(fleet, "shop/client", "10.96.0.1", "80"));
    }

    [Fact]
    public void Slices_outweigh_the_selector()
    {
        var fleet = Fleet(Service(Web), Slice("{name: www, port: 9000, protocol: TCP}",
            "{addresses: [10.0.2.3], nodeName: n2, targetRef: {kind: Pod, namespace: shop, name: web-1}}", "{addresses: [192.0.2.77]}", "{addresses: [10.9.0.2]}", "{addresses: [10.0.1.9], conditions: {ready: false}}"));
        Assert.Equal("192.0.2.77@192.0.2.77/32:9000 node n2@10.9.0.2/32:9000 shop/web-1@10.0.2.3/32:9000", Reached(fleet, "192.0.2.1", "10.96.0.1", "80"));
        Assert.Equal("", Reached(fleet, "192.0.2.1", "10.96.0.1", "53", 17));
        Assert.Equal("", Reached(fleet, "2001:db8::1", "fd96::1", "80"));
        Assert.Equal(["shop/web"], fleet.Between("192.0.2.1", "192.0.2.77", "1", 6)!.Dst.Services);
        Assert.Equal(["shop/web"], fleet.Between("192.0.2.1", "shop/web-1", "1", 6)!.Dst.Services);
        Assert.Empty(fleet.Between("192.0.2.1", "shop/web-0", "1", 6)!.Dst.Services);
    }

    [Fact]
    public void An_empty_slice_means_nobody()
    {
        Assert.Equal("", Reached(Fleet(Service(Web), Slice("{name: www, port: 9000}")), "192.0.2.1", "10.96.0.1", "80"));
        Assert.Equal("", Reached(Fleet(Service("clusterIP: 10.96.0.1, ports: [{port: 80}]")), "192.0.2.1", "10.96.0.1", "80"));
        Assert.Equal("", Reached(Fleet(Service("clusterIP: 10.96.0.1, selector: {}, ports: [{port: 80}]")), "192.0.2.1", "10.96.0.1", "80"));
    }

    [Fact]
    public void Who_is_ending_answers_only_where_nobody_is_ready()
    {
        const string Ending = "{addresses: [10.0.1.2], conditions: {ready: false, serving: true, terminating: true}}";
        const string Starting = "{addresses: [10.0.1.9], conditions: {ready: false}}";
        Assert.Equal("shop/web-0@10.0.1.2/32:1", Reached(Fleet(Service(Web), Slice("{name: www, port: 1}", Ending, Starting)), "192.0.2.1", "10.96.0.1", "80"));
        Assert.Equal("shop/web-1@10.0.2.3/32:1", Reached(Fleet(Service(Web), Slice("{name: www, port: 1}", Ending, "{addresses: [10.0.2.3]}")), "192.0.2.1", "10.96.0.1", "80"));
    }

    [Theory]
    [InlineData("conditions: [{type: Ready, status: 'False'}]", "", "")]
    [InlineData("conditions: [{type: Ready, status: 'False'}]", "publishNotReadyAddresses: true, ", "shop/new@10.0.3.1/32:80")]
    [InlineData("conditions: [{type: Ready, status: 'True'}]", "", "shop/new@10.0.3.1/32:80")]
    public void A_pod_that_is_not_ready_answers_only_where_that_is_published(string conditions, string spec, string reached)
    {
        var fleet = Fleet(
            Service(spec + "selector: {app: new}, clusterIP: 10.96.0.1, ports: [{port: 80}]"),
            $"- {{apiVersion: v1, kind: Pod, metadata: {{name: new, namespace: shop, labels: {{app: new}}}}, status: {{phase: Running, podIP: 10.0.3.1, {conditions}}}}}");
        Assert.Equal(reached, Reached(fleet, "192.0.2.1", "10.96.0.1", "80"));
    }

    [Fact]
    public void A_headless_name_is_its_endpoints_at_the_port_that_is_dialled()
    {
        var fleet = Fleet(Service("clusterIP: None, selector: {app: web}, ports: [{name: www, port: 80, targetPort: http}]"));
        Assert.Equal("shop/web-0@10.0.1.2/32:80 shop/web-1@10.0.2.3/32:80", Reached(fleet, "shop/client", "web.shop.svc.cluster.local", "80"));
        Assert.Equal(Both, Reached(fleet, "shop/client", "web.shop.svc", "www"));
        Assert.Equal("shop/web-1@10.0.2.3/32:7", Reached(fleet, "shop/client", "web-1.web.shop.svc", "7"));
        Assert.Equal("", Reached(fleet, "shop/client", "web-9.web.shop.svc", "7"));
        Assert.All(fleet.Connections("shop/client", "web.shop.svc", "80", 6), one => Assert.Null(one.Dialled));
    }

    [Fact]
    public void An_endpoint_in_two_slices_is_one_and_only_headless_services_name_their_endpoints()
    {
        const string One = "{addresses: [10.0.2.3], targetRef: {kind: Pod, name: web-1}}";
        string[] slices = [Slice("{name: www, port: 9000}", One), Slice("{name: www, port: 9000}", One)];
        Assert.Equal("shop/web-1@10.0.2.3/32:9000", Reached(Fleet([Service(Web), .. slices]), "192.0.2.1", "10.96.0.1", "80"));
        Assert.Equal("", Reached(Fleet([Service(Web), .. slices]), "192.0.2.1", "web-1.web.shop.svc", "80"));
        Assert.Equal("shop/web-1@10.0.2.3/32:9000", Reached(Fleet([Service("clusterIP: None, ports: [{name: www, port: 80}]"), .. slices]), "192.0.2.1", "web.shop.svc", "www"));
        Assert.Equal("shop/web-1@10.0.2.3/32:80", Reached(Fleet([Service("clusterIP: None, ports: [{name: www, port: 80}]"), .. slices]), "192.0.2.1", "web-1.web.shop.svc", "80"));
    }

    [Fact]
    public void A_name_of_a_service_is_its_address_in_the_clients_family()
    {
        var fleet = Fleet(Service(Web));
        Assert.Equal("10.96.0.1", fleet.Connections("shop/client", "web.shop.svc.cluster.local.", "80", 6)[0].Dialled!.Address.ToString());
        Assert.Equal("fd96::1", fleet.Connections("2001:db8::1", "web.shop.svc", "80", 6)[0].Dialled!.Address.ToString());
        var fault = Assert.Throws<FlowsException>(() => fleet.Connections("shop/client", "gone.shop.svc", "80", 6));
        Assert.Contains("has no service 'shop/gone'", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("db.example.com", "db.example.com web.shop.svc")]
    [InlineData("web.shop.svc.cluster.local", "")]
    [InlineData("192.0.2.1", "")]
    public void An_external_name_is_followed_and_a_circle_ends(string target, string names)
    {
        var found = Fleet(Service($"type: ExternalName, externalName: {target}, clusterIP: 10.96.0.1, ports: [{{port: 80}}]")).Connections("shop/client", "web.shop.svc", "443", 6);
        Assert.Equal(names, string.Join(' ', found.SelectMany(one => one.Dst.Names)));
    }

    [Fact]
    public void A_host_port_leads_to_the_pod_that_borrows_it_on_that_node()
    {
        var fleet = Fleet();
        Assert.Equal("shop/web-1@10.0.2.3/32:8081", Reached(fleet, "192.0.2.1", "10.9.0.2", "80"));
        Assert.Equal("node n1@10.9.0.1/32:80", Reached(fleet, "192.0.2.1", "10.9.0.1", "80"));
        Assert.Equal("node n2@10.9.0.2/32:80", Reached(fleet, "192.0.2.1", "10.9.0.2", "80", 17));
    }

    [Fact]
    public void Two_pods_talk_in_the_first_family_that_both_have()
    {
        var fleet = Fleet("- {apiVersion: v1, kind: Pod, metadata: {name: six, namespace: shop}, status: {phase: Running, podIP: 'fd00::6'}}");
        var connection = fleet.Between("shop/client", "shop/six", "1", 6)!;
        Assert.Equal(("fd00::1:9/128", "fd00::6/128"), (connection.Src.Address.ToString(), connection.Dst.Address.ToString()));
        Assert.Equal("10.0.1.9/32", fleet.Between("shop/client", "shop/web-0", "1", 6)!.Src.Address.ToString());
    }

    [Theory]
    [InlineData("{apiVersion: v1, kind: Service, metadata: {name: a, namespace: b}, spec: {type: Other}}", "spec.type 'Other' is not ClusterIP, NodePort, LoadBalancer or ExternalName")]
    [InlineData("{apiVersion: v1, kind: Service, metadata: {name: a, namespace: b}, spec: {type: ExternalName}}", "has no spec.externalName")]
    [InlineData("{apiVersion: v1, kind: Service, metadata: {name: a, namespace: b}, spec: {clusterIP: x}}", "spec.clusterIP 'x' is no address")]
    [InlineData("{apiVersion: v1, kind: Service, metadata: {name: a, namespace: b}, spec: {internalTrafficPolicy: local}}", "spec.internalTrafficPolicy 'local' is not Cluster or Local")]
    [InlineData("{kind: EndpointSlice, metadata: {name: a, labels: {kubernetes.io/service-name: a}}, addressType: IPv5}", "addressType 'IPv5' is not IPv4, IPv6 or FQDN")]
    [InlineData("{kind: EndpointSlice, metadata: {name: a, labels: {kubernetes.io/service-name: a}}, addressType: IPv4, endpoints: [{}]}", "endpoints[0] has no addresses")]
    public void What_is_wrong_is_said_with_its_field(string item, string message)
    {
        var fault = Assert.Throws<PolicyFaultException>(() => Fleet("- " + item));
        Assert.Contains(message, fault.Message, StringComparison.Ordinal);
        Assert.StartsWith("cluster.yaml, line ", fault.Message, StringComparison.Ordinal);
    }
}
