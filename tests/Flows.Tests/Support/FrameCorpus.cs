using System.Globalization;
using Flows.Capture.Packets;
using Flows.Core.Facts;

namespace Flows.Tests.Support;

/// <summary>One frame and what the decoder must make of it: a reason, or protocol, both ends and IP bytes.</summary>
internal sealed record CorpusFrame(string Name, int LinkType, int WireLength, string Expected, byte[] Bytes)
{
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Name} | {LinkType} | {WireLength} | {Expected} | {Convert.ToHexString(Bytes)}");

    public static CorpusFrame Parse(string line)
    {
        var parts = line.Split(" | ");
        return new(parts[0], int.Parse(parts[1], CultureInfo.InvariantCulture), int.Parse(parts[2], CultureInfo.InvariantCulture), parts[3], Convert.FromHexString(parts[4]));
    }
}

/// <summary>
/// Frames of every kind that the decoder knows and of every kind that it must refuse: the ground on which mutation begins. They are
/// kept in tests/data/frames as text, so that what a decoder once met is not forgotten when the code that built it changes.
/// </summary>
internal static class FrameCorpus
{
    private const byte HopByHop = 0;
    private const byte Routing = 43;
    private const byte FragmentHeader = 44;
    private const byte Authentication = 51;
    private const byte DestinationOptions = 60;

    private static readonly NetAddress A = NetAddress.Parse("10.0.0.1");
    private static readonly NetAddress B = NetAddress.Parse("10.0.0.2");
    private static readonly NetAddress A6 = NetAddress.Parse("fd00::1");
    private static readonly NetAddress B6 = NetAddress.Parse("fd00::2");

    public static string File { get; } = Repository.PathOf("tests", "data", "frames", "frames.txt");

    /// <summary>The frames as kept.</summary>
    public static IReadOnlyList<CorpusFrame> Kept { get; } = System.IO.File.Exists(File) ? Read() : [];

    /// <summary>The frames as built now.</summary>
    public static IEnumerable<CorpusFrame> Build() =>
        [.. LinkLayers(), .. Transports(), .. Extensions(), .. Fragments(), .. TunnelFrames(), .. NotQuiteTunnels(), .. Hostile()];

    public static IReadOnlyList<CorpusFrame> Read() => [.. System.IO.File.ReadLines(File).Where(line => line is not ("" or ['#', ..])).Select(CorpusFrame.Parse)];

    private static IEnumerable<CorpusFrame> LinkLayers()
    {
        var udp = Frames.Ip(A, B, IpProtocol.Udp, Frames.Udp(5353, 53, 12));
        const string Is = "udp 10.0.0.1:5353 > 10.0.0.2:53 40";
        yield return Ethernet("ethernet", Is, Frames.Ethernet(udp));
        yield return Ethernet("ethernet, padded", Is, [.. Frames.Ethernet(udp), .. new byte[20]]);
        yield return Ethernet("vlan", Is, Frames.Ethernet(udp, 0x8100));
        yield return Ethernet("qinq", Is, Frames.Ethernet(udp, 0x8100, 0x8100));
        yield return Ethernet("802.1ad", Is, Frames.Ethernet(udp, 0x88A8, 0x8100));
        yield return Ethernet("three tags", "too_many_tags", Frames.Ethernet(udp, 0x88A8, 0x8100, 0x8100));
        yield return Ethernet("pppoe", Is, [.. Hex("020000000001020000000002886411000001002A0021"), .. udp]);
        yield return Ethernet("mpls, two labels", Is, [.. Hex("02000000000102000000000288470001000000010100"), .. udp]);
        yield return Ethernet("arp", "not_ip", [.. new byte[12], 0x08, 0x06, .. new byte[28]]);
        yield return Of("raw", LinkType.Raw, Is, udp);
        yield return Of("loopback", LinkType.Null, Is, [.. Hex("02000000"), .. udp]);
        yield return Of("cooked", LinkType.LinuxSll, Is, [.. Hex("00000001000600000000000000000800"), .. udp]);
        yield return Of("cooked 2", LinkType.LinuxSll2, Is, [.. Hex("0800000000000001000100060000000000000000"), .. udp]);
        yield return Of("ppp", LinkType.Ppp, Is, [.. Hex("FF030021"), .. udp]);
        yield return Of("unknown link type", 127, "link_type_unsupported", udp);
    }

