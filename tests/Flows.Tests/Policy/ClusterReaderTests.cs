using Flows.Core;
using Flows.Core.Policy;
using Xunit;

namespace Flows.Tests.Policy;

public sealed class ClusterReaderTests
{
    private const string Text = """
        apiVersion: v1
        kind: List
        items:
        - {apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {team: x}}}
        - {apiVersion: apps/v1, kind: Deployment, metadata: {name: web}}
        - {apiVersion: v1, kind: Node, metadata: {name: n1, labels: {os: linux}}, status: {addresses: [{type: Hostname, address: n1}, {type: InternalIP, address: 10.9.0.1}]}}
        - {apiVersion: v1, kind: Node, metadata: {name: n2}, status: {addresses: [{type: InternalIP, address: 10.9.0.2}]}}
        - apiVersion: v1
          kind: Service
          metadata: {name: api, namespace: shop}
          spec: {clusterIP: 172.20.0.1, selector: {app: api}, ports: [{port: 80, targetPort: http}, {port: 53, protocol: UDP}]}
        - apiVersion: v1
          kind: Pod
          metadata: {name: api, namespace: shop, labels: {app: api}}
          spec: {nodeName: n1, containers: [{name: c, ports: [{name: http, containerPort: 8080}]}]}
          status: {phase: Running, podIP: 10.0.0.2, podIPs: [{ip: 10.0.0.2}, {ip: 'fd00::2'}]}
        - {apiVersion: v1, kind: Pod, metadata: {name: done, namespace: shop, labels: {app: api}}, spec: {nodeName: n1}, status: {phase: Succeeded, podIP: 10.0.0.3}}
        - {apiVersion: v1, kind: Pod, metadata: {name: agent, namespace: shop}, spec: {nodeName: n1, hostNetwork: true}, status: {phase: Running, podIP: 10.9.0.1}}
        - {apiVersion: v1, kind: Pod, metadata: {name: other, namespace: shop}, spec: {nodeName: n1, hostNetwork: true}, status: {phase: Running, podIP: 10.9.0.2}}
        """;

    private static readonly FleetView Fleet = ClusterReader.Read(new PolicyDocument("cluster.yaml", Text));

    [Fact]
    public void Namespaces_carry_their_name() => Assert.Equal("shop", Fleet.NamespaceLabels["shop"][PodSegment.NameLabel]);

    [Fact]
    public void An_address_is_whoever_holds_it_and_what_has_ended_holds_none()
    {
        Assert.Equal("shop/api", Fleet.Between("10.0.0.2", "10.0.0.3", "1", 6)!.Src.Id);
        Assert.Equal("10.0.0.3", Fleet.Between("10.0.0.2", "10.0.0.3", "1", 6)!.Dst.Id);
        Assert.Equal("node n1", Fleet.Between("10.9.0.1", "shop/api", "1", 6)!.Src.Id);
    }

    [Fact]
    public void What_has_ended_is_no_end_of_a_connection()
    {
        Assert.Null(Fleet.Between("10.9.0.9", "shop/done", "1", 6));
        Assert.Null(Fleet.Between("shop/done", "shop/api", "1", 6));
    }

    [Fact]
    public void A_node_is_known_by_its_name_and_in_the_family_of_the_other_end()
    {
        var byName = Fleet.Between("shop/api", "n1", "10250", 6)!;
        Assert.Equal(("node n1", "10.9.0.1/32", true), (byName.Dst.Id, byName.Dst.Address.ToString(), byName.OwnNode));
        Assert.Equal("10.9.0.2/32", Fleet.Between("node n2", "shop/api", "1", 6)!.Src.Address.ToString());
        Assert.False(Fleet.Between("n2", "shop/api", "1", 6)!.OwnNode);
    }

    [Fact]
    public void Both_ends_use_one_family()
    {
        Assert.Equal("fd00::2/128", Fleet.Between("2001:db8::1", "shop/api", "1", 6)!.Dst.Address.ToString());
        Assert.Equal("10.0.0.2/32", Fleet.Between("192.0.2.1", "shop/api", "1", 6)!.Dst.Address.ToString());
    }

    [Fact]
    public void Host_network_pods_are_the_host_whose_address_they_have()
    {
        Assert.True(Fleet.Between("shop/agent", "shop/api", "1", 6)!.OwnNode);
        Assert.False(Fleet.Between("shop/other", "shop/api", "1", 6)!.OwnNode);
        Assert.Equal("linux", Fleet.Between("shop/agent", "shop/api", "1", 6)!.Src.HostLabels!["os"]);
        Assert.False(Fleet.Between("shop/agent", "shop/api", "1", 6)!.Src.Selectable);
    }

    [Fact]
    public void A_services_address_is_its_living_backends_at_their_port()
    {
        var connection = Assert.Single(Fleet.Connections("192.0.2.1", "172.20.0.1", "80", 6));
        Assert.Equal(("shop/api", 8080, (ushort?)80), (connection.Dst.Id, connection.Port, connection.Dialled?.Port));
        Assert.Empty(Fleet.Connections("192.0.2.1", "172.20.0.1", "81", 6));
        Assert.Equal(53, Fleet.Connections("192.0.2.1", "172.20.0.1", "53", 17).Single().Port);
    }

    [Fact]
    public void Names_of_ports_belong_to_a_protocol_and_unknown_ends_are_refused()
    {
        Assert.Equal(8080, Fleet.Between("192.0.2.1", "shop/api", "http", 6)!.Port);
        Assert.Null(Fleet.Between("192.0.2.1", "shop/api", "http", 17));
        Assert.Equal(["www.example.com"], Fleet.Between("shop/api", "www.example.com", "443", 6)!.Dst.Names);
        Assert.Throws<FlowsException>(() => Fleet.Between("shop/nobody", "shop/api", "1", 6));
    }
}
