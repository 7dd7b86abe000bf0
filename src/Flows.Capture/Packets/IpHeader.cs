using System.Buffers.Binary;
using Flows.Core.Facts;

namespace Flows.Capture.Packets;

/// <summary>IPv4 (RFC 791) and IPv6 with its extension headers (RFC 8200).</summary>
internal static class IpHeader
{
    private const int V4Min = 20;
    private const int V6Size = 40;

    // RFC 8200 recommends each extension header at most once; eight is all there are.
    private const int ExtensionsMax = 8;

    private const byte HopByHop = 0;
    private const byte Routing = 43;
    private const byte Fragment = 44;
    private const byte Authentication = 51;
    private const byte DestinationOptions = 60;
    private const byte Mobility = 135;
    private const byte Hip = 139;
    private const byte Shim6 = 140;

    /// <summary>Decodes the IP header at <paramref name="offset"/> and moves it to the transport header.</summary>
    public static PacketReject Decode(ReadOnlySpan<byte> frame, ref int offset, int wireBytes, ref DecodedPacket packet)
    {
        if (frame.Length <= offset)
        {
            return PacketReject.TruncatedIp;
        }

        return (frame[offset] >> 4) switch
        {
            4 => DecodeV4(frame, ref offset, wireBytes, ref packet),
            6 => DecodeV6(frame, ref offset, wireBytes, ref packet),
            _ => PacketReject.BadIpHeader,
        };
    }

    //  0                   1                   2                   3
    // |Version|  IHL  |     TOS       |          Total Length         |
    // |         Identification        |Flags|     Fragment Offset     |
    // |      TTL      |   Protocol    |           Checksum            |
    // |                         Source, Destination                   |
    private static PacketReject DecodeV4(ReadOnlySpan<byte> frame, ref int offset, int wireBytes, ref DecodedPacket packet)
    {
        var header = frame[offset..];
        if (header.Length < V4Min)
        {
            return PacketReject.TruncatedIp;
        }

        var headerBytes = (header[0] & 0x0F) * 4;
        var total = BinaryPrimitives.ReadUInt16BigEndian(header[2..]);

        // The sender's offload leaves the length 0 for segments beyond 64 KiB: the wire knows.
        var ipBytes = total == 0 ? wireBytes : total;
        if (headerBytes < V4Min || ipBytes < headerBytes)
        {
            return PacketReject.BadIpHeader;
        }

        packet.IpBytes = (uint)ipBytes;
        packet.Protocol = header[9];
        packet.Src = NetAddress.FromV4(BinaryPrimitives.ReadUInt32BigEndian(header[12..]));
        packet.Dst = NetAddress.FromV4(BinaryPrimitives.ReadUInt32BigEndian(header[16..]));
        var fragment = BinaryPrimitives.ReadUInt16BigEndian(header[6..]);
        packet.IsLaterFragment = (fragment & 0x1FFF) != 0;
        packet.IsFragment = packet.IsLaterFragment || (fragment & 0x2000) != 0;
        packet.FragmentId = BinaryPrimitives.ReadUInt16BigEndian(header[4..]);
        offset += headerBytes;
        return header.Length < headerBytes ? PacketReject.TruncatedIp : PacketReject.None;
    }

    // |Version| Traffic Class |           Flow Label                  |
    // |         Payload Length        |  Next Header  |   Hop Limit   |
    // |                     Source, Destination (16 each)             |
    private static PacketReject DecodeV6(ReadOnlySpan<byte> frame, ref int offset, int wireBytes, ref DecodedPacket packet)
    {
        var header = frame[offset..];
        if (header.Length < V6Size)
        {
            return PacketReject.TruncatedIp;
        }

        var payload = BinaryPrimitives.ReadUInt16BigEndian(header[4..]);
        packet.IpBytes = payload == 0 ? (uint)Math.Max(wireBytes, V6Size) : (uint)(V6Size + payload);
        packet.Src = NetAddress.FromBytes(header.Slice(8, 16));
        packet.Dst = NetAddress.FromBytes(header.Slice(24, 16));
        packet.Protocol = header[6];
        offset += V6Size;
        return SkipExtensions(frame, ref offset, ref packet);
    }

    private static PacketReject SkipExtensions(ReadOnlySpan<byte> frame, ref int offset, ref DecodedPacket packet)
    {
        for (var count = 0; packet.Protocol is HopByHop or Routing or Fragment or Authentication or DestinationOptions or Mobility or Hip or Shim6; count++)
        {
            if (count == ExtensionsMax)
            {
                return PacketReject.TooManyExtensions;
            }

            if (frame.Length < offset + 8)
            {
                return PacketReject.TruncatedIp;
            }

            var extension = frame[offset..];
            if (packet.Protocol == Fragment)
            {
                var field = BinaryPrimitives.ReadUInt16BigEndian(extension[2..]);
                packet.IsLaterFragment = field >> 3 != 0;
                packet.IsFragment = packet.IsLaterFragment || (field & 1) != 0;
                packet.FragmentId = BinaryPrimitives.ReadUInt32BigEndian(extension[4..]);
            }

            // Lengths are in units of eight bytes beyond the first eight, but the authentication header counts fours beyond two (RFC 4302).
            offset += packet.Protocol switch
            {
                Fragment => 8,
                Authentication => (extension[1] + 2) * 4,
                _ => (extension[1] + 1) * 8,
            };
            packet.Protocol = extension[0];
            if (packet.IsLaterFragment)
            {
                break;
            }
        }

        return PacketReject.None;
    }
}
