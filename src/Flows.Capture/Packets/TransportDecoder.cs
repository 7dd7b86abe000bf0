using System.Buffers.Binary;
using Flows.Core.Facts;

namespace Flows.Capture.Packets;

/// <summary>Reads ports, TCP flags and numbers, ICMP type and echo identifier.</summary>
internal static class TransportDecoder
{
    /// <summary>Reads the header at the offset of a datagram that ends where the IP header says, or where the capture ends before that.</summary>
    public static DecodeResult Decode(ReadOnlySpan<byte> datagram, int offset, ref DecodedPacket packet)
    {
        if (packet.Fragment == Fragment.Later)
        {
            return DecodeResult.Ok;
        }

        var transport = datagram[offset..];
        packet.TransportOffset = offset;
        switch (packet.Protocol)
        {
            case IpProtocol.Tcp:
                if (transport.Length < 14)
                {
                    return DecodeResult.TruncatedL4;
                }

                ReadPorts(transport, ref packet);
                packet.TcpSeq = BinaryPrimitives.ReadUInt32BigEndian(transport[4..]);
                packet.TcpAck = BinaryPrimitives.ReadUInt32BigEndian(transport[8..]);
                packet.TcpFlags = transport[13];
                return DecodeResult.Ok;
            case IpProtocol.Udp:
                if (transport.Length < 4)
                {
                    return DecodeResult.TruncatedL4;
                }

                ReadPorts(transport, ref packet);
                if (TunnelDecoder.IsTunnelPort(packet.DstPort))
                {
                    packet.Tunnel = TunnelDecoder.OfPort(packet.DstPort);
                }

                return DecodeResult.Ok;
            case IpProtocol.Sctp:
                if (transport.Length < 4)
                {
                    return DecodeResult.TruncatedL4;
                }

                ReadPorts(transport, ref packet);
                return DecodeResult.Ok;
            case IpProtocol.Icmp or IpProtocol.IcmpV6:
                return DecodeIcmp(transport, offset, ref packet);
            default:
                packet.Tunnel = TunnelDecoder.OfProtocol(packet.Protocol);
                return DecodeResult.Ok;
        }
    }

    /// <summary>RFC 792 and RFC 4443: type, code, checksum, then four bytes whose meaning depends on the type.</summary>
    private static DecodeResult DecodeIcmp(ReadOnlySpan<byte> message, int offset, ref DecodedPacket packet)
    {
        if (message.Length < 2)
        {
            return DecodeResult.TruncatedL4;
        }

        packet.IcmpTypeCode = BinaryPrimitives.ReadUInt16BigEndian(message);
        var kind = IcmpTypes.KindOf(packet.Protocol, message[0]);
        if (kind == IcmpKind.Error && message.Length > 8)
        {
            packet.QuoteOffset = offset + 8;
        }
        else if (kind is IcmpKind.EchoRequest or IcmpKind.EchoReply)
        {
            if (message.Length < 6)
            {
                return DecodeResult.TruncatedL4;
            }

            var identifier = BinaryPrimitives.ReadUInt16BigEndian(message[4..]);
            (packet.SrcPort, packet.DstPort) = kind == IcmpKind.EchoRequest ? (identifier, (ushort)0) : ((ushort)0, identifier);
        }

        return DecodeResult.Ok;
    }

    /// <summary>TCP, UDP and SCTP begin alike: source port, destination port. Four bytes are there.</summary>
    public static void ReadPorts(ReadOnlySpan<byte> transport, ref DecodedPacket packet)
    {
        packet.SrcPort = BinaryPrimitives.ReadUInt16BigEndian(transport);
        packet.DstPort = BinaryPrimitives.ReadUInt16BigEndian(transport[2..]);
    }
}