    private static IEnumerable<CorpusFrame> Transports()
    {
        yield return Ethernet("tcp syn", "tcp 10.0.0.1:40000 > 10.0.0.2:443 40", Frames.Ethernet(Frames.Ip(A, B, IpProtocol.Tcp, Frames.Tcp(40000, 443, TcpFlags.Syn, seq: 7))));
        yield return Ethernet("tcp6 data", "tcp [fd00::1]:40000 > [fd00::2]:443 160",
            Frames.Ethernet(Frames.Ip(A6, B6, IpProtocol.Tcp, Frames.Tcp(40000, 443, TcpFlags.Ack, payload: 100))));
        yield return Ethernet("sctp init", "sctp 10.0.0.1:5000 > 10.0.0.2:3868 52", Frames.Ethernet(Frames.Ip(A, B, IpProtocol.Sctp, Sctp(5000, 3868))));
        yield return Ethernet("sctp6", "sctp [fd00::1]:5000 > [fd00::2]:3868 72", Frames.Ethernet(Frames.Ip(A6, B6, IpProtocol.Sctp, Sctp(5000, 3868))));
        yield return Ethernet("echo request", "icmp 10.0.0.1:77 > 10.0.0.2:0 28", Frames.Ethernet(Frames.Ip(A, B, IpProtocol.Icmp, Frames.Icmp(8, 0, 77))));
        yield return Ethernet("echo reply 6", "icmp6 [fd00::1]:0 > [fd00::2]:77 48", Frames.Ethernet(Frames.Ip(A6, B6, IpProtocol.IcmpV6, Frames.Icmp(129, 0, 77))));
        yield return Ethernet("port unreachable", "icmp 10.0.0.2:0 > 10.0.0.1:0 56 quotes udp 10.0.0.1:3 > 10.0.0.2:4",
            Frames.Ethernet(Frames.Ip(B, A, IpProtocol.Icmp, Frames.Icmp(3, 3, 0, Frames.Ip(A, B, IpProtocol.Udp, Frames.Udp(3, 4))))));
        yield return Ethernet("port unreachable 6", "icmp6 [fd00::2]:0 > [fd00::1]:0 96 quotes udp [fd00::1]:3 > [fd00::2]:4",
            Frames.Ethernet(Frames.Ip(B6, A6, IpProtocol.IcmpV6, Frames.Icmp(1, 4, 0, Frames.Ip(A6, B6, IpProtocol.Udp, Frames.Udp(3, 4))))));
        yield return Ethernet("ospf", "89 10.0.0.1:0 > 10.0.0.2:0 44", Frames.Ethernet(Frames.Ip(A, B, 89, new byte[24])));

        var super = Frames.Ethernet(Frames.Ip(A, B, IpProtocol.Tcp, Frames.Tcp(1, 2, TcpFlags.Ack, payload: 40)));
        super[16] = super[17] = 0;
        yield return Ethernet("gso, length 0", "tcp 10.0.0.1:1 > 10.0.0.2:2 70000", super) with { WireLength = 70_014 };
        var super6 = Frames.Ethernet(Frames.Ip(A6, B6, IpProtocol.Tcp, Frames.Tcp(1, 2, TcpFlags.Ack, payload: 40)));
        super6[18] = super6[19] = 0;
        yield return Ethernet("gso, length 0, ipv6", "tcp [fd00::1]:1 > [fd00::2]:2 100040", super6) with { WireLength = 100_054 };
        yield return Ethernet("gso within its length", "tcp 10.0.0.1:1 > 10.0.0.2:2 65226",
            Frames.Ethernet(Frames.Ip(A, B, IpProtocol.Tcp, Frames.Tcp(1, 2, TcpFlags.Ack, payload: 65_186)))[..96]) with
        { WireLength = 65_240 };
        yield return Ethernet("96 bytes of 1514", "tcp 10.0.0.1:1 > 10.0.0.2:2 1500",
            Frames.Ethernet(Frames.Ip(A, B, IpProtocol.Tcp, Frames.Tcp(1, 2, TcpFlags.Ack, payload: 1460)))[..96]) with
        { WireLength = 1514 };
    }

