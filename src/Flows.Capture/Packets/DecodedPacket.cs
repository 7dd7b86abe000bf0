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

    /// <summary>Offset in the frame of the transport header; 0 for a later fragment, which has none.</summary>
    public int TransportOffset;

    /// <summary>Offset in the frame behind the last captured byte of the datagram: padding of short frames lies beyond.</summary>
    public int TransportEnd;

    public ushort SrcPort;
    public ushort DstPort;

    /// <summary>ICMP type * 256 + code; 0 for other protocols.</summary>
    public ushort IcmpTypeCode;

    public byte Protocol;
    public byte TcpFlags;
    public Fragment Fragment;
}
