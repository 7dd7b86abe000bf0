using Flows.Capture.Doctor;
using Flows.Capture.Doctor.Asks;
using Xunit;
using static Flows.Capture.Doctor.FindingStatus;
using static Flows.Tests.Doctor.FakeNode;

namespace Flows.Tests.Doctor;

/// <summary>Each check on a node where one thing is not as it should be: what it says, what follows from it, and what mends it.</summary>
public sealed class NodeChecksTests
{
    private sealed record Spoiled(string Check, FindingStatus Status, string Says, string Mend, Action<FakeNode> Spoil);

    private static readonly Dictionary<string, Spoiled> Cases = new()
    {
        ["no NET_ADMIN"] = new("cap_net_admin", Fail, "CAP_NET_ADMIN is missing", "AmbientCapabilities= of the unit: add CAP_NET_ADMIN", node => node.Rights(0x2000, 0x3000)),
        ["NET_ADMIN out of bounds"] = new("cap_net_admin", Fail, "bounding set", "CapabilityBoundingSet=", node => node.Rights(0x2000, 0x2000)),
        ["no NET_RAW"] = new("cap_net_raw", Fail, "CAP_NET_RAW is missing", "add NET_RAW", node => node.Rights(0x1000, 0x3000)),
        ["no status, one capability"] = new("cap_net_raw", Unknown, "not known", "", node => node.Remove("proc/self/status")),
        ["no status"] = new("rights", Unknown, "cannot be read", "", node => node.Write("proc/self/status", "hello")),
        ["user namespace"] = new("user_namespace", Warn, "of its own", "hostUsers: true", node => node.Link("proc/self/ns/user", "user:[4026532000]")),
        ["no user namespace"] = new("user_namespace", Unknown, "cannot be read", "", node => node.Remove("proc/self/ns/user")),
        ["old kernel"] = new("kernel", Warn, "4.18", "5.10", node => node.Write("proc/sys/kernel/osrelease", "4.18.0-553.el8")),
        ["older kernel"] = new("kernel", Ok, "6.14", "", node => node.Write("proc/sys/kernel/osrelease", "5.15.0")),
        ["nameless kernel"] = new("kernel", Unknown, "cannot be read", "", node => node.Write("proc/sys/kernel/osrelease", "?")),
        ["no libpcap"] = new("libpcap", Fail, "not installed", "apt-get install libpcap0.8", node => node.Libpcap = null),
        ["libpcap without ring"] = new("libpcap", Warn, "without TPACKET_V3", "libpcap0.8", node => node.Libpcap = "libpcap version 1.9.1"),
        ["clock unknown"] = new("clock", Unknown, "refused", "", node => node.Clock = null),
        ["clock alone"] = new("clock", Warn, "synchronised", "systemd-timesyncd", node => node.Clock = new ClockState(false, 0, 16_000_000)),
        ["clock wrong"] = new("clock", Warn, "2.5 s wrong", "chronyc makestep", node => node.Clock = new ClockState(true, 0, 2_500_000)),
        ["no conntrack"] = new("conntrack", Fail, "not in the kernel", "modprobe nf_conntrack_netlink", node => node.Remove("proc/sys/net/netfilter")),
        ["no /proc"] = new("conntrack", Unknown, "/proc", "", node => node.Remove("proc")),
        ["conntrack without netlink"] = new("conntrack", Warn, "not loaded", "modprobe nf_conntrack_netlink", node => node.Remove("sys/module/nf_conntrack_netlink")),
        ["conntrack says no"] = new("conntrack", Fail, "errno 22", "modprobe", node => node.Answers[NetlinkQuestion.ConntrackStats] = Denied(Invalid)),
        ["conntrack untried"] = new("conntrack", Unknown, "CAP_NET_ADMIN", "", node => node.Rights(0, 0)),
        ["no hook"] = new("conntrack_active", Fail, "no hook", "ct state new", node => Quiet(node).Answers[NetlinkQuestion.Hooks] = Answered(Hook("nft_do_chain_inet", 0))),
        ["no rule"] = new("conntrack_active", Fail, "no rule", "ct state new", node => Hookless(node).Answers[NetlinkQuestion.NftRules] = Answered(Rule("payload", "cmp", "counter"))),
        ["packets without entries"] = new("conntrack_active", Fail, "not one connection", "ct state new", node => Quiet(node).Rights(0, 0)),
        ["nothing to tell by"] = new("conntrack_active", Unknown, "too little has passed", "ct state new", node =>
        {
            Quiet(node).Rights(0, 0);
            node.Interfaces(("lo", 1000, 0), ("eth0", 3, 0));
        }),
        ["nothing to be active"] = new("conntrack_active", Unknown, "no connection tracking", "", node => node.Remove("proc/sys/net/netfilter")),
        ["no accounting"] = new("conntrack_accounting", Warn, "packets and bytes", "sysctl -w net.netfilter.nf_conntrack_acct=1", node => node.Setting("acct", 0)),
        ["accounting hidden"] = new("conntrack_accounting", Unknown, "cannot be read", "", node => node.Remove("proc/sys/net/netfilter/nf_conntrack_acct")),
        ["no events"] = new("conntrack_events", Fail, "refused and short", "sysctl -w net.netfilter.nf_conntrack_events=1", node => node.Setting("events", 0)),
        ["late events"] = new("conntrack_events", Warn, "older than the collector", "sysctl -w net.netfilter.nf_conntrack_events=1", node => node.Setting("events", 2)),
        ["no timestamps"] = new("conntrack_timestamps", Warn, "began", "sysctl -w net.netfilter.nf_conntrack_timestamp=1", node => node.Setting("timestamp", 0)),
        ["table filling"] = new("conntrack_table", Warn, "800 of 1,000", "sysctl -w net.netfilter.nf_conntrack_max=2000", node => node.Setting("count", 800)),
        ["table full"] = new("conntrack_table", Fail, "99 %", "sysctl -w net.netfilter.nf_conntrack_max=2000", node => node.Setting("count", 990)),
        ["table hidden"] = new("conntrack_table", Unknown, "cannot be read", "", node => node.Remove("proc/sys/net/netfilter/nf_conntrack_count")),
        ["table dropped"] = new("conntrack_losses", Warn, "drop 26", "nf_conntrack_max=2000", node => Losses(node, "0 0 0 0 10 0", "0 0 0 0 a 0")),
        ["table threw out"] = new("conntrack_losses", Warn, "early_drop 255", "nf_conntrack_max=2000", node => Losses(node, "0 0 0 0 0 ff")),
        ["entries raced"] = new("conntrack_losses", Ok, "raced for one entry", "", node => Losses(node, "0 0 0 7 0 0")),
        ["losses hidden"] = new("conntrack_losses", Unknown, "cannot be read", "", node => node.Write("proc/self/net/stat/nf_conntrack", "")),
        ["small buffer"] = new("receive_buffer", Warn, "net.core.rmem_max is 212,992", "sysctl -w net.core.rmem_max=67108864", node => node.Buffer = new ReceiveBuffer(212_992, false)),
        ["no socket"] = new("receive_buffer", Unknown, "no netlink socket", "", node => node.Buffer = new ReceiveBuffer(0, false)),
        ["loose"] = new("tcp_loose", Ok, "who dialled", "", node => node.Setting("tcp_loose", 1)),
        ["Cilium's interfaces"] = new("socket_load_balancing", Warn, "interface cilium_host, 2 of pods", "flows collect --interface 'lxc*' ...", node => node.Interfaces(("cilium_host", 1, 0), ("lxc1", 1, 0), ("lxc2", 1, 0))),
        ["Cilium's maps"] = new("socket_load_balancing", Warn, "1 BPF map ", "lxc*", node => node.Write("sys/fs/bpf/tc/globals/cilium_lb4_services_v2", "")),
        ["programs on connect"] = new("socket_load_balancing", Warn, "connect()", "bpftool", node => node.ConnectPrograms = 1),
        ["programs hidden"] = new("socket_load_balancing", Unknown, "cannot be listed", "", node => node.ConnectPrograms = null),
        ["rules hidden"] = new("kube_proxy", Unknown, "CAP_NET_ADMIN", "", node => node.Rights(0, 0)),
        ["rules refused"] = new("kube_proxy", Unknown, "errno 22", "", node => node.Answers[NetlinkQuestion.NftChains] = Denied(Invalid)),
        ["too many rules"] = new("kube_proxy", Unknown, "more rules", "", node => node.Answers[NetlinkQuestion.NftChains] = Answered() with { Complete = false }),
        ["IPVS alone"] = new("ipvs", Warn, "2 virtual services", "sysctl -w net.ipv4.vs.conntrack=1", node => Ipvs(node, "0")),
        ["IPVS hidden"] = new("ipvs", Unknown, "cannot be read", "", node => Ipvs(node, null)),
        ["silent flowtable"] = new("flowtables", Warn, "without 'counter': filter fast", "counter;", node => node.Answers[NetlinkQuestion.NftFlowtables] = Answered(Flowtable("fast", 0), Flowtable("good", 2))),
        ["flowtable in the NIC"] = new("flowtables", Warn, "offloaded to the NIC", "flags offload;", node => node.Answers[NetlinkQuestion.NftFlowtables] = Answered(Flowtable("fast", 3))),
        ["flowtables refused"] = new("flowtables", Unknown, "CAP_NET_ADMIN", "", node => node.Answers[NetlinkQuestion.NftFlowtables] = Denied(Refused)),
        ["flowtables hidden"] = new("flowtables", Unknown, "CAP_NET_ADMIN", "", node => node.Rights(0, 0)),
        ["NIC drops"] = new("interface_drops", Warn, "eth0 5,000 of 105,000", "ethtool -G eth0 rx", node => node.Interfaces(("eth0", 100_000, 5000))),
        ["queue drops"] = new("interface_drops", Warn, "31 packets", "sysctl -w net.core.netdev_max_backlog=8192", node => node.Write("proc/self/net/softnet_stat", "aa 0000001f 0\n")),
        ["no such interface"] = new("interface_drops", Fail, "wlan*", "ip -brief link", node => node.Patterns = ["wlan*"]),
        ["no interface"] = new("interface_drops", Unknown, "loopback", "", node => node.Interfaces(("lo", 1, 0))),
        ["hw-tc-offload"] = new("nic_offloads", Warn, "neither conntrack nor a capture", "ethtool -K eth0 hw-tc-offload off", node => node.Offloads = ["hw-tc-offload", "rx-gro"]),
        ["LRO"] = new("nic_offloads", Warn, "LRO on eth0", "ethtool -K eth0 lro off", node => node.Offloads = ["rx-lro"]),
        ["GRO"] = new("nic_offloads", Ok, "lower than on the wire", "", node => node.Offloads = ["rx-gro", "tx-tcp-segmentation"]),
        ["offloads hidden"] = new("nic_offloads", Unknown, "no interface", "", node => node.Offloads = null),
        ["no sock_diag"] = new("socket_owners", Warn, "lists no sockets", "modprobe tcp_diag", node => node.Answers[NetlinkQuestion.SockDiagByFamily] = Denied(2)),
        ["sockets without cgroup"] = new("socket_owners", Warn, "without cgroup", "CONFIG_SOCK_CGROUP_DATA", node => node.Answers[NetlinkQuestion.SockDiagByFamily] = Answered(Socket(0))),
        ["no sockets"] = new("socket_owners", Ok, "none is open", "", node => node.Answers[NetlinkQuestion.SockDiagByFamily] = Answered()),
        ["cgroup 1"] = new("cgroups", Warn, "version 1 only", "unified_cgroup_hierarchy=1", node => node.Mounts("cgroup /sys/fs/cgroup/cpu cgroup rw 0 0")),
        ["cgroups mixed"] = new("cgroups", Warn, "side by side", "unified_cgroup_hierarchy=1", node => node.Mounts("cgroup /sys/fs/cgroup/cpu cgroup rw 0 0", "cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0")),
        ["no cgroups"] = new("cgroups", Unknown, "no cgroup file system", "/sys/fs/cgroup", node => node.Mounts("proc /proc proc rw 0 0")),
        ["cgroup namespace"] = new("cgroups", Warn, "namespace of its own", "/sys/fs/cgroup", node => node.Link("proc/self/ns/cgroup", "cgroup:[4026532001]")),
        ["no SYS_PTRACE, pid namespace, hidepid"] = new("process_details", Ok, "lacks CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH and the node's process namespace (hostPID: true) and a /proc without hidepid", "add CAP_SYS_PTRACE", node =>
        {
            node.Link("proc/self/ns/pid", "pid:[4026532002]");
            node.Mounts("proc /proc proc rw,hidepid=invisible 0 0");
        }),
        ["processes hidden"] = new("process_details", Unknown, "cannot be read", "", node => node.Remove("proc/self/ns/pid")),
        ["other namespaces"] = new("other_namespaces", Ok, "1 other network namespace in use by processes that may be looked at (1 may not)", "add CAP_SYS_ADMIN", node =>
        {
            node.Link("proc/10/ns/net", "net:[4026531840]");
            node.Link("proc/11/ns/net", "net:[4026532003]");
            node.Link("proc/12/ns/net", "net:[4026532003]");
            node.Write("proc/13/status", "");
        }),
        ["namespaces hidden"] = new("other_namespaces", Unknown, "cannot be read", "", node => node.Remove("proc/self/ns/net")),
    };

