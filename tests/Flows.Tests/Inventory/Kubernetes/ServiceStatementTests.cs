using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.FakeCluster;
using Flows.Inventory.Kubernetes.Watching;
using Xunit;
using static Flows.Tests.Inventory.Kubernetes.Bench;

namespace Flows.Tests.Inventory.Kubernetes;

public sealed class ServiceStatementTests
{
    private static readonly FakeService Web = new()
    {
        Namespace = "shop",
        Name = "web",
        Uid = "s1",
        ClusterIps = ["10.96.0.1", "fd00:96::1"],
        Ports = [new("http", 80, "http", NodePort: 30080), new("dns", 53, "5353", "UDP")],
        Selector = new Dictionary<string, string> { ["app"] = "web" },
    };

    private static FakeSlice Slice(string name, params FakeEndpoint[] endpoints) => new()
    {
        Namespace = "shop",
        Name = name,
        Uid = $"uid-{name}",
        Labels = new Dictionary<string, string> { ["kubernetes.io/service-name"] = "web" },
        Endpoints = endpoints,
        Ports = [("http", 8080, "TCP")],
    };

    private static ulong IdOf(string pod) => Entity.IdOf("c1", EntityKind.Pod, $"uid-{pod}");

    [Fact]
    public void Service_holds_cluster_load_balancer_and_external_addresses()
    {
        var bench = new Bench().Event(Web with { ExternalIps = ["192.0.2.1"] }, 1).Event(Web with { ExternalIps = ["192.0.2.1"], Ingress = ["198.51.100.1"], Type = "LoadBalancer" }, 20);
        Assert.All(new[] { "10.96.0.1", "fd00:96::1", "192.0.2.1" }, address => Assert.Equal([(0, double.PositiveInfinity, false)], bench.Intervals(address)));
        Assert.Equal([(20, double.PositiveInfinity, false)], bench.Intervals("198.51.100.1"));
        Assert.Equal((EntityKind.Service, "web"), (bench.Holder("10.96.0.1", 3).Kind, bench.Holder("10.96.0.1", 3).Selector["app"]));
        Assert.Equal([(0, 30, false)], bench.Event(Web, 30, gone: true).Intervals("10.96.0.1"));
        Assert.Empty(bench.OpenPorts());
    }

    [Fact]
    public void Ports_are_known_as_of_then()
    {
        var bench = new Bench().Event(Web, 1).Event(Web with { Ports = [new("http", 80, "web", NodePort: 30080)] }, 20);
        Assert.Equal(
            [(80, "http", "http", 30080, 0d, 20d), (53, "dns", "5353", 0, 0, 20), (80, "http", "web", 30080, 20, double.PositiveInfinity)],
            bench.Ports.GroupBy(port => port.IntervalId).Select(port => port.MaxBy(said => said.LearnedAtUs)!).OrderBy(port => port.ValidFromUs).ThenByDescending(port => port.Port)
                .Select(port => ((int)port.Port, port.Name, port.TargetPort, (int)port.NodePort, Seconds(port.ValidFromUs), port.ValidToUs is { } to ? Seconds(to) : double.PositiveInfinity)));
        Assert.Equal(IpProtocol.Udp, bench.Ports.First(port => port.Port == 53).Protocol);
    }

    [Fact]
    public void Headless_and_external_names_have_no_address_and_are_documents()
    {
        var bench = new Bench().Event(Web with { ClusterIps = ["None"] }, 1).Event(Web with { Name = "out", Uid = "s2", Type = "ExternalName", ExternalName = "example.org", ClusterIps = [], Ports = [] }, 1);
        Assert.Empty(bench.Said);
        Assert.Equal(["v1/Service", "v1/Service"], bench.Objects.Select(one => one.Kind));
        Assert.Contains("\"externalName\":\"example.org\"", bench.Objects[1].Json, StringComparison.Ordinal);
        Assert.Equal(2, bench.OpenPorts().Length);

        bench.Event(Slice("a", new FakeEndpoint("10.0.0.1", "uid-web-1", "web-1")), 5);
        Assert.Equal(IdOf("web-1"), Assert.Single(bench.OpenBackends()).TargetId);
    }