    private static IEnumerable<CorpusFrame> Extensions()
    {
        var udp = Frames.Udp(5, 6, 8);
        yield return Ethernet("every extension header", "udp [fd00::1]:5 > [fd00::2]:6 152",
            Six(HopByHop, [.. Extension(DestinationOptions), .. Extension(Routing, words: 1), .. Extension(Authentication, words: 1), .. Authenticated(FragmentHeader),
                .. Hex("3C00000000000009"), .. Extension(135), .. Extension(139), .. Extension(IpProtocol.Udp), .. udp]));
        yield return Ethernet("eight extension headers", "udp [fd00::1]:5 > [fd00::2]:6 120", Six(DestinationOptions, [.. Chain(8), .. udp]));
        yield return Ethernet("nine extension headers", "too_many_extensions", Six(DestinationOptions, [.. Chain(9), .. udp]));
        yield return Ethernet("extension headers for ever", "too_many_extensions", Six(HopByHop, [.. Enumerable.Repeat(Extension(HopByHop), 100).SelectMany(one => one)]));
        yield return Ethernet("extension longer than the packet", "truncated_ip", Six(HopByHop, [IpProtocol.Udp, 255, 0, 0, 0, 0, 0, 0, .. udp]));
        yield return Ethernet("no next header", "59 [fd00::1]:0 > [fd00::2]:0 40", Six(59, []));
    }

    private static IEnumerable<CorpusFrame> Fragments()
    {
        var four = Tunnels.Fragment(Frames.Ip(A, B, IpProtocol.Udp, Frames.Udp(1, 2, 92)), mtu: 76, id: 9);
        yield return Ethernet("first fragment", "udp 10.0.0.1:1 > 10.0.0.2:2 76 first", Frames.Ethernet(four[0]));
        yield return Ethernet("later fragment", "udp 10.0.0.1:0 > 10.0.0.2:0 64 later", Frames.Ethernet(four[1]));
        var six = Tunnels.Fragment(Frames.Ip(A6, B6, IpProtocol.Tcp, Frames.Tcp(1, 2, TcpFlags.Ack, payload: 80)), mtu: 112, id: 0x90001);
        yield return Ethernet("first fragment 6", "tcp [fd00::1]:1 > [fd00::2]:2 112 first", Frames.Ethernet(six[0]));
        yield return Ethernet("later fragment 6", "tcp [fd00::1]:0 > [fd00::2]:0 84 later", Frames.Ethernet(six[1]));
        yield return Ethernet("atomic fragment", "udp [fd00::1]:5 > [fd00::2]:6 56", Six(FragmentHeader, [.. Hex("1100000000000007"), .. Frames.Udp(5, 6)]));
    }

