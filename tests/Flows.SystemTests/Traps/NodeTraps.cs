using System.Net.Sockets;
using Flows.Core;
using Flows.FakeCluster;
using Flows.SystemTests.Conntrack;
using Flows.SystemTests.Owners;
using Xunit;

namespace Flows.SystemTests.Traps;

/// <summary>Traps about the addresses of nodes: who is on them, behind them, and which of them nobody lists.</summary>
[Collection(TrapSuite.Name)]
public sealed class NodeTraps(TrapRun run)
{
    internal static void Prepare(TrapLab lab)
    {
        var east = lab.East;
        east.Node("node-a", TrapNetwork.NodeAddressA);
        east.Node("node-b", TrapNetwork.NodeAddressB, new Dictionary<string, string> { ["projectcalico.org/IPv4VXLANTunnelAddr"] = TrapNetwork.TunnelB });
        east.Node("node-g", TrapNetwork.NodeAddressG);
        lab.West.Node("west-1", "192.168.100.1");
        lab.West.Node("west-2", "192.168.100.2");

        east.Pod("t08-caller", "10.10.1.80");
        east.Pod("t09-cluster-server", "10.10.1.90");
        east.Pod("t09-local-server", "10.10.1.91");
        east.Pod("t09-balanced-server", "10.10.1.92");
        east.Service("t09-cluster", "10.96.1.90", new FakePort("http", 80, "10900", NodePort: 30900), "NodePort");
        east.Service("t09-local", "10.96.1.91", new FakePort("http", 80, "10901", NodePort: 30901), "NodePort");
        east.Service("t09-balanced", "10.96.1.92", new FakePort("http", 10980, "10902"), "LoadBalancer", selects: true, "198.51.100.9");

        east.Pod("t22-server", "10.10.1.220");
        east.Pod("t23-server", "10.10.1.230");
    }

    internal static void Speak(TrapLab lab)
    {
        HostNetwork(lab);
        TrapTalk.Exchange(lab.World("203.0.113.9"), TrapNetwork.NodeAddressB, 30900, lab.A(90), 10900);
        TrapTalk.Exchange(lab.World("203.0.113.9"), TrapNetwork.NodeAddressA, 30901, lab.A(91), 10901);
        TrapTalk.Exchange(lab.World("203.0.113.9"), "198.51.100.9", 10980, lab.A(92), 10902);

        TrapTalk.Exchange(lab.World("192.168.50.10"), lab.A(220), 12200);
        TrapTalk.Exchange(new TrapEnd(lab.Network.Gate, "192.168.60.10"), lab.A(220), 12201);

        TrapTalk.Exchange(new TrapEnd(lab.Network.NodeB, TrapNetwork.SecondaryB), lab.A(230), 12300);
        TrapTalk.Exchange(new TrapEnd(lab.Network.NodeB, TrapNetwork.TunnelB), lab.A(230), 12301);
    }

    /// <summary>A client and a server on their nodes' own addresses, each in the cgroup of its pod, and a program of the node that is in no pod.</summary>
    private static void HostNetwork(TrapLab lab)
    {
        var client = lab.East.Pod("t08-client", TrapNetwork.NodeAddressA, pod => pod with { HostNetwork = true, Node = "node-a" });
        var server = lab.East.Pod("t08-server", TrapNetwork.NodeAddressB, pod => pod with { HostNetwork = true, Node = "node-b" });
        var (ofClient, ofServer) = (UnitOf(client), UnitOf(server));
        using var units = new TestUnits(ofClient, ofServer, "t08.service");
        lab.Times["t08 units"] = units.Exist ? 1 : 0;
        using var listening = OwnedProcess.Start(
            lab.Network.NodeB, units, ofServer, 60_001,
            """$l=IO::Socket::INET->new(LocalPort=>10800,Listen=>9,ReuseAddr=>1) or die; print "ready\n"; while($c=$l->accept){sysread($c,$b,9);syswrite($c,$b);sysread($c,$b,9);close $c}""");
        Assert.Equal("ready", listening.ReadLine());
        foreach (var unit in new[] { ofClient, "t08.service" })
        {
            using var dialling = OwnedProcess.Start(
                lab.Network.NodeA, units, unit, 60_002,
                $$"""$c=IO::Socket::INET->new(PeerAddr=>"{{TrapNetwork.NodeAddressB}}",PeerPort=>10800) or die $!;"""
                + """syswrite($c,"hello");sysread($c,$b,9);select(undef,undef,undef,0.3);close $c;print "done\n";""");
            Assert.Equal("done", dialling.ReadLine());
        }

        using var far = TrapTalk.Dial(lab.A(80), TrapNetwork.NodeAddressB, 10800);
        far.Send("hi"u8);
        Assert.Equal(2, far.Receive(new byte[9]));
        far.Shutdown(SocketShutdown.Both);
    }

