using Flows.Core.Facts;

namespace Flows.Capture.Packets;

/// <summary>What tracking needs of one packet, flat. Valid only where the decoder returned <see cref="PacketReject.None"/>.</summary>
internal struct DecodedPacket
{
    public NetAddress Src;
    public NetAddress Dst;

    /// <summary>For an ICMP echo, its identifier; 0 where the protocol has no ports.</summary>
    public ushort SrcPort;
    public ushort DstPort;
    public byte Protocol;

    /// <summary>IP bytes as on the wire, header included; not cut by a snap length.</summary>
    public uint IpBytes;

    public byte TcpFlags;
    public uint TcpSequence;

    /// <summary>ICMP type * 256 + code.</summary>
    public ushort IcmpTypeCode;

    /// <summary>Where in the frame the packet that an ICMP error quotes begins; 0 where it quotes none.</summary>
    public int QuoteOffset;

    /// <summary>True for any part of a fragmented packet.</summary>
    public bool IsFragment;

    /// <summary>True for a part after the first: it has no ports of its own.</summary>
    public bool IsLaterFragment;

    public uint FragmentId;

    /// <summary>True for ICMP in either version of IP.</summary>
    public readonly bool IsIcmp => Protocol is IpProtocol.Icmp or IpProtocol.IcmpV6;
}

/// <summary>The TCP control bits (RFC 9293 3.1).</summary>
internal static class TcpFlags
{
    public const byte Fin = 0x01;
    public const byte Syn = 0x02;
    public const byte Rst = 0x04;
    public const byte Ack = 0x10;
}
