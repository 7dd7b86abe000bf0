using System.Diagnostics;
using Flows.Demo;
using Flows.SystemTests.Conntrack;

namespace Flows.SystemTests.Traps;

/// <summary>
/// The namespaces of the lab and what joins them. Cluster "east" routes: the pods of a node share one namespace, whose every address of the node's range is its own, so
/// that all their traffic to others passes the node's connection tracking. Cluster "west" uses the same ranges in an overlay: a bridge, a tunnel and an uplink on each node.
/// </summary>
internal sealed class TrapNetwork : IDisposable
{
    public const string NodeAddressA = "192.168.100.1", NodeAddressB = "192.168.100.2";

    /// <summary>A node on which no collector runs.</summary>
    public const string NodeAddressG = "192.168.102.9";

    /// <summary>Another address of node B's link, of which only its kernel knows.</summary>
    public const string SecondaryB = "192.168.100.22";

    /// <summary>The address of node B's tunnel, of which an annotation tells.</summary>
    public const string TunnelB = "10.10.2.0";

    /// <summary>Where the pods of nodes A and B begin, and those of both nodes of the other cluster.</summary>
    public const string PodsOfA = "10.10.1.", PodsOfB = "10.10.2.";

    private readonly List<string> spaces = [];

    public TrapNetwork()
    {
        try
        {
            (NodeA, NodeB, PodsA, PodsB, World, Gate) = (Make("na"), Make("nb"), Make("pa"), Make("pb"), Make("wo"), Make("ga"));
            (WestNode1, WestNode2, WestPods1, WestPods2) = (Make("w1"), Make("w2"), Make("p1"), Make("p2"));
            foreach (var node in new[] { NodeA, NodeB })
            {
                ConntrackNetns.Tool("ip", $"netns exec {node} nft -f -", TrapRules.OfNode);
                Set(node, FleetNetwork.NodeSettings);
            }

            JoinNodes();
            Attach(PodsA, NodeA, "pods", $"{PodsOfA}0/24", "fd00:10:1::", "50");
            Attach(PodsB, NodeB, "pods", $"{PodsOfB}0/24", "fd00:10:2::", "50");
            Attach(World, NodeB, "world", "203.0.113.0/24", "2001:db8:5::", "10", "192.168.50.0/24");
            Attach(Gate, NodeA, "gate", $"{NodeAddressG}/32", "fd00:102::", "9", "192.168.60.0/24");
            ConntrackNetns.Tool("ip", $"netns exec {Gate} nft -f -", TrapRules.OfGate);
            ConntrackNetns.Tool("ip", $"netns exec {PodsB} nft -f -", TrapRules.OfSilentPod);
            MakeWest();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public string NodeA { get; }

    public string NodeB { get; }

    public string PodsA { get; }

    public string PodsB { get; }

    /// <summary>Everything beyond the cluster, behind node B: the internet and a virtual machine.</summary>
    public string World { get; }

    /// <summary>Node G itself, which hides a virtual machine behind its own address.</summary>
    public string Gate { get; }

    public string WestNode1 { get; }

    public string WestNode2 { get; }

    public string WestPods1 { get; }

    public string WestPods2 { get; }

    public void Dispose()
    {
        foreach (var space in spaces)
        {
            using var process = Process.Start(new ProcessStartInfo("ip", $"netns del {space}") { RedirectStandardError = true })!;
            process.WaitForExit();
        }
    }

    private static void Ip(string space, string script) => ConntrackNetns.Tool("ip", $"-n {space} -batch -", script);

    private static void Set(string space, IEnumerable<KernelSetting> settings) =>
        ConntrackNetns.Tool("ip", $"netns exec {space} sysctl -qw {string.Join(' ', settings.Select(one => $"{one.Path}={one.Value}"))}");

    private string Make(string role)
    {
        var name = $"flowstrap{Environment.ProcessId}{role}";
        spaces.Add(name);
        ConntrackNetns.Tool("ip", $"netns add {name}");
        Set(name, FleetNetwork.Quiet);
        Ip(name, "link set lo up");
        return name;
    }

    private void JoinNodes()
    {
        Ip(NodeA, $"link add up0 type veth peer name up0 netns {NodeB}");
        foreach (var (node, own, other, number, far) in new[] { (NodeA, NodeAddressA, NodeAddressB, 1, 2), (NodeB, NodeAddressB, NodeAddressA, 2, 1) })
        {
            var beyond = far == 1 ? [] : new[] { "203.0.113.0/24", "192.168.50.0/24" };
            Ip(node, $"""
                address add {own}/24 dev up0
                address add fe80::{number}/64 dev up0 nodad
                link set up0 up
                route add 10.10.{far}.0/24 via {other}
                route add fd00:10:{far}::/64 via fe80::{far} dev up0
                {(far == 2 ? "route add 2001:db8:5::/64 via fe80::2 dev up0" : $"route add {NodeAddressG}/32 via {other}")}
                {string.Join('\n', beyond.Select(range => $"route add {range} via {other}"))}

                """);
        }

        Ip(NodeB, $"""
            address add {SecondaryB}/24 dev up0
            link add tun0 type vxlan id 7 dstport 4789 dev up0
            address add {TunnelB}/32 dev tun0
            link set tun0 up
            """);
        Ip(NodeA, $"route add {TunnelB}/32 via {NodeAddressB}");
    }

    /// <summary>Joins a namespace to its node; all addresses of its ranges are its own, and one of the range of IPv6, where the kernel takes no whole ranges.</summary>
    private static void Attach(string space, string node, string device, string range, string rangeV6, string host, params string[] further)
    {
        Ip(node, $"link add {device} type veth peer name eth0 netns {space}");
        Ip(space, $"""
            address add 169.254.2.1/32 dev eth0
            address add fe80::2/64 dev eth0 nodad
            link set eth0 up
            route add 169.254.1.1/32 dev eth0
            route add default via 169.254.1.1
            route add default via fe80::1 dev eth0
            {string.Join('\n', further.Append(range).Select(own => $"route add local {own} dev lo"))}
            address add {rangeV6}{host}/128 dev eth0 nodad

            """);
        Ip(node, $"""
            address add 169.254.1.1/32 dev {device}
            address add fe80::1/64 dev {device} nodad
            link set {device} up
            {string.Join('\n', further.Append(range).Select(beyond => $"route add {beyond} via 169.254.2.1 dev {device} onlink"))}
            route add {rangeV6}/64 via fe80::2 dev {device}

            """);
    }

    private void MakeWest()
    {
        Ip(WestNode1, $"link add up0 type veth peer name up0 netns {WestNode2}");

        // A bridge that snoops joins the snoopers' group by itself (RFC 4286) and announces it from 0.0.0.0 a second or two later: an edge that no trap asked for.
        foreach (var (node, pods, number, far) in new[] { (WestNode1, WestPods1, 1, 2), (WestNode2, WestPods2, 2, 1) })
        {
            Ip(node, $"""
                address add 192.168.100.{number}/24 dev up0
                link set up0 up
                link add br0 type bridge mcast_snooping 0
                link add vx0 type vxlan id 42 remote 192.168.100.{far} local 192.168.100.{number} dev up0 dstport 4789
                link set vx0 master br0
                link set vx0 up
                link set br0 up
                link add veth0 type veth peer name eth0 netns {pods}
                link set veth0 master br0
                link set veth0 up

                """);
            Ip(pods, $"""
                link set eth0 mtu 1400
                link set eth0 up
                address add 10.10.{number}.160/16 dev eth0
                address add 10.10.{number}.190/16 dev eth0
                address add 10.10.{number}.200/16 dev eth0

                """);
        }
    }
}
