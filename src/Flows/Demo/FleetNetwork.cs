namespace Flows.Demo;

/// <summary>
/// The network of the fleet as scripts for <c>ip -batch</c>, <c>nft -f</c> and /proc/sys. Every script runs inside a namespace of the
/// fleet: no link, address, route or rule ever exists in the namespace of this machine.
/// </summary>
internal static class FleetNetwork
{
    // Each pod sees one neighbour, the node's end of its link, under the same address everywhere; pods are routed, not bridged, so
    // all their traffic passes their node's connection tracking, also between pods of one node.
    private const string GatewayV4 = "169.254.1.1";
    private const string GatewayV6 = "fe80::1";

    /// <summary>Set in every namespace before it has links. Nothing may speak by itself: no DAD, no router solicitations.</summary>
    public static IReadOnlyList<KernelSetting> Quiet { get; } =
    [
        new("net/ipv6/conf/all/disable_ipv6", "0"),
        new("net/ipv6/conf/default/disable_ipv6", "0"),
        new("net/ipv6/conf/default/accept_dad", "0"),
        new("net/ipv6/conf/all/accept_dad", "0"),
        new("net/ipv6/conf/default/accept_ra", "0"),
        new("net/ipv6/conf/default/router_solicitations", "0"),
        new("net/ipv6/conf/default/addr_gen_mode", "1"),
        new("net/ipv4/conf/all/rp_filter", "0"),
        new("net/ipv4/conf/default/rp_filter", "0"),
    ];

    /// <summary>
    /// Set in the nodes, after their rules (which load connection tracking). The timeouts are short so that a demo need not wait for the
    /// ends of its connections; without tcp_loose a late packet of a forgotten connection makes no new entry.
    /// </summary>
    public static IReadOnlyList<KernelSetting> NodeSettings { get; } =
    [
        new("net/ipv4/ip_forward", "1"),
        new("net/ipv6/conf/all/forwarding", "1"),
        new("net/ipv4/conf/all/send_redirects", "0"),
        new("net/ipv4/conf/default/send_redirects", "0"),
        new("net/netfilter/nf_conntrack_acct", "1"),
        new("net/netfilter/nf_conntrack_timestamp", "1"),
        new("net/netfilter/nf_conntrack_events", "1"),
        new("net/netfilter/nf_conntrack_tcp_loose", "0"),
        new("net/netfilter/nf_conntrack_tcp_timeout_syn_sent", "3"),
        new("net/netfilter/nf_conntrack_tcp_timeout_syn_recv", "3"),
        new("net/netfilter/nf_conntrack_tcp_timeout_fin_wait", "2"),
        new("net/netfilter/nf_conntrack_tcp_timeout_close_wait", "2"),
        new("net/netfilter/nf_conntrack_tcp_timeout_last_ack", "2"),
        new("net/netfilter/nf_conntrack_tcp_timeout_time_wait", "1"),
        new("net/netfilter/nf_conntrack_tcp_timeout_close", "1"),
        new("net/netfilter/nf_conntrack_udp_timeout", "2"),
        new("net/netfilter/nf_conntrack_udp_timeout_stream", "3"),
        new("net/netfilter/nf_conntrack_icmp_timeout", "2"),
        new("net/netfilter/nf_conntrack_icmpv6_timeout", "2"),
    ];

    /// <summary>The node's rules: one that makes the kernel track connections at all, and the service addresses.</summary>
    public static string NodeRules()
    {
        var services = FleetPlan.Services.Select(service =>
        {
            var backends = FleetPlan.Members.Where(member => member.Workload == service.Workload).ToList();
            var choices = string.Join(", ", backends.Select((backend, index) => $"{index} : {backend.V4} . {service.TargetPort}"));
            return $"    ip daddr {service.Address} {service.Protocol} dport {service.Port} dnat to numgen inc mod {backends.Count} map {{ {choices} }}";
        });
        return $$"""
            table inet track {
              chain forward {
                type filter hook forward priority filter; policy accept;
                ct state established,related accept
              }
            }
            table ip services {
              chain prerouting {
                type nat hook prerouting priority dstnat; policy accept;
            {{string.Join('\n', services)}}
              }
            }

            """;
    }

    /// <summary>Rules of a member that ignores what comes to its low ports. They hold no state, so nothing is tracked there.</summary>
    public const string SilentRules = """
        table inet shield {
          chain input {
            type filter hook input priority filter; policy accept;
            tcp dport 1-1023 drop
          }
        }

        """;

    /// <summary>A member's end of its link.</summary>
    public const string MemberLink = "eth0";

    public const string Loopback = "link set lo up\n";

    /// <summary>Run in <see cref="FleetPlan.NodeA"/>: the link between the nodes.</summary>
    public static string JoinNodes(int otherPid) => $"link add name uplink type veth peer name uplink netns {otherPid}\n";

    /// <summary>Run in each node when the link exists. Without a link-local address the kernel would not ask for the neighbour of a forwarded packet.</summary>
    public static string NodeLink(FleetNodePlan self)
    {
        var other = FleetPlan.Nodes.First(node => node != self);
        var beyond = FleetPlan.Members.Where(member => member.Node == other.Name && !member.HostNetwork && member.V6.Length == 0);
        return $"""
            address add {self.V4}/24 dev uplink
            address add {self.V6}/64 dev uplink nodad
            address add fe80::{self.V6[^1]}/64 dev uplink nodad
            link set uplink up
            route add {other.PodsV4} via {other.V4} dev uplink src {self.V4}
            route add {other.PodsV6} via {other.V6} dev uplink src {self.V6}
            {string.Join('\n', beyond.Select(member => $"route add {member.V4}/32 via {other.V4} dev uplink src {self.V4}"))}

            """;
    }

    /// <summary>Run in the node: its end of a member's link, and the routes to the member.</summary>
    public static string Attach(FleetMember member, int memberPid)
    {
        var node = FleetPlan.Node(member.Node);
        var link = LinkOf(member);
        return $"""
            link add name {link} type veth peer name {MemberLink} netns {memberPid}
            address add {GatewayV4}/32 dev {link}
            address add {GatewayV6}/64 dev {link} nodad
            link set {link} up
            route add {member.V4}/32 dev {link} src {node.V4}
            {(member.V6.Length > 0 ? $"route add {member.V6}/128 dev {link} src {node.V6}" : "")}

            """;
    }

    /// <summary>Run in the member: its address and the way to everybody else.</summary>
    public static string Settle(FleetMember member) => $"""
        {Loopback}
        address add {member.V4}/32 dev eth0
        {(member.V6.Length > 0 ? $"address add {member.V6}/128 dev eth0 nodad" : "")}
        link set eth0 up
        route add {GatewayV4}/32 dev eth0
        route add default via {GatewayV4} dev eth0 src {member.V4}
        {(member.V6.Length > 0 ? $"route add default via {GatewayV6} dev eth0 src {member.V6}" : "")}

        """;

    /// <summary>Run in the node when a member dies.</summary>
    public static string Detach(FleetMember member) => $"link delete {LinkOf(member)}\n";

    /// <summary>A link's name has 15 characters at most; the workload and the address's last byte tell them apart.</summary>
    private static string LinkOf(FleetMember member)
    {
        var owner = member.Workload.Length > 0 ? member.Workload : "outside";
        return $"{owner[..Math.Min(owner.Length, 10)]}-{member.V4[(member.V4.LastIndexOf('.') + 1)..]}";
    }
}