    public static TheoryData<string> Names => [.. Cases.Keys];

    [Fact]
    public void Where_all_is_well_every_check_says_so()
    {
        using var node = new FakeNode();
        Assert.All(NodeChecks.All, check =>
        {
            var finding = check.Look(node.View);
            Assert.True(finding.Status == Ok && finding.Check == check.Id && finding.Found.Length > 0, finding.ToString());
        });
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void What_is_wrong_is_found_with_what_follows_and_what_mends(string name)
    {
        var expected = Cases[name];
        using var node = new FakeNode();
        expected.Spoil(node);
        var finding = node.Look(expected.Check);
        Assert.True(finding.Status == expected.Status, finding.ToString());
        Assert.Contains(expected.Says, $"{finding.Found} {finding.Consequence}", StringComparison.Ordinal);
        Assert.Contains(expected.Mend, finding.Mend, StringComparison.Ordinal);
        Assert.True(finding.Status is Ok or Unknown || (finding.Consequence.Length > 0 && finding.Mend.Length > 0), finding.ToString());
    }

    [Fact]
    public void Every_check_was_tried_on_a_spoiled_node() =>
        Assert.Equal(NodeChecks.All.Select(check => check.Id).Order(), Cases.Values.Select(one => one.Check).Distinct().Order());

    [Theory]
    [InlineData("ct")]
    [InlineData("masq")]
    [InlineData("match:conntrack")]
    [InlineData("target:DNAT")]
    public void A_rule_that_asks_for_conntrack_is_recognised(string expression)
    {
        using var node = Hookless(new FakeNode());
        node.Answers[NetlinkQuestion.NftRules] = Answered(Rule("counter"), Rule("meta", expression));
        Assert.Equal(Ok, node.Look("conntrack_active").Status);
    }

    [Fact]
    public void What_makes_conntrack_active_is_recognised_without_rules()
    {
        using var hidden = Quiet(new FakeNode());
        hidden.Answers[NetlinkQuestion.Hooks] = Answered(Hook("", -200));
        Assert.Equal(Ok, hidden.Look("conntrack_active").Status);

        using var legacy = Hookless(new FakeNode());
        legacy.Write("proc/self/net/ip_tables_names", "filter\nnat\n");
        Assert.Equal(Ok, legacy.Look("conntrack_active").Status);
    }

    [Theory]
    [InlineData("kube-proxy", "services", "nftables mode")]
    [InlineData("nat", "KUBE-SERVICES", "iptables mode")]
    public void Kube_proxy_is_recognised_by_its_chains(string table, string chain, string mode)
    {
        using var node = new FakeNode();
        node.Answers[NetlinkQuestion.NftChains] = Answered(Chain("filter", "forward"), Chain(table, chain));
        Assert.Contains(mode, node.Look("kube_proxy").Found, StringComparison.Ordinal);
    }

    [Fact]
    public void Bytes_that_lie_about_their_lengths_are_survived()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        using var node = Hookless(new FakeNode());
        byte[][] honest = [Rule("ct", "match:state"), Hook("ipv4_conntrack_in", -200), Flowtable("fast", 0), Socket(9), Chain("kube-proxy", "services")];
        for (var round = 0; round < 2000; round++)
        {
            var bytes = honest[random.Next(honest.Length)][..];
            for (var change = random.Next(4); change >= 0; change--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            var answer = Answered(bytes[..random.Next(bytes.Length + 1)]);
            foreach (var type in node.Answers.Keys.ToList())
            {
                node.Answers[type] = answer;
            }

            foreach (var id in (string[])["conntrack_active", "kube_proxy", "flowtables", "socket_owners"])
            {
                var fault = Record.Exception(() => node.Look(id));
                Assert.True(fault is null, $"seed {seed}, round {round}, {id}: {fault}");
            }
        }
    }

    private static FakeNode Quiet(FakeNode node)
    {
        node.Setting("count", 0);
        return node;
    }

    private static FakeNode Hookless(FakeNode node)
    {
        node.Answers[NetlinkQuestion.Hooks] = Denied(Invalid);
        return Quiet(node);
    }

    private static void Losses(FakeNode node, params string[] lines) =>
        node.Write("proc/self/net/stat/nf_conntrack", "entries found invalid insert_failed drop early_drop\n" + string.Join('\n', lines));

    private static void Ipvs(FakeNode node, string? conntrack)
    {
        node.Write("proc/self/net/ip_vs", """
            IP Virtual Server version 1.2.1 (size=4096)
            Prot LocalAddress:Port Scheduler Flags
              -> RemoteAddress:Port Forward Weight ActiveConn InActConn
            TCP  0A600001:01BB rr
              -> 0A000002:192B      Masq    1      3          0
            TCP  0A60000A:0035 rr

            """);
        if (conntrack is not null)
        {
            node.Write("proc/sys/net/ipv4/vs/conntrack", conntrack);
        }
    }
}
