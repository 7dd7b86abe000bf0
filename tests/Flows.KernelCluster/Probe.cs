using System.Buffers.Binary;
using System.Net;

namespace Flows.KernelCluster;

/// <summary>The first packet of a connection as an Ethernet frame, with a number by which it is known again.</summary>
public sealed record Probe(IPAddress Src, IPAddress Dst, byte Protocol, ushort Port)
{
    private const int Ethernet = 14;
    private const int Ip = 20;
    private const int Transport = 20;

    public byte[] Frame(uint number, ReadOnlySpan<byte> toMac)
    {
        var frame = new byte[Ethernet + Ip + Transport];
        toMac.CopyTo(frame);
        frame[6] = 2;
        frame[11] = 0x77;
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(12), 0x0800);
        var ip = frame.AsSpan(Ethernet, Ip);
        ip[0] = 0x45;
        BinaryPrimitives.WriteUInt16BigEndian(ip[2..], Ip + Transport);
        ip[8] = 64;
        ip[9] = Protocol;
        Src.TryWriteBytes(ip[12..], out _);
        Dst.TryWriteBytes(ip[16..], out _);
        BinaryPrimitives.WriteUInt16BigEndian(ip[10..], InternetChecksum.Of(ip));

        // TCP's sequence number, SCTP's verification tag and the first bytes behind UDP's ports can all hold the number at one place, if UDP's length stays right.
        var transport = frame.AsSpan(Ethernet + Ip);
        BinaryPrimitives.WriteUInt16BigEndian(transport, 40_000);
        BinaryPrimitives.WriteUInt16BigEndian(transport[2..], Port);
        if (Protocol == 17)
        {
            BinaryPrimitives.WriteUInt16BigEndian(transport[4..], Transport);
            BinaryPrimitives.WriteUInt32BigEndian(transport[8..], number);
        }
        else
        {
            BinaryPrimitives.WriteUInt32BigEndian(transport[4..], number);
            if (Protocol == 6)
            {
                transport[12] = 0x50;
                transport[13] = 2;
            }
        }

        return frame;
    }

    /// <summary>The number in a frame that arrived; null where it is no probe.</summary>
    public static uint? NumberIn(ReadOnlySpan<byte> frame)
    {
        if (frame.Length < Ethernet + Ip + Transport || BinaryPrimitives.ReadUInt16BigEndian(frame[12..]) != 0x0800 || frame[Ethernet] != 0x45)
        {
            return null;
        }

        var transport = frame[(Ethernet + Ip)..];
        return BinaryPrimitives.ReadUInt16BigEndian(transport) != 40_000 ? null : BinaryPrimitives.ReadUInt32BigEndian(transport[(frame[Ethernet + 9] == 17 ? 8 : 4)..]);
    }
}