    [Fact]
    public void Backends_come_from_all_slices_and_a_port_has_its_number_in_each()
    {
        var bench = new Bench().Event(Web, 1).Event(Slice("a", new FakeEndpoint("10.0.0.1", "uid-web-1", "web-1")), 2)
            .Event(Slice("b", new FakeEndpoint("10.0.0.2", "uid-web-2", "web-2")) with { Ports = [("http", 9090, "TCP")] }, 3);
        Assert.Equal([("10.0.0.1", 8080), ("10.0.0.2", 9090)], bench.OpenBackends().OrderBy(one => one.Address).Select(one => (one.Address.ToString(), (int)one.Port)));
        Assert.All(bench.OpenBackends(), one => Assert.Equal(("http", bench.Ports[0].ServiceId), (one.PortName, one.ServiceId)));
    }

    [Fact]
    public void Slices_may_come_before_their_service_and_have_endpoints_outside()
    {
        var bench = new Bench().Event(Slice("a", new FakeEndpoint("203.0.113.7")), 2).Event(Web with { Selector = new Dictionary<string, string>() }, 3);
        var backend = Assert.Single(bench.OpenBackends());
        Assert.Equal(("203.0.113.7", 0UL, 3d), (backend.Address.ToString(), backend.TargetId, Seconds(backend.ValidFromUs)));
    }

    [Fact]
    public void Duplicate_endpoint_goes_to_the_living_pod_then_to_the_ready_one()
    {
        var bench = new Bench().Event(Web, 1).Event(Pod("web-2", "10.0.0.1"), 1)
            .Event(Slice("a", new FakeEndpoint("10.0.0.1", "uid-web-1", "web-1")), 2)
            .Event(Slice("b", new FakeEndpoint("10.0.0.1", "uid-web-2", "web-2", Ready: false, Serving: true, Terminating: true)), 3);
        Assert.Equal(IdOf("web-2"), Assert.Single(bench.OpenBackends()).TargetId);

        bench.Event(Slice("c", new FakeEndpoint("10.0.0.9", "", "", Ready: false)), 4).Event(Slice("d", new FakeEndpoint("10.0.0.9")), 5);
        Assert.True(bench.OpenBackends().Single(one => one.Address == NetAddress.Parse("10.0.0.9")).Ready);
    }

    [Fact]
    public void Terminating_endpoint_begins_a_new_statement_and_unknown_conditions_mean_ready()
    {
        var bench = new Bench().Event(Web, 1).Event(Slice("a", new FakeEndpoint("10.0.0.1", "uid-web-1", "web-1", null, null, null)), 2);
        var first = Assert.Single(bench.OpenBackends());
        Assert.Equal((true, true, false), (first.Ready, first.Serving, first.Terminating));

        var second = Assert.Single(bench.Event(Slice("a", new FakeEndpoint("10.0.0.1", "uid-web-1", "web-1", false, true, true)), 20).OpenBackends());
        Assert.Equal((false, true, true, 20d), (second.Ready, second.Serving, second.Terminating, Seconds(second.ValidFromUs)));
        Assert.Empty(bench.Event(Slice("a"), 30).OpenBackends());
    }

    [Fact]
    public void Two_ports_that_lead_to_one_are_two_statements()
    {
        var bench = new Bench().Event(Web, 1).Event(Slice("a", new FakeEndpoint("10.0.0.1")) with { Ports = [("http", 8080, "TCP"), ("alt", 8080, "TCP")] }, 2);
        Assert.Equal(["alt", "http"], bench.OpenBackends().Select(one => one.PortName).Order());
    }

    [Fact]
    public void Endpoint_that_moved_to_another_slice_while_nobody_watched_goes_on()
    {
        var one = new FakeEndpoint("10.0.0.1", "uid-web-1", "web-1");
        var bench = new Bench().Event(Web, 1).List(ResourceKind.EndpointSlices, 2, Slice("a", one), Slice("b")).List(ResourceKind.EndpointSlices, 50, Slice("a"), Slice("b", one));
        Assert.Single(bench.Backends);
        Assert.Empty(bench.List(ResourceKind.EndpointSlices, 60).OpenBackends());
    }