    private static IEnumerable<CorpusFrame> TunnelFrames()
    {
        var tcp = Frames.Ip(A, B, IpProtocol.Tcp, Frames.Tcp(1, 2, TcpFlags.Syn, payload: 10));
        const string Is = "tcp 10.0.0.1:1 > 10.0.0.2:2 50";
        foreach (var encap in Enum.GetValues<Encap>().Where(encap => encap != Encap.Mix && encap.IsTunnel()))
        {
            yield return Ethernet($"tunnel {encap}", Is, Frames.Ethernet(Encaps.Outermost(tcp, encap)));
        }

        var tcp6 = Frames.Ip(A6, B6, IpProtocol.Tcp, Frames.Tcp(1, 2, TcpFlags.Syn));
        const string Is6 = "tcp [fd00::1]:1 > [fd00::2]:2 60";
        yield return Ethernet("6in4", Is6, Frames.Ethernet(Tunnels.IpInIp(tcp6)));
        yield return Ethernet("6in6", Is6, Frames.Ethernet(Tunnels.IpInIp(tcp6, six: true)));
        yield return Ethernet("geneve with ip, 63 option words", Is6, Frames.Ethernet(Tunnels.Geneve(tcp6, Tunnels.Ipv6, optionWords: 63)));
        yield return Ethernet("vxlan of a qinq frame", Is6, Frames.Ethernet(Tunnels.Vxlan(Frames.Ethernet(tcp6, 0x88A8, 0x8100)), 0x8100));
        yield return Ethernet("vxlan of a padded frame", Is, Frames.Ethernet(Tunnels.Vxlan([.. Frames.Ethernet(tcp), .. new byte[6]])));
        yield return Ethernet("vxlan of a fragment", "udp 10.0.0.1:0 > 10.0.0.2:0 64 later",
            Frames.Ethernet(Tunnels.Vxlan(Frames.Ethernet(Tunnels.Fragment(Frames.Ip(A, B, IpProtocol.Udp, Frames.Udp(1, 2, 92)), 76, 9)[1]))));
        yield return Ethernet("first fragment of a vxlan packet", "tcp 10.0.0.1:1 > 10.0.0.2:2 540",
            Frames.Ethernet(Tunnels.Fragment(Tunnels.Vxlan(Frames.Ethernet(Frames.Ip(A, B, IpProtocol.Tcp, Frames.Tcp(1, 2, TcpFlags.Ack, payload: 500)))), 204, 3)[0]));
        yield return Ethernet("port unreachable in vxlan", "icmp 10.0.0.2:0 > 10.0.0.1:0 56 quotes udp 10.0.0.1:3 > 10.0.0.2:4",
            Frames.Ethernet(Tunnels.Vxlan(Frames.Ethernet(Frames.Ip(B, A, IpProtocol.Icmp, Frames.Icmp(3, 3, 0, Frames.Ip(A, B, IpProtocol.Udp, Frames.Udp(3, 4))))))));
        var super = Frames.Ip(A, B, IpProtocol.Tcp, Frames.Tcp(1, 2, TcpFlags.Ack, payload: 40));
        super[2] = super[3] = 0;
        var outer = Frames.Ethernet(Tunnels.Vxlan(Frames.Ethernet(super)));
        outer[16] = outer[17] = 0;
        yield return Ethernet("gso in vxlan, both lengths 0", "tcp 10.0.0.1:1 > 10.0.0.2:2 70000", outer) with { WireLength = 70_064 };
        yield return Ethernet("three tunnels: the third stays closed", "47 172.18.0.1:0 > 172.18.0.2:0 74",
            Frames.Ethernet(Tunnels.Gre(Tunnels.Gre(Tunnels.Gre(tcp, Tunnels.Ipv4), Tunnels.Ipv4), Tunnels.Ipv4)));
    }

    private static IEnumerable<CorpusFrame> NotQuiteTunnels()
    {
        var inner = Frames.Ethernet(Frames.Ip(A, B, IpProtocol.Tcp, Frames.Tcp(1, 2, TcpFlags.Syn)));
        const string Vxlan = "udp 172.18.0.1:49152 > 172.18.0.2:4789 90";
        const string Geneve = "udp 172.18.0.1:49153 > 172.18.0.2:6081 90";
        const string Gre = "47 172.18.0.1:0 > 172.18.0.2:0 64";
        yield return Ethernet("vxlan without I", Vxlan, Changed(Tunnels.Vxlan(inner), 28, 0));
        yield return Ethernet("vxlan with a reserved flag", Vxlan, Changed(Tunnels.Vxlan(inner), 28, 0x88));
        yield return Ethernet("vxlan with a reserved byte", Vxlan, Changed(Tunnels.Vxlan(inner), 35, 1));
        yield return Ethernet("vxlan of arp", "udp 172.18.0.1:49152 > 172.18.0.2:4789 78", Frames.Ethernet(Tunnels.Vxlan([.. new byte[12], 0x08, 0x06, .. new byte[28]])));
        yield return Ethernet("vxlan of a broken ip header", Vxlan, Changed(Tunnels.Vxlan(inner), 50, 0x44));
        yield return Ethernet("vxlan of a packet longer than it", Vxlan, Changed(Tunnels.Vxlan(inner), 53, 41));
        yield return Ethernet("vxlan cut within the inner tcp header", Vxlan, Frames.Ethernet(Tunnels.Vxlan(inner))[..96]) with { WireLength = 104 };
        yield return Ethernet("dns answer to port 4789", "udp 10.0.0.1:53 > 10.0.0.2:4789 92",
            Frames.Ethernet(Frames.Ip(A, B, IpProtocol.Udp, Tunnels.Udp(53, 4789, [0x12, 0x34, 0x81, 0x80, 0, 1, 0, 1, .. new byte[56]]))));
        yield return Ethernet("geneve of version 1", Geneve, Changed(Tunnels.Geneve(inner, Tunnels.Bridging), 28, 0x40));
        yield return Ethernet("geneve control", Geneve, Changed(Tunnels.Geneve(inner, Tunnels.Bridging), 29, 0x80));
        yield return Ethernet("geneve options beyond its end", Geneve, Changed(Tunnels.Geneve(inner, Tunnels.Bridging), 28, 0x3F));
        yield return Ethernet("gre of version 1", Gre, Changed(Tunnels.Gre(inner[14..], Tunnels.Ipv4), 21, 1));
        yield return Ethernet("gre with routing", Gre, Changed(Tunnels.Gre(inner[14..], Tunnels.Ipv4), 20, 0x40));
        yield return Ethernet("gre of the wrong version", Gre, Frames.Ethernet(Tunnels.Gre(inner[14..], Tunnels.Ipv6)));
        yield return Ethernet("erspan", "47 172.18.0.1:0 > 172.18.0.2:0 78", Frames.Ethernet(Tunnels.Gre(inner, 0x88BE)));
    }

