using System.Buffers.Binary;
using Flows.Core.Facts;

namespace Flows.Tests.Support;

/// <summary>Builds frames header by header, from the inside out.</summary>
internal static class Frames
{
    public static byte[] Tcp(ushort srcPort, ushort dstPort, byte flags, uint seq = 0, uint ack = 0, int payload = 0)
    {
        var segment = new byte[20 + payload];
        BinaryPrimitives.WriteUInt16BigEndian(segment, srcPort);
        BinaryPrimitives.WriteUInt16BigEndian(segment.AsSpan(2), dstPort);
        BinaryPrimitives.WriteUInt32BigEndian(segment.AsSpan(4), seq);
        BinaryPrimitives.WriteUInt32BigEndian(segment.AsSpan(8), ack);
        segment[12] = 0x50;
        segment[13] = flags;
        return segment;
    }

    public static byte[] Udp(ushort srcPort, ushort dstPort, int payload = 0)
    {
        var datagram = new byte[8 + payload];
        BinaryPrimitives.WriteUInt16BigEndian(datagram, srcPort);
        BinaryPrimitives.WriteUInt16BigEndian(datagram.AsSpan(2), dstPort);
        BinaryPrimitives.WriteUInt16BigEndian(datagram.AsSpan(4), (ushort)datagram.Length);
        return datagram;
    }

    public static byte[] Icmp(byte type, byte code, ushort identifier = 0, byte[]? quoted = null)
    {
        byte[] message = [type, code, 0, 0, 0, 0, 0, 0, .. quoted ?? []];
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(4), identifier);
        return message;
    }

    /// <summary>An IPv4 or IPv6 packet, as the source address says.</summary>
    /// <param name="fragment">IPv4: the 16 bits of flags and fragment offset.</param>
    public static byte[] Ip(NetAddress src, NetAddress dst, byte protocol, byte[] transport, ushort fragment = 0, ushort id = 0)
    {
        byte[] packet;
        if (src.IsV4)
        {
            packet = [0x45, 0, 0, 0, 0, 0, 0, 0, 64, protocol, 0, 0, .. src.ToBytes().AsSpan(12), .. dst.ToBytes().AsSpan(12), .. transport];
            BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), (ushort)packet.Length);
            BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(4), id);
            BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(6), fragment);
        }
        else
        {
            packet = [0x60, 0, 0, 0, 0, 0, protocol, 64, .. src.ToBytes(), .. dst.ToBytes(), .. transport];
            BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(4), (ushort)transport.Length);
        }

        return packet;
    }

    /// <summary>An Ethernet frame, with a VLAN tag for each tag protocol given.</summary>
    public static byte[] Ethernet(byte[] packet, params ReadOnlySpan<ushort> tagProtocols)
    {
        var frame = new List<byte>([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2]);
        foreach (var protocol in tagProtocols)
        {
            frame.AddRange([(byte)(protocol >> 8), (byte)protocol, 0, 100]);
        }

        frame.AddRange(packet[0] >> 4 == 4 ? [0x08, 0x00] : [0x86, 0xDD]);
        frame.AddRange(packet);
        return [.. frame];
    }
}