    [Fact]
    public void Restart_says_nothing_again_and_closes_what_vanished()
    {
        var one = new FakeEndpoint("10.0.0.1", "uid-web-1", "web-1");
        var gone = Web with { Name = "gone", Uid = "s2", ClusterIps = ["10.96.0.2"] };
        var before = new Bench().List(ResourceKind.Services, 1, Web, gone).List(ResourceKind.EndpointSlices, 2, Slice("a", one));
        var after = new Bench();
        after.Ledger.Seed(before.All);
        after.List(ResourceKind.Services, 100, Web).List(ResourceKind.EndpointSlices, 101, Slice("a", one));
        Assert.Equal([(0, 100, true)], after.Intervals("10.96.0.2"));
        Assert.Equal((1, 2, 0), (after.Said.Count, after.Ports.Count, after.Backends.Count));
        Assert.Empty(after.OpenPorts());
    }

    [Fact]
    public void Node_holds_its_own_tunnel_and_bridge_addresses()
    {
        var node = new FakeNode
        {
            Name = "node-1",
            Uid = "n1",
            Addresses = [("InternalIP", "192.168.0.1"), ("ExternalIP", "203.0.113.1"), ("Hostname", "node-1")],
            PodCidrs = ["10.244.1.0/24"],
            Annotations = new Dictionary<string, string> { ["flannel.alpha.coreos.com/backend-type"] = "vxlan", ["projectcalico.org/IPv4VXLANTunnelAddr"] = "10.1.2.3", ["projectcalico.org/IPv4Address"] = "192.168.0.1/24" },
        };
        var bench = new Bench().Event(node, 5);
        Assert.All(new[] { "192.168.0.1", "203.0.113.1", "10.1.2.3", "10.244.1.0", "10.244.1.1" }, address => Assert.Equal("node-1", bench.Who(address, 6)));
        Assert.Equal(5, bench.Said.Count);
        Assert.Equal("node-1", bench.Event(node with { Addresses = [] , Annotations = new Dictionary<string, string>() }, 10).Who("203.0.113.1", 11));
    }

    [Fact]
    public void Namespaces_and_policies_are_kept_without_what_changes_without_meaning()
    {
        var shop = new FakeDocument { Name = "shop", Uid = "ns1", Labels = new Dictionary<string, string> { ["kubernetes.io/metadata.name"] = "shop" }, Body = "\"spec\":{},\"status\":{\"phase\":\"Active\"}" };
        var policy = new FakeDocument { Namespace = "shop", Name = "deny", Uid = "p1", Body = "\"spec\":{\"podSelector\":{},\"policyTypes\":[\"Ingress\"]}" };
        var bench = new Bench().List(ResourceKind.Namespaces, 1, shop).List(ResourceKind.NetworkPolicies, 1, policy)
            .Event(shop with { Body = "\"spec\":{},\"status\":{\"phase\":\"Terminating\"}" }, 5, kind: ResourceKind.Namespaces)
            .Event(policy with { Body = "\"spec\":{\"podSelector\":{},\"policyTypes\":[\"Egress\"]}" }, 6, kind: ResourceKind.NetworkPolicies)
            .Event(policy, 9, gone: true, kind: ResourceKind.NetworkPolicies);

        Assert.Equal(
            [("v1/Namespace", 0d, double.PositiveInfinity), ("networking.k8s.io/v1/NetworkPolicy", 0, 6), ("networking.k8s.io/v1/NetworkPolicy", 6, 9)],
            bench.Objects.GroupBy(one => one.IntervalId).Select(one => one.MaxBy(said => said.LearnedAtUs)!).Select(one => (one.Kind, Seconds(one.ValidFromUs), one.ValidToUs is { } to ? Seconds(to) : double.PositiveInfinity)));
        Assert.All(bench.Objects, one => Assert.DoesNotContain("managedFields", one.Json, StringComparison.Ordinal));
        Assert.StartsWith("{\"apiVersion\":\"networking.k8s.io/v1\",\"kind\":\"NetworkPolicy\",\"metadata\":{\"name\":\"deny\"", bench.Objects[1].Json, StringComparison.Ordinal);
    }
}