    private static IEnumerable<CorpusFrame> Hostile()
    {
        // The frame on which PacketDotNet loops for ever: header length 0, IP in IP.
        byte[] zeroLength = [.. new byte[12], 0x08, 0x00, 0xF0, 0x00, 0, 0, 0, 0, 0, 0, 4, 4];
        yield return Ethernet("ihl 0, ipip, version 15", "bad_ip_header", zeroLength);
        var ipip = Frames.Ip(A, B, 4, Frames.Ip(A, B, IpProtocol.Udp, Frames.Udp(1, 2)));
        ipip[0] = 0x40;
        yield return Ethernet("ihl 0, ipip", "bad_ip_header", Frames.Ethernet(ipip));
        var innerZero = Frames.Ip(A, B, 4, Frames.Ip(A, B, 4, new byte[20]));
        innerZero[20] = 0x40;
        yield return Ethernet("ihl 0 within ipip", "4 10.0.0.1:0 > 10.0.0.2:0 60", Frames.Ethernet(innerZero));
        yield return Ethernet("ihl 15 of 20 bytes", "bad_ip_header", Changed(Frames.Ip(A, B, IpProtocol.Udp, []), 0, 0x4F));
        var deep = Frames.Ip(A, B, IpProtocol.Udp, Frames.Udp(1, 2));
        for (var level = 0; level < 60; level++)
        {
            deep = Frames.Ip(A, B, 4, deep);
        }

        yield return Ethernet("sixty packets within another", "4 10.0.0.1:0 > 10.0.0.2:0 1188", Frames.Ethernet(deep));
        yield return Ethernet("no bytes", "truncated_l2", []);
        yield return Ethernet("64 KiB", "tcp 10.0.0.1:1 > 10.0.0.2:2 65535", [.. Frames.Ethernet(Frames.Ip(A, B, IpProtocol.Tcp, Frames.Tcp(1, 2, TcpFlags.Ack, payload: 65_495)))[..128]]);
    }

    private static CorpusFrame Ethernet(string name, string expected, byte[] frame) => Of(name, LinkType.Ethernet, expected, frame);

    private static CorpusFrame Of(string name, int linkType, string expected, byte[] frame) => new(name, linkType, frame.Length, expected, frame);

    /// <summary>An Ethernet frame with one byte of the IP packet changed.</summary>
    private static byte[] Changed(byte[] ip, int at, byte value)
    {
        var type = ip[0];
        ip[at] = value;
        var frame = Frames.Ethernet([type, .. ip.AsSpan(1)]);
        frame[14 + at] = value;
        return frame;
    }

    private static byte[] Six(byte next, byte[] payload) => Frames.Ethernet(Frames.Ip(A6, B6, next, payload));

    private static byte[] Extension(byte next, int words = 0) => [next, (byte)words, .. new byte[6 + (8 * words)]];

    /// <summary>An authentication header counts its length in words of four, less two.</summary>
    private static byte[] Authenticated(byte next) => [next, 4, .. new byte[22]];

    private static byte[] Chain(int count) => [.. Enumerable.Repeat(Extension(DestinationOptions), count - 1).SelectMany(one => one), .. Extension(IpProtocol.Udp)];

    private static byte[] Sctp(ushort srcPort, ushort dstPort) => [.. Frames.Udp(srcPort, dstPort).AsSpan(0, 4), .. new byte[8], 1, 0, 0, 20, .. new byte[16]];

    private static byte[] Hex(string hex) => Convert.FromHexString(hex);
}
