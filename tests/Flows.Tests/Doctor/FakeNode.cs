using System.Buffers.Binary;
using System.Text;
using Flows.Capture.Doctor;
using Flows.Capture.Doctor.Asks;

namespace Flows.Tests.Doctor;

/// <summary>A node on which all is well, as a tree of files and answers of a kernel; tests spoil one thing of it.</summary>
internal sealed class FakeNode : IDisposable
{
    public const int Refused = 1;
    public const int Invalid = 22;

    private readonly string root = Directory.CreateTempSubdirectory("flows-node-").FullName;

    public FakeNode()
    {
        Rights(0x3000, 0x3000);
        Link("proc/self/ns/user", "user:[4026531837]");
        Link("proc/self/ns/pid", "pid:[4026531836]");
        Link("proc/self/ns/net", "net:[4026531840]");
        Link("proc/self/ns/cgroup", "cgroup:[4026531835]");
        Write("proc/sys/kernel/osrelease", "6.18.4-generic");
        Write("proc/modules", "nf_conntrack_netlink 57344 0 - Live 0x0\n");
        Write("sys/module/nf_conntrack_netlink/refcnt", "0");
        Setting("acct", 1);
        Setting("events", 1);
        Setting("timestamp", 1);
        Setting("tcp_loose", 0);
        Setting("max", 1000);
        Setting("count", 10);
        Write("proc/self/net/stat/nf_conntrack", "entries  found invalid insert_failed drop early_drop\n0000000a 0 5 0 0 0\n0000000a 0 5 0 0 0\n");
        Write("proc/sys/net/core/rmem_max", "212992");
        Interfaces(("lo", 500, 0), ("eth0", 1_000_000, 3));
        Write("proc/self/net/softnet_stat", "0000aa 00000000 00000000\n");
        Mounts("cgroup2 /sys/fs/cgroup cgroup2 rw 0 0", "proc /proc proc rw 0 0");
        Answers[NetlinkQuestion.ConntrackStats] = Answered([0, 0, 0, 0]);
        Answers[NetlinkQuestion.Hooks] = Answered(Hook("ipv4_conntrack_in", -200));
        Answers[NetlinkQuestion.NftRules] = Answered();
        Answers[NetlinkQuestion.NftChains] = Answered();
        Answers[NetlinkQuestion.NftFlowtables] = Answered();
        Answers[NetlinkQuestion.SockDiagByFamily] = Answered(Socket(77));
    }

    public Dictionary<ushort, NetlinkAnswer> Answers { get; } = [];

    public string[] Patterns { get; set; } = [];

    public ReceiveBuffer Buffer { get; set; } = new(64 << 20, true);

    public ClockState? Clock { get; set; } = new(true, 120, 5000);

    public string? Libpcap { get; set; } = "libpcap version 1.10.3 (with TPACKET_V3)";

    public HashSet<string>? Offloads { get; set; } = [];

    public int? ConnectPrograms { get; set; } = 0;

    public NodeView View => new()
    {
        Files = new NodeFiles(root),
        InterfacePatterns = Patterns,
        Netlink = (_, question) => Answers[BinaryPrimitives.ReadUInt16LittleEndian(question.AsSpan(4))],
        ReceiveBuffer = _ => Buffer,
        Clock = () => Clock,
        LibpcapVersion = () => Libpcap,
        Offloads = _ => Offloads,
        CgroupPrograms = (_, _) => ConnectPrograms,
    };

    public Finding Look(string id) => NodeChecks.All.Single(check => check.Id == id).Look(View);

    public void Write(string path, string text)
    {
        var file = Path.Combine(root, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
    }

    public void Remove(string path)
    {
        var file = Path.Combine(root, path);
        if (Directory.Exists(file))
        {
            Directory.Delete(file, recursive: true);
        }
        else
        {
            File.Delete(file);
        }
    }

    public void Link(string path, string target)
    {
        var file = Path.Combine(root, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.Delete(file);
        File.CreateSymbolicLink(file, target);
    }

    public void Rights(ulong effective, ulong bounding) => Write("proc/self/status", $"""
        Name:	flows
        Uid:	65534	65534	65534	65534
        CapInh:	{effective:x16}
        CapPrm:	{effective:x16}
        CapEff:	{effective:x16}
        CapBnd:	{bounding:x16}
        CapAmb:	{effective:x16}
        NoNewPrivs:	1
        """);

    public void Setting(string name, long value) => Write($"proc/sys/net/netfilter/nf_conntrack_{name}", $"{value}\n");

    public void Interfaces(params (string Name, long Packets, long Dropped)[] all) => Write("proc/self/net/dev",
        "Inter-|   Receive                                                |  Transmit\n face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets\n"
        + string.Join('\n', all.Select(one => $"{one.Name,6}: 1 {one.Packets} 0 {one.Dropped} 0 0 0 0 1 {one.Packets} 0 0 0 0 0 0")));

    public void Mounts(params string[] lines) => Write("proc/self/mounts", string.Join('\n', lines));

    /// <summary>The kernel's answer with these messages.</summary>
    public static NetlinkAnswer Answered(params byte[][] payloads) => new(0, true, [.. payloads.Select(payload => new NetlinkPart(NetlinkQuestion.SockDiagByFamily, payload))]);

    public static NetlinkAnswer Denied(int errno) => new(errno, true, []);

    /// <summary>A message of nfnetlink_hook.</summary>
    public static byte[] Hook(string function, int priority)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(bytes, priority);
        return [2, 0, 0, 0, .. Attribute(2, bytes), .. Attribute(4, Text(function))];
    }

    /// <summary>A rule of nf_tables with these expressions; <c>match:NAME</c> and <c>target:NAME</c> are those of iptables-nft.</summary>
    public static byte[] Rule(params string[] expressions) =>
    [
        1, 0, 0, 0, .. Attribute(1, Text("filter")), .. Attribute(2, Text("forward")),
        .. Attribute(4, [.. expressions.SelectMany(one => Attribute(1, Expression(one)))]),
    ];

    public static byte[] Chain(string table, string name) => [1, 0, 0, 0, .. Attribute(1, Text(table)), .. Attribute(3, Text(name))];

    public static byte[] Flowtable(string name, byte flags) => [1, 0, 0, 0, .. Attribute(1, Text("filter")), .. Attribute(2, Text(name)), .. Attribute(7, [0, 0, 0, flags])];

    /// <summary>A socket of sock_diag; 0 leaves the cgroup out.</summary>
    public static byte[] Socket(byte cgroup) => cgroup == 0 ? new byte[72] : [.. new byte[72], .. Attribute(21, [cgroup, 0, 0, 0, 0, 0, 0, 0])];

    public void Dispose() => Directory.Delete(root, recursive: true);

    private static byte[] Expression(string one)
    {
        var parts = one.Split(':');
        return parts.Length == 1 ? Attribute(1, Text(one)) : [.. Attribute(1, Text(parts[0])), .. Attribute(2, Attribute(1, Text(parts[1])))];
    }

    private static byte[] Text(string text) => [.. Encoding.UTF8.GetBytes(text), 0];

    private static byte[] Attribute(ushort type, byte[] value)
    {
        var bytes = new byte[(4 + value.Length + 3) & ~3];
        BinaryPrimitives.WriteUInt16LittleEndian(bytes, (ushort)(4 + value.Length));
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(2), type);
        value.CopyTo(bytes, 4);
        return bytes;
    }
}
