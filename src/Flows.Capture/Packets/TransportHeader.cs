using System.Buffers.Binary;
using Flows.Core.Facts;

namespace Flows.Capture.Packets;

/// <summary>Ports, flags and types of TCP, UDP, SCTP and ICMP. Any other protocol is a flow without ports.</summary>
internal static class TransportHeader
{
    private const byte UdpLite = 136;

    public static PacketReject Decode(ReadOnlySpan<byte> frame, int offset, ref DecodedPacket packet)
    {
        switch (packet.Protocol)
        {
            case IpProtocol.Tcp:
                // Source and destination port, sequence, acknowledgement, data offset, flags (RFC 9293 3.1).
                if (frame.Length < offset + 14)
                {
                    return PacketReject.TruncatedTransport;
                }

                TryPorts(frame, offset, ref packet);
                packet.TcpSequence = BinaryPrimitives.ReadUInt32BigEndian(frame[(offset + 4)..]);
                packet.TcpFlags = frame[offset + 13];
                return PacketReject.None;
            case IpProtocol.Udp or UdpLite or IpProtocol.Sctp:
                return TryPorts(frame, offset, ref packet) ? PacketReject.None : PacketReject.TruncatedTransport;
            case IpProtocol.Icmp or IpProtocol.IcmpV6:
                return DecodeIcmp(frame, offset, ref packet);
            default:
                return PacketReject.None;
        }
    }

    /// <summary>Reads the first four bytes as ports, where the protocol has ports.</summary>
    public static bool TryPorts(ReadOnlySpan<byte> frame, int offset, ref DecodedPacket packet)
    {
        if (packet.Protocol is not (IpProtocol.Tcp or IpProtocol.Udp or UdpLite or IpProtocol.Sctp) || frame.Length < offset + 4)
        {
            return false;
        }

        packet.SrcPort = BinaryPrimitives.ReadUInt16BigEndian(frame[offset..]);
        packet.DstPort = BinaryPrimitives.ReadUInt16BigEndian(frame[(offset + 2)..]);
        return true;
    }

    private static PacketReject DecodeIcmp(ReadOnlySpan<byte> frame, int offset, ref DecodedPacket packet)
    {
        if (frame.Length < offset + 2)
        {
            return PacketReject.TruncatedTransport;
        }

        packet.IcmpTypeCode = BinaryPrimitives.ReadUInt16BigEndian(frame[offset..]);
        if (Icmp.IsEcho(packet.Protocol, frame[offset]) && frame.Length >= offset + 6)
        {
            packet.SrcPort = BinaryPrimitives.ReadUInt16BigEndian(frame[(offset + 4)..]);
        }
        else if (Icmp.IsError(packet.Protocol, frame[offset]))
        {
            packet.QuoteOffset = offset + 8;
        }

        return PacketReject.None;
    }
}

/// <summary>The ICMP types that tracking tells apart (RFC 792, RFC 4443).</summary>
internal static class Icmp
{
    public static bool IsEcho(byte protocol, byte type) => protocol == IpProtocol.Icmp ? type is 0 or 8 : type is 128 or 129;

    public static bool IsError(byte protocol, byte type) => protocol == IpProtocol.Icmp ? type is 3 or 4 or 5 or 11 or 12 : type < 128;

    /// <summary>Echo, timestamp, information and mask replies answer their requests; the key of both is the request's.</summary>
    public static bool IsReply(byte protocol, byte type) => protocol == IpProtocol.Icmp ? type is 0 or 14 or 16 or 18 : type is 129;

    /// <summary>Port unreachable: the host is there, the port is not.</summary>
    public static bool IsPortUnreachable(byte protocol, ushort typeCode) => typeCode == (protocol == IpProtocol.Icmp ? 0x0303 : 0x0104);
}
