using Flows.Core.Facts;

namespace Flows.Capture.Packets;

/// <summary>Where a packet stands within a fragmented datagram.</summary>
public enum Fragment : byte
{
    /// <summary>A whole datagram.</summary>
    None = 0,

    /// <summary>The first fragment; it carries the ports.</summary>
    First = 1,

    /// <summary>A later fragment: no transport header, so ports and flags are 0.</summary>
    Later = 2,
}

/// <summary>What a packet carries instead of a connection's own data, as far as its headers claim.</summary>
public enum Tunnel : byte
{
    None = 0,

    /// <summary>RFC 7348: an Ethernet frame in UDP.</summary>
    Vxlan,

    /// <summary>RFC 8926: an Ethernet frame or an IP packet in UDP, behind options.</summary>
    Geneve,

    /// <summary>RFC 2784 and 2890: an Ethernet frame or an IP packet behind up to three optional words.</summary>
    Gre,

    /// <summary>RFC 2003 and 2473: an IPv4 packet at once.</summary>
    Ipv4,

    /// <summary>RFC 4213 and 2473: an IPv6 packet at once.</summary>
    Ipv6,
}

/// <summary>TCP control bits (RFC 9293 3.1), as in the header's 14th byte.</summary>
public static class TcpFlags
{
    public const byte Fin = 0x01;
    public const byte Syn = 0x02;
    public const byte Rst = 0x04;
    public const byte Ack = 0x10;
}

/// <summary>
/// What flow tracking needs of one IP packet. Flat and reused: decoding a packet allocates nothing.
/// </summary>
/// <remarks>
/// An ICMP echo has its identifier as the requesting side's port and 0 as the answering side's, so that request and reply
/// are the two directions of one flow like any other.
/// </remarks>
public struct DecodedPacket
{
    public NetAddress Src;
    public NetAddress Dst;

    /// <summary>IP header and payload in bytes as the header states them, however little of it was captured.</summary>
    public uint IpBytes;

    public uint TcpSeq;
    public uint TcpAck;

    /// <summary>The datagram's identification; only meaningful for fragments.</summary>
    public uint FragmentId;

    /// <summary>Offset in the frame of the IP header that an ICMP error quotes; 0 for none.</summary>
    public int QuoteOffset;

    /// <summary>Offset in the frame of the IP header.</summary>
    public int IpOffset;

    /// <summary>Offset in the frame of the transport header; 0 for none, as in a later fragment.</summary>
    public int TransportOffset;

    public ushort SrcPort;
    public ushort DstPort;

    /// <summary>ICMP type * 256 + code; 0 for other protocols.</summary>
    public ushort IcmpTypeCode;

    public byte Protocol;
    public byte TcpFlags;
    public Fragment Fragment;

    /// <summary>What the headers claim to carry; whether that is so only the bytes behind them tell.</summary>
    public Tunnel Tunnel;

    /// <summary>True for a whole datagram that is no tunnel: nothing more is to be found out about it.</summary>
    public readonly bool IsPlain => ((int)Fragment | (int)Tunnel) == 0;

    /// <summary>
    /// Offset in the frame where the captured part of the datagram ends: short frames are padded on the wire, and what lies
    /// beyond the datagram is no payload.
    /// </summary>
    public readonly int EndIn(ReadOnlySpan<byte> frame) => (int)Math.Min((uint)frame.Length, (uint)IpOffset + IpBytes);
}
