using System.Buffers.Binary;
using Flows.Core.Facts;

namespace Flows.Tests.Support;

/// <summary>Puts packets into packets, between two nodes.</summary>
internal static class Tunnels
{
    public const int Bridging = 0x6558;
    public const int Ipv4 = 0x0800;
    public const int Ipv6 = 0x86DD;
    public const byte ProtocolGre = 47;

    public static readonly NetAddress NodeA = NetAddress.Parse("172.18.0.1");
    public static readonly NetAddress NodeB = NetAddress.Parse("172.18.0.2");
    public static readonly NetAddress NodeA6 = NetAddress.Parse("fd12::1");
    public static readonly NetAddress NodeB6 = NetAddress.Parse("fd12::2");

    /// <summary>The type that an IP packet's own version asks for.</summary>
    public static int TypeOf(byte[] ip) => ip[0] >> 4 == 4 ? Ipv4 : Ipv6;

    /// <summary>UDP with this payload.</summary>
    public static byte[] Udp(ushort srcPort, ushort dstPort, byte[] payload) => [.. Frames.Udp(srcPort, dstPort, payload.Length).AsSpan(0, 8), .. payload];

    /// <summary>The outer IP packet around an Ethernet frame.</summary>
    public static byte[] Vxlan(byte[] frame, ushort port = 4789, bool six = false) => Outer(IpProtocol.Udp, Udp(49152, port, [8, 0, 0, 0, 0, 0, 42, 0, .. frame]), six);

    public static byte[] Geneve(byte[] inner, int type, int optionWords = 0, bool six = false)
    {
        byte[] header = [(byte)optionWords, 0, (byte)(type >> 8), (byte)type, 0, 0, 42, 0, .. new byte[4 * optionWords]];
        return Outer(IpProtocol.Udp, Udp(49153, 6081, [.. header, .. inner]), six);
    }

    /// <param name="inner">An Ethernet frame or an IP packet, as the type says.</param>
    /// <param name="type">EtherType.</param>
    /// <param name="flags">C, K and S of RFC 2890, as the header's first 16 bits.</param>
    /// <param name="six">Whether the nodes speak IPv6.</param>
    public static byte[] Gre(byte[] inner, int type, ushort flags = 0, bool six = false)
    {
        var words = ((flags >> 15) & 1) + ((flags >> 13) & 1) + ((flags >> 12) & 1);
        byte[] header = [(byte)(flags >> 8), (byte)flags, (byte)(type >> 8), (byte)type, .. new byte[4 * words]];
        return Outer(ProtocolGre, [.. header, .. inner], six);
    }

    public static byte[] IpInIp(byte[] inner, bool six = false) => Outer(TypeOf(inner) == Ipv4 ? (byte)4 : (byte)41, inner, six);

    private static byte[] Outer(byte protocol, byte[] transport, bool six) =>
        six ? Frames.Ip(NodeA6, NodeB6, protocol, transport) : Frames.Ip(NodeA, NodeB, protocol, transport);

    /// <summary>Cuts a packet into fragments as a link with that MTU demands; one that fits stays whole.</summary>
    public static List<byte[]> Fragment(byte[] ip, int mtu, uint id)
    {
        if (ip.Length <= mtu)
        {
            return [ip];
        }

        var four = ip[0] >> 4 == 4;
        var header = four ? 20 : 40;
        var step = (mtu - header - (four ? 0 : 8)) / 8 * 8;
        var fragments = new List<byte[]>();
        for (var at = 0; at < ip.Length - header; at += step)
        {
            var part = ip.AsSpan(header + at, Math.Min(step, ip.Length - header - at));
            var more = header + at + part.Length < ip.Length;
            fragments.Add(four ? Fragment4(ip, part, at, more, id) : Fragment6(ip, part, at, more, id));
        }

        return fragments;
    }

    private static byte[] Fragment4(byte[] ip, ReadOnlySpan<byte> part, int at, bool more, uint id)
    {
        byte[] fragment = [.. ip.AsSpan(0, 20), .. part];
        BinaryPrimitives.WriteUInt16BigEndian(fragment.AsSpan(2), (ushort)fragment.Length);
        BinaryPrimitives.WriteUInt16BigEndian(fragment.AsSpan(4), (ushort)id);
        BinaryPrimitives.WriteUInt16BigEndian(fragment.AsSpan(6), (ushort)((more ? 0x2000 : 0) | (at / 8)));
        return fragment;
    }

    private static byte[] Fragment6(byte[] ip, ReadOnlySpan<byte> part, int at, bool more, uint id)
    {
        byte[] fragment = [.. ip.AsSpan(0, 40), ip[6], 0, 0, 0, 0, 0, 0, 0, .. part];
        fragment[6] = 44;
        BinaryPrimitives.WriteUInt16BigEndian(fragment.AsSpan(4), (ushort)(8 + part.Length));
        BinaryPrimitives.WriteUInt16BigEndian(fragment.AsSpan(42), (ushort)(at | (more ? 1 : 0)));
        BinaryPrimitives.WriteUInt32BigEndian(fragment.AsSpan(44), id);
        return fragment;
    }
}
