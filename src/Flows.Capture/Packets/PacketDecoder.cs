using System.Buffers.Binary;
using Flows.Core.Facts;

namespace Flows.Capture.Packets;

/// <summary>
/// Reads the headers that flow tracking needs from one captured frame. It never throws, allocates nothing, and takes a bounded
/// number of steps on any bytes: a frame is written by strangers.
/// </summary>
public static class PacketDecoder
{
    private const int ExtensionsMax = 8;
    private const int WireLengthMax = 1 << 24;
    private const int Ipv4HeaderMin = 20;
    private const int Ipv6Header = 40;

    // IPv6 next-header values (IANA ipv6-parameters) that lead on to another header.
    private const byte HopByHop = 0;
    private const byte Routing = 43;
    private const byte FragmentHeader = 44;
    private const byte Authentication = 51;
    private const byte NoNextHeader = 59;
    private const byte DestinationOptions = 60;
    private const byte Mobility = 135;
    private const byte Hip = 139;
    private const byte Shim6 = 140;

    /// <summary>Decodes one frame: the innermost packet of up to two tunnels that decodes, with its own IP length.</summary>
    /// <param name="frame">The captured bytes, from the first byte of the link layer.</param>
    /// <param name="linkType">See <see cref="LinkType"/>.</param>
    /// <param name="wireLength">Bytes that the frame had on the wire.</param>
    /// <param name="packet">Filled where the result is <see cref="DecodeResult.Ok"/>, otherwise without meaning.</param>
    public static DecodeResult Decode(ReadOnlySpan<byte> frame, int linkType, int wireLength, ref DecodedPacket packet)
    {
        var result = DecodeOutermost(frame, linkType, wireLength, ref packet);
        for (var level = 0; result == DecodeResult.Ok && level < TunnelDecoder.LevelsMax && TunnelDecoder.TryDescend(frame, ref packet); level++)
        {
        }

        return result;
    }

    /// <summary>Decodes one frame as <see cref="Decode"/> does, but leaves tunnels closed.</summary>
    internal static DecodeResult DecodeOutermost(ReadOnlySpan<byte> frame, int linkType, int wireLength, ref DecodedPacket packet)
    {
        var found = LinkLayer.FindIp(frame, linkType, out var offset, out var version);
        if (found != DecodeResult.Ok)
        {
            return found;
        }

        // A wire length is what the file says: never less than what was captured, and no packet is longer than 16 MiB.
        wireLength = Math.Min(Math.Max(wireLength, frame.Length), WireLengthMax);
        return DecodeIp(frame, offset, version, wireLength, ref packet);
    }

    /// <summary>Decodes the IP packet at the offset, of a version that was found to be 4 or 6.</summary>
    internal static DecodeResult DecodeIp(ReadOnlySpan<byte> frame, int offset, int version, int wireLength, ref DecodedPacket packet)
    {
        packet = default;
        packet.IpOffset = offset;
        return version == 4 ? DecodeIpv4(frame, offset, wireLength, ref packet) : DecodeIpv6(frame, offset, wireLength, ref packet);
    }

    /// <summary>
    /// Decodes the packet that an ICMP error quotes. RFC 792 promises its IP header and eight bytes more: addresses and ports,
    /// but no TCP flags. False where less is there.
    /// </summary>
    public static bool DecodeQuote(ReadOnlySpan<byte> frame, int offset, ref DecodedPacket quoted)
    {
        quoted = default;
        if (frame.Length < offset + Ipv4HeaderMin)
        {
            return false;
        }

        int transport;
        var ip = frame[offset..];
        if (ip[0] >> 4 == 4)
        {
            ReadIpv4Addresses(ip, ref quoted);
            quoted.Protocol = ip[9];
            transport = (ip[0] & 0xF) * 4;
        }
        else if (ip[0] >> 4 == 6 && ip.Length >= Ipv6Header)
        {
            ReadIpv6Addresses(ip, ref quoted);
            quoted.Protocol = ip[6];
            transport = Ipv6Header;
        }
        else
        {
            return false;
        }

        if (transport < Ipv4HeaderMin || quoted.Protocol is not (IpProtocol.Tcp or IpProtocol.Udp or IpProtocol.Sctp) || ip.Length < transport + 4)
        {
            return false;
        }

        TransportDecoder.ReadPorts(ip[transport..], ref quoted);
        return true;
    }

