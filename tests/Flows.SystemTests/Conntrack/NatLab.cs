using System.Net;
using System.Net.Sockets;

namespace Flows.SystemTests.Conntrack;

/// <summary>
/// A node between a client and a pod, each in a network namespace of its own, with the translations of a Kubernetes node. Client 10.77.0.1 and fd77::1, node
/// 10.77.0.2, fd77::2 and 10.88.0.1, fd88::1, pod 10.88.0.2 and fd88::2; the service is 10.96.0.10 and fd96::10, port 80.
/// </summary>
internal sealed class NatLab : IDisposable
{
    private readonly string client = $"flowsnat{Environment.ProcessId}c{Random.Shared.Next(1_000_000)}";
    private readonly string node = $"flowsnat{Environment.ProcessId}n{Random.Shared.Next(1_000_000)}";
    private readonly string pod = $"flowsnat{Environment.ProcessId}p{Random.Shared.Next(1_000_000)}";

    public NatLab()
    {
        try
        {
            foreach (var space in new[] { client, node, pod })
            {
                ConntrackNetns.Tool("ip", $"netns add {space}");
                ConntrackNetns.Tool("ip", $"-n {space} link set lo up");
            }

            Link(client, "out", node, 77);
            Link(pod, "in", node, 88);
            ConntrackNetns.Tool("ip", $"-n {client} route add 10.96.0.0/16 via 10.77.0.2");
            ConntrackNetns.Tool("ip", $"-n {client} route add fd96::/64 via fd77::2");
            ConntrackNetns.Tool("ip", $"-n {pod} route add default via 10.88.0.1");
            ConntrackNetns.Tool("ip", $"-n {pod} route add default via fd88::1");
            ConntrackNetns.Tool("ip", $"netns exec {node} sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.in.send_redirects=0");
            ConntrackNetns.Tool("ip", $"netns exec {node} nft -f -", Rules);
            foreach (var name in new[] { "acct", "events", "timestamp" })
            {
                ConntrackNetns.Tool("ip", $"netns exec {node} sysctl -qw net.netfilter.nf_conntrack_{name}=1");
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    // As kube-proxy does it: the destination is chosen before routing, the source is hidden after it where the answer would not come back otherwise.
    private static string Rules => """
        table inet nat {
          chain pre {
            type nat hook prerouting priority -100;
            ip daddr 10.96.0.10 tcp dport 80 dnat ip to 10.88.0.2:8080
            ip6 daddr fd96::10 tcp dport 80 dnat ip6 to [fd88::2]:8080
            ip daddr 10.77.0.2 tcp dport 30080 meta mark set 0x4000 dnat ip to 10.88.0.2:8080
            ip6 daddr fd77::2 tcp dport 30080 meta mark set 0x4000 dnat ip6 to [fd88::2]:8080
            ip daddr 10.77.0.2 tcp dport 30081 dnat ip to 10.88.0.2:8080
            ip6 daddr fd77::2 tcp dport 30081 dnat ip6 to [fd88::2]:8080
            ip daddr 10.77.0.2 tcp dport 30090 dnat ip to 10.77.0.2:9090
            ip6 daddr fd77::2 tcp dport 30090 dnat ip6 to [fd77::2]:9090
          }
          chain post {
            type nat hook postrouting priority 100;
            meta mark 0x4000 masquerade
            ip saddr 10.88.0.2 ip daddr 10.88.0.2 masquerade
            ip6 saddr fd88::2 ip6 daddr fd88::2 masquerade
            ip saddr 10.88.0.0/24 oifname "out" masquerade
            ip6 saddr fd88::/64 oifname "out" masquerade
          }
        }
        """;

    public T InClient<T>(Func<T> act) => ConntrackNetns.In(client, act);

    public T InNode<T>(Func<T> act) => ConntrackNetns.In(node, act);

    public T InPod<T>(Func<T> act) => ConntrackNetns.In(pod, act);

    /// <summary>A listener on all addresses of both families.</summary>
    public static Socket Listen(int port)
    {
        var socket = new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp) { DualMode = true, ReceiveTimeout = 5000 };
        socket.Bind(new IPEndPoint(IPAddress.IPv6Any, port));
        socket.Listen();
        return socket;
    }

    public void Dispose()
    {
        foreach (var space in new[] { client, node, pod })
        {
            try
            {
                ConntrackNetns.Tool("ip", $"netns del {space}");
            }
            catch (Xunit.Sdk.XunitException)
            {
                // It was never made.
            }
        }
    }

    private static void Link(string far, string name, string near, int net)
    {
        ConntrackNetns.Tool("ip", $"link add eth0 netns {far} type veth peer name {name} netns {near}");
        Address(far, "eth0", net, net == 77 ? 1 : 2);
        Address(near, name, net, net == 77 ? 2 : 1);
    }

    private static void Address(string space, string device, int net, int host)
    {
        ConntrackNetns.Tool("ip", $"-n {space} addr add 10.{net}.0.{host}/24 dev {device}");
        ConntrackNetns.Tool("ip", $"-n {space} addr add fd{net}::{host}/64 dev {device} nodad");
        ConntrackNetns.Tool("ip", $"-n {space} link set {device} up");
    }
}
