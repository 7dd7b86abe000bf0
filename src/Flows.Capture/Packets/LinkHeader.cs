using System.Buffers.Binary;

namespace Flows.Capture.Packets;

/// <summary>The link types that carry IP, and how to reach it: Ethernet with tags, Linux cooked, raw, loopback, PPP.</summary>
internal static class LinkHeader
{
    private const int Null = 0;
    private const int Ethernet = 1;
    private const int Ppp = 9;
    private const int RawBsd = 12;
    private const int RawOpenBsd = 14;
    private const int Raw = 101;
    private const int OpenBsdLoop = 108;
    private const int LinuxCooked = 113;
    private const int Ipv4 = 228;
    private const int Ipv6 = 229;
    private const int LinuxCooked2 = 276;

    private const ushort TypeIpv4 = 0x0800;
    private const ushort TypeIpv6 = 0x86DD;
    private const ushort TypeVlan = 0x8100;
    private const ushort TypeVlanProvider = 0x88A8;
    private const ushort TypeVlanOld = 0x9100;
    private const ushort TypePppoeSession = 0x8864;
    private const ushort TypeMpls = 0x8847;

    // One customer and one provider tag (802.1ad); MPLS stacks in data centres are as short.
    private const int TagsMax = 2;
    private const int LabelsMax = 4;

    private const ushort PppIpv4 = 0x0021;
    private const ushort PppIpv6 = 0x0057;

    /// <summary>Finds where the IP header begins.</summary>
    public static PacketReject Skip(ReadOnlySpan<byte> frame, int linkType, out int offset)
    {
        offset = 0;
        switch (linkType)
        {
            case Ethernet:
                return SkipEthernet(frame, 12, ref offset);

            // The protocol stands in the last two bytes of the first cooked header, in the first two of the second.
            case LinuxCooked:
                return SkipEthernet(frame, 14, ref offset);
            case LinuxCooked2:
                return frame.Length < 20 ? PacketReject.TruncatedLink : SkipTyped(frame, BinaryPrimitives.ReadUInt16BigEndian(frame), 20, ref offset);
            case Raw or RawBsd or RawOpenBsd or Ipv4 or Ipv6:
                return PacketReject.None;
            case Null or OpenBsdLoop:
                return SkipLoopback(frame, ref offset);
            case Ppp:
                // Some writers keep the HDLC address and control bytes (RFC 1662).
                offset = frame.Length > 1 && frame[0] == 0xFF && frame[1] == 0x03 ? 2 : 0;
                return SkipPpp(frame, ref offset);
            default:
                return PacketReject.LinkTypeUnsupported;
        }
    }

    private static PacketReject SkipEthernet(ReadOnlySpan<byte> frame, int typeAt, ref int offset) => frame.Length < typeAt + 2
        ? PacketReject.TruncatedLink
        : SkipTyped(frame, BinaryPrimitives.ReadUInt16BigEndian(frame[typeAt..]), typeAt + 2, ref offset);

    /// <summary>Follows an EtherType through tags to IP.</summary>
    private static PacketReject SkipTyped(ReadOnlySpan<byte> frame, ushort type, int at, ref int offset)
    {
        for (var tags = 0; type is TypeVlan or TypeVlanProvider or TypeVlanOld; tags++)
        {
            if (tags == TagsMax)
            {
                return PacketReject.TooManyTags;
            }

            if (frame.Length < at + 4)
            {
                return PacketReject.TruncatedLink;
            }

            type = BinaryPrimitives.ReadUInt16BigEndian(frame[(at + 2)..]);
            at += 4;
        }

        offset = at;
        switch (type)
        {
            case TypeIpv4 or TypeIpv6:
                return PacketReject.None;
            case TypeMpls:
                return SkipMpls(frame, ref offset);
            case TypePppoeSession:
                // Version, type, code, session, length (RFC 2516 4).
                offset += 6;
                return SkipPpp(frame, ref offset);
            default:
                return PacketReject.NotIp;
        }
    }

    private static PacketReject SkipMpls(ReadOnlySpan<byte> frame, ref int offset)
    {
        for (var labels = 0; labels < LabelsMax; labels++)
        {
            if (frame.Length < offset + 4)
            {
                return PacketReject.TruncatedLink;
            }

            var bottom = (frame[offset + 2] & 1) != 0;
            offset += 4;
            if (bottom)
            {
                // The label stack does not say what it carries; the version nibble does, and 0 is a pseudowire (RFC 4928).
                return frame.Length <= offset ? PacketReject.TruncatedIp : frame[offset] >> 4 is 4 or 6 ? PacketReject.None : PacketReject.NotIp;
            }
        }

        return PacketReject.TooManyTags;
    }

    private static PacketReject SkipPpp(ReadOnlySpan<byte> frame, ref int offset)
    {
        if (frame.Length < offset + 2)
        {
            return PacketReject.TruncatedLink;
        }

        var protocol = BinaryPrimitives.ReadUInt16BigEndian(frame[offset..]);
        offset += 2;
        return protocol is PppIpv4 or PppIpv6 ? PacketReject.None : PacketReject.NotIp;
    }

    /// <summary>The address family stands in four bytes of the writer's byte order; AF_INET is 2, AF_INET6 is 10, 24, 28 or 30.</summary>
    private static PacketReject SkipLoopback(ReadOnlySpan<byte> frame, ref int offset)
    {
        if (frame.Length < 4)
        {
            return PacketReject.TruncatedLink;
        }

        offset = 4;
        var family = BinaryPrimitives.ReadUInt32LittleEndian(frame);
        family = family > 0xFFFF ? BinaryPrimitives.ReverseEndianness(family) : family;
        return family is 2 or 10 or 24 or 28 or 30 ? PacketReject.None : PacketReject.NotIp;
    }
}