    /// <summary>RFC 791 3.1.</summary>
    private static DecodeResult DecodeIpv4(ReadOnlySpan<byte> frame, int offset, int wireLength, ref DecodedPacket packet)
    {
        var ip = frame[offset..];
        if (ip.Length < Ipv4HeaderMin)
        {
            return DecodeResult.TruncatedIp;
        }

        var headerBytes = (ip[0] & 0xF) * 4;
        int totalBytes = BinaryPrimitives.ReadUInt16BigEndian(ip[2..]);
        if (totalBytes == 0)
        {
            // Segmentation offload writes 0 where the packet is longer than the field can say; the wire length then counts.
            totalBytes = Math.Max(wireLength - offset, 0);
        }

        if (headerBytes < Ipv4HeaderMin || totalBytes < headerBytes)
        {
            return DecodeResult.BadIpHeader;
        }

        if (ip.Length < headerBytes)
        {
            return DecodeResult.TruncatedIp;
        }

        ReadIpv4Addresses(ip, ref packet);
        packet.IpBytes = (uint)totalBytes;
        packet.Protocol = ip[9];
        var fragment = BinaryPrimitives.ReadUInt16BigEndian(ip[6..]);
        if ((fragment & 0x3FFF) != 0)
        {
            packet.FragmentId = BinaryPrimitives.ReadUInt16BigEndian(ip[4..]);
            packet.Fragment = (fragment & 0x1FFF) == 0 ? Fragment.First : Fragment.Later;
        }

        // Short frames are padded on the wire: what lies beyond the datagram's end is no payload.
        var end = Math.Min(ip.Length, totalBytes);
        return TransportDecoder.Decode(frame[..(offset + end)], offset + headerBytes, ref packet);
    }

    /// <summary>RFC 8200 3 and 4.</summary>
    private static DecodeResult DecodeIpv6(ReadOnlySpan<byte> frame, int offset, int wireLength, ref DecodedPacket packet)
    {
        var ip = frame[offset..];
        if (ip.Length < Ipv6Header)
        {
            return DecodeResult.TruncatedIp;
        }

        int payloadBytes = BinaryPrimitives.ReadUInt16BigEndian(ip[4..]);
        var next = ip[6];
        if (payloadBytes == 0 && next != NoNextHeader)
        {
            // A jumbogram (RFC 2675) or an offloaded packet beyond 64 KiB: the wire length counts.
            payloadBytes = Math.Max(wireLength - offset - Ipv6Header, 0);
        }

        ReadIpv6Addresses(ip, ref packet);
        packet.IpBytes = (uint)(Ipv6Header + payloadBytes);
        var datagram = frame[..(offset + Math.Min(ip.Length, Ipv6Header + payloadBytes))];
        var at = offset + Ipv6Header;
        for (var extensions = 0; IsExtension(next); extensions++)
        {
            if (extensions == ExtensionsMax)
            {
                return DecodeResult.TooManyExtensions;
            }

            if (datagram.Length < at + 8)
            {
                return DecodeResult.TruncatedIp;
            }

            var header = datagram[at..];
            if (next == FragmentHeader && ReadFragmentHeader(header, ref packet) == Fragment.Later)
            {
                packet.Protocol = header[0];
                return DecodeResult.Ok;
            }

            at += next switch
            {
                FragmentHeader => 8,
                Authentication => (header[1] + 2) * 4,
                _ => (header[1] + 1) * 8,
            };
            next = header[0];
        }

        packet.Protocol = next;
        return at > datagram.Length ? DecodeResult.TruncatedIp : TransportDecoder.Decode(datagram, at, ref packet);
    }

    /// <summary>True for next-header values that lead on to another header.</summary>
    internal static bool IsExtension(byte next) =>
        next is HopByHop or Routing or FragmentHeader or Authentication or DestinationOptions or Mobility or Hip or Shim6;

    /// <summary>RFC 8200 4.5. An offset of 0 without more fragments is a whole datagram (RFC 6946).</summary>
    private static Fragment ReadFragmentHeader(ReadOnlySpan<byte> header, ref DecodedPacket packet)
    {
        var offsetAndMore = BinaryPrimitives.ReadUInt16BigEndian(header[2..]);
        packet.FragmentId = BinaryPrimitives.ReadUInt32BigEndian(header[4..]);
        packet.Fragment = (offsetAndMore & 0xFFF8) != 0 ? Fragment.Later : (offsetAndMore & 1) != 0 ? Fragment.First : Fragment.None;
        return packet.Fragment;
    }

    private static void ReadIpv4Addresses(ReadOnlySpan<byte> ip, ref DecodedPacket packet)
    {
        packet.Src = NetAddress.FromV4(BinaryPrimitives.ReadUInt32BigEndian(ip[12..]));
        packet.Dst = NetAddress.FromV4(BinaryPrimitives.ReadUInt32BigEndian(ip[16..]));
    }

    private static void ReadIpv6Addresses(ReadOnlySpan<byte> ip, ref DecodedPacket packet)
    {
        packet.Src = new(BinaryPrimitives.ReadUInt64BigEndian(ip[8..]), BinaryPrimitives.ReadUInt64BigEndian(ip[16..]));
        packet.Dst = new(BinaryPrimitives.ReadUInt64BigEndian(ip[24..]), BinaryPrimitives.ReadUInt64BigEndian(ip[32..]));
    }
}