    private static string UnitOf(FakePod pod) => $"kubepods-besteffort-pod{pod.Uid.Replace('-', '_')}.slice";

    [Fact]
    public async Task T08_pods_on_the_network_of_their_node_are_told_by_their_sockets()
    {
        await run.DoneAsync();
        Assert.SkipUnless(run.Lab.Times["t08 units"] == 1, "this machine lets nobody make cgroups of version 2");
        await run.HoldsAsync(
            8,
            "pod shop/t08-client -> pod shop/t08-server tcp/10800 | 1 answered | owner owner | node-a node-b",
            "node node-a -> pod shop/t08-server tcp/10800 | 1 answered | owner owner | node-a node-b",
            "pod shop/t08-caller -> pod shop/t08-server tcp/10800 | 1 answered | as_of owner | node-a node-b");
    }

    [Fact]
    public Task T09_clients_of_node_ports_and_load_balancers_are_seen_through_the_masquerade() => run.HoldsAsync(
        9,
        "unknown 203.0.113.9 -> pod shop/t09-cluster-server tcp/10900 via shop/t09-cluster:30900 | 1 answered | unknown as_of | node-a node-b",
        "unknown 203.0.113.9 -> pod shop/t09-local-server tcp/10901 via shop/t09-local:30901 | 1 answered | unknown as_of | node-a node-b",
        "unknown 203.0.113.9 -> pod shop/t09-balanced-server tcp/10902 via shop/t09-balanced:10980 | 1 answered | unknown as_of | node-a node-b");

    [Fact]
    public async Task T22_a_machine_behind_a_nodes_masquerade_is_itself_or_the_doubt_is_counted_and_no_rule_names_the_node()
    {
        await run.HoldsAsync(
            22,
            "vm vm-1 -> pod shop/t22-server tcp/12200 | 1 answered | as_of as_of | node-a node-b",
            "node node-g -> pod shop/t22-server tcp/12201 | 1 answered, 1 hidden | as_of as_of | node-a");
        await run.AllowsAsync("t22", "shop/t22-server-pod from 192.168.50.10/32: TCP/12200");
    }

    [Fact]
    public async Task T23_further_addresses_of_a_node_are_the_nodes()
    {
        await run.DoneAsync();

        // The tunnel's address stands in an annotation; of the secondary one only the machine itself tells, which calls itself what its firmware says.
        var machine = Assert.Single(await run.WhoAsync("east", TrapNetwork.SecondaryB, TimeProvider.System.NowUs()));
        var kind = machine.GetProperty("kind").GetString();
        Assert.True(kind is "host" or "vm", kind);
        await run.HoldsAsync(
            23,
            $"{kind} node-b -> pod shop/t23-server tcp/12300 | 1 answered | as_of as_of | node-a node-b",
            "node node-b -> pod shop/t23-server tcp/12301 | 1 answered | as_of as_of | node-a node-b");
    }
}
