using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Flows.Core.Facts;

namespace Flows.Capture.Packets;

/// <summary>
/// Finds the packet within a packet: VXLAN, Geneve, GRE, and IP in IP of all four kinds. Port numbers and protocol numbers only
/// raise the question; a packet is believed to be a tunnel where the tunnel's fixed bits are as its RFC demands and what lies
/// within is an IP packet that fits.
/// </summary>
internal static class TunnelDecoder
{
    /// <summary>Pod network in a cloud's network is two; more is a crafted packet, and counts as what the second carries.</summary>
    public const int LevelsMax = 2;

    /// <summary>IP in IP (RFC 2003, RFC 2473).</summary>
    public const byte ProtocolIpv4 = 4;

    /// <summary>IPv6 in IP (RFC 4213, RFC 2473).</summary>
    public const byte ProtocolIpv6 = 41;

    public const byte ProtocolGre = 47;

    /// <summary>IANA's port, and the one that Linux had before and still takes by default, as flannel does.</summary>
    private const ushort VxlanPort = 4789;
    private const ushort VxlanLinuxPort = 8472;
    private const ushort GenevePort = 6081;

    /// <summary>An Ethernet frame ("transparent Ethernet bridging") in GRE and Geneve.</summary>
    private const int EtherTypeBridging = 0x6558;

    private const int UdpHeader = 8;
    private const int VxlanHeader = 8;
    private const int GeneveHeader = 8;
    private const int GreHeader = 4;

    /// <summary>One comparison for nearly all packets; the few ports between are looked at closer by <see cref="OfPort"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsTunnelPort(ushort dstPort) => (uint)(dstPort - VxlanPort) <= VxlanLinuxPort - VxlanPort;

    public static Tunnel OfPort(ushort dstPort) => dstPort switch
    {
        VxlanPort or VxlanLinuxPort => Tunnel.Vxlan,
        GenevePort => Tunnel.Geneve,
        _ => Tunnel.None,
    };

    public static Tunnel OfProtocol(byte protocol) => protocol switch
    {
        ProtocolGre => Tunnel.Gre,
        ProtocolIpv4 => Tunnel.Ipv4,
        ProtocolIpv6 => Tunnel.Ipv6,
        _ => Tunnel.None,
    };

    /// <summary>True for protocols whose later fragments may be part of a tunnelled packet.</summary>
    public static bool MayCarry(byte protocol) => protocol == IpProtocol.Udp || OfProtocol(protocol) != Tunnel.None;

    /// <summary>Puts the inner packet in the place of the outer; false, and nothing changed, where there is none that can be believed.</summary>
    public static bool TryDescend(ReadOnlySpan<byte> frame, ref DecodedPacket packet)
    {
        if (packet.Tunnel == Tunnel.None)
        {
            return false;
        }

        // Beyond the outer datagram's end is padding, wherever the capture ends.
        var datagram = frame[..packet.EndIn(frame)];
        if (!TryFindInner(datagram, in packet, out var offset, out var version))
        {
            return false;
        }

        // What the outer header states is to the inner packet what the wire is to the outer.
        var end = packet.IpOffset + (int)packet.IpBytes;
        DecodedPacket inner = default;
        if (PacketDecoder.DecodeIp(datagram, offset, version, end, ref inner) != DecodeResult.Ok)
        {
            return false;
        }

        // A whole packet cannot hold a longer one; a first fragment can hold the beginning of one.
        if (packet.Fragment == Fragment.None && inner.IpOffset + (long)inner.IpBytes > end)
        {
            return false;
        }

        packet = inner;
        return true;
    }

    private static bool TryFindInner(ReadOnlySpan<byte> datagram, in DecodedPacket packet, out int offset, out int version)
    {
        offset = packet.TransportOffset;
        version = 0;
        switch (packet.Tunnel)
        {
            case Tunnel.Vxlan:
                return TrySkipVxlan(datagram, ref offset) && TryEnter(datagram, EtherTypeBridging, ref offset, out version);
            case Tunnel.Geneve:
                return TrySkipGeneve(datagram, ref offset, out var type) && TryEnter(datagram, type, ref offset, out version);
            case Tunnel.Gre:
                return TrySkipGre(datagram, ref offset, out type) && TryEnter(datagram, type, ref offset, out version);
            case Tunnel.Ipv4:
                return TryEnter(datagram, LinkLayer.EtherTypeIpv4, ref offset, out version);
            default:
                return TryEnter(datagram, LinkLayer.EtherTypeIpv6, ref offset, out version);
        }
    }

    /// <summary>RFC 7348 5: eight flags of which only I is set, 24 reserved bits, the network identifier, 8 reserved bits.</summary>
    private static bool TrySkipVxlan(ReadOnlySpan<byte> datagram, ref int offset)
    {
        offset += UdpHeader;
        if (datagram.Length < offset + VxlanHeader)
        {
            return false;
        }

        var header = BinaryPrimitives.ReadUInt64BigEndian(datagram[offset..]);
        offset += VxlanHeader;
        return (header & 0xFFFF_FFFF_0000_00FF) == 0x0800_0000_0000_0000;
    }

    /// <summary>
    /// RFC 8926 3.4: version 0 and the options' length in words; O (control), C (critical), six reserved bits; the type of what
    /// follows; the network identifier; eight reserved bits.
    /// </summary>
    private static bool TrySkipGeneve(ReadOnlySpan<byte> datagram, ref int offset, out int type)
    {
        type = 0;
        offset += UdpHeader;
        if (datagram.Length < offset + GeneveHeader)
        {
            return false;
        }

        var header = BinaryPrimitives.ReadUInt64BigEndian(datagram[offset..]);
        type = (int)(header >> 32) & 0xFFFF;
        offset += GeneveHeader + ((int)(header >> 56) * 4);

        // Version, O, the reserved bits: all 0. A control packet carries no traffic.
        return (header & 0xC0BF_0000_0000_00FF) == 0;
    }

    /// <summary>
    /// RFC 2784 2.1, RFC 2890 2: C, K and S announce a word each; the routing of RFC 1701 and version 1 (PPTP) are not followed.
    /// </summary>
    private static bool TrySkipGre(ReadOnlySpan<byte> datagram, ref int offset, out int type)
    {
        const int Checksum = 0x8000;
        const int Key = 0x2000;
        const int Sequence = 0x1000;
        type = 0;
        if (datagram.Length < offset + GreHeader)
        {
            return false;
        }

        int flags = BinaryPrimitives.ReadUInt16BigEndian(datagram[offset..]);
        type = BinaryPrimitives.ReadUInt16BigEndian(datagram[(offset + 2)..]);
        offset += GreHeader + ((flags & Checksum) != 0 ? 4 : 0) + ((flags & Key) != 0 ? 4 : 0) + ((flags & Sequence) != 0 ? 4 : 0);
        return (flags & ~(Checksum | Key | Sequence)) == 0;
    }

    /// <summary>Goes to the IP header of an inner packet of that type, through the link layer's headers where it is a frame.</summary>
    private static bool TryEnter(ReadOnlySpan<byte> datagram, int type, ref int offset, out int version)
    {
        version = 0;
        if (offset >= datagram.Length)
        {
            return false;
        }

        if (type == EtherTypeBridging)
        {
            var found = LinkLayer.FindIp(datagram[offset..], LinkType.Ethernet, out var within, out version);
            offset += within;
            return found == DecodeResult.Ok;
        }

        version = datagram[offset] >> 4;
        return (type == LinkLayer.EtherTypeIpv4 && version == 4) || (type == LinkLayer.EtherTypeIpv6 && version == 6);
    }
}
