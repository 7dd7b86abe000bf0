using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Flows.Capture.Packets;

/// <summary>Link types as capture files number them (https://www.tcpdump.org/linktypes.html).</summary>
public static class LinkType
{
    public const int Null = 0;
    public const int Ethernet = 1;
    public const int Ppp = 9;
    public const int PppHdlc = 50;
    public const int RawBsd = 12;
    public const int RawOpenBsd = 14;
    public const int Raw = 101;
    public const int CiscoHdlc = 104;
    public const int Loop = 108;
    public const int LinuxSll = 113;
    public const int Ipv4 = 228;
    public const int Ipv6 = 229;
    public const int Netlink = 253;
    public const int LinuxSll2 = 276;
}

/// <summary>Finds the IP header behind the link layer's headers.</summary>
/// <remarks>Each loop has a fixed bound and each read its length check: a frame is written by strangers.</remarks>
internal static class LinkLayer
{
    public const int EtherTypeIpv4 = 0x0800;
    public const int EtherTypeIpv6 = 0x86DD;
    private const int EtherTypeVlan = 0x8100;
    private const int EtherTypeServiceVlan = 0x88A8;
    private const int EtherTypeOldServiceVlan = 0x9100;
    private const int EtherTypeMpls = 0x8847;
    private const int EtherTypePppoeSession = 0x8864;
    private const int TagsMax = 2;
    private const int LabelsMax = 8;

    /// <summary>Stands for "IP of whichever version its first four bits say".</summary>
    private const int AnyIp = -1;

    /// <summary>Sets the offset of the IP header, which lies within the frame, and its version.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DecodeResult FindIp(ReadOnlySpan<byte> frame, int linkType, out int offset, out int version)
    {
        // Nearly every frame is Ethernet with IP at once behind it; all else takes the long way.
        const int EthernetHeader = 14;
        if (linkType == LinkType.Ethernet && frame.Length > EthernetHeader)
        {
            var etherType = BinaryPrimitives.ReadUInt16BigEndian(frame[12..]);
            offset = EthernetHeader;
            version = frame[EthernetHeader] >> 4;
            if ((etherType == EtherTypeIpv4 && version == 4) || (etherType == EtherTypeIpv6 && version == 6))
            {
                return DecodeResult.Ok;
            }
        }

        return WalkToIp(frame, linkType, out offset, out version);
    }

    private static DecodeResult WalkToIp(ReadOnlySpan<byte> frame, int linkType, out int offset, out int version)
    {
        version = 0;
        var found = FindEtherType(frame, linkType, out offset, out var etherType);
        if (found == DecodeResult.Ok && etherType is EtherTypeVlan or EtherTypeServiceVlan or EtherTypeOldServiceVlan)
        {
            found = SkipTags(frame, ref offset, ref etherType);
        }

        if (found == DecodeResult.Ok && etherType == EtherTypePppoeSession)
        {
            // RFC 2516 4: version, code, session and length, then a PPP frame without address and control.
            offset += 6;
            found = ReadPppProtocol(frame, ref offset, out etherType);
        }

        if (found == DecodeResult.Ok && etherType == EtherTypeMpls)
        {
            found = SkipLabels(frame, ref offset);
            etherType = AnyIp;
        }

        if (found != DecodeResult.Ok)
        {
            return found;
        }

        if (etherType is not (EtherTypeIpv4 or EtherTypeIpv6 or AnyIp))
        {
            return DecodeResult.NotIp;
        }

        if (offset >= frame.Length)
        {
            return DecodeResult.TruncatedIp;
        }

        version = frame[offset] >> 4;
        var expected = etherType switch { EtherTypeIpv4 => version == 4, EtherTypeIpv6 => version == 6, _ => version is 4 or 6 };
        return expected ? DecodeResult.Ok : DecodeResult.BadIpHeader;
    }

    private static DecodeResult FindEtherType(ReadOnlySpan<byte> frame, int linkType, out int offset, out int etherType)
    {
        switch (linkType)
        {
            case LinkType.Ethernet:
                return ReadEtherType(frame, at: 12, headerBytes: 14, out offset, out etherType);
            case LinkType.LinuxSll:
                return ReadEtherType(frame, at: 14, headerBytes: 16, out offset, out etherType);
            case LinkType.LinuxSll2:
                return ReadEtherType(frame, at: 0, headerBytes: 20, out offset, out etherType);
            case LinkType.CiscoHdlc:
                return ReadEtherType(frame, at: 2, headerBytes: 4, out offset, out etherType);
            case LinkType.Raw or LinkType.RawBsd or LinkType.RawOpenBsd:
                offset = 0;
                etherType = AnyIp;
                return DecodeResult.Ok;
            case LinkType.Ipv4:
                offset = 0;
                etherType = EtherTypeIpv4;
                return DecodeResult.Ok;
            case LinkType.Ipv6:
                offset = 0;
                etherType = EtherTypeIpv6;
                return DecodeResult.Ok;
            case LinkType.Null or LinkType.Loop:
                return ReadAddressFamily(frame, out offset, out etherType);
            case LinkType.Ppp or LinkType.PppHdlc:
                // RFC 1662 3.1: address FF and control 03 may be left out.
                offset = frame.Length >= 2 && frame[0] == 0xFF && frame[1] == 0x03 ? 2 : 0;
                return ReadPppProtocol(frame, ref offset, out etherType);
            default:
                offset = 0;
                etherType = 0;
                return DecodeResult.LinkTypeUnsupported;
        }
    }

    private static DecodeResult ReadEtherType(ReadOnlySpan<byte> frame, int at, int headerBytes, out int offset, out int etherType)
    {
        offset = headerBytes;
        etherType = 0;
        if (frame.Length < headerBytes)
        {
            return DecodeResult.TruncatedL2;
        }

        etherType = BinaryPrimitives.ReadUInt16BigEndian(frame[at..]);
        return DecodeResult.Ok;
    }

    /// <summary>BSD loopback: the address family in the byte order of the machine that captured (LOOP: big endian).</summary>
    private static DecodeResult ReadAddressFamily(ReadOnlySpan<byte> frame, out int offset, out int etherType)
    {
        offset = 4;
        etherType = 0;
        if (frame.Length < 4)
        {
            return DecodeResult.TruncatedL2;
        }

        // Families are small numbers, so the half that is not zero tells the byte order.
        var family = BinaryPrimitives.ReadUInt32BigEndian(frame);
        family = family > 0xFFFF ? BinaryPrimitives.ReverseEndianness(family) : family;

        // AF_INET is 2 everywhere; AF_INET6 is 10 on Linux, 24 on NetBSD and OpenBSD, 28 on FreeBSD, 30 on Darwin.
        etherType = family switch { 2 => EtherTypeIpv4, 10 or 24 or 28 or 30 => EtherTypeIpv6, _ => 0 };
        return DecodeResult.Ok;
    }

    /// <summary>Reads the PPP protocol field, which may be compressed to one byte (RFC 1661 6.5).</summary>
    private static DecodeResult ReadPppProtocol(ReadOnlySpan<byte> frame, ref int offset, out int etherType)
    {
        etherType = 0;
        if (frame.Length < offset + 2)
        {
            return DecodeResult.TruncatedL2;
        }

        int protocol = frame[offset++];
        if ((protocol & 1) == 0)
        {
            protocol = (protocol << 8) | frame[offset++];
        }

        etherType = protocol switch { 0x21 => EtherTypeIpv4, 0x57 => EtherTypeIpv6, 0x281 => EtherTypeMpls, _ => 0 };
        return DecodeResult.Ok;
    }

    private static DecodeResult SkipTags(ReadOnlySpan<byte> frame, ref int offset, ref int etherType)
    {
        for (var tags = 0; etherType is EtherTypeVlan or EtherTypeServiceVlan or EtherTypeOldServiceVlan; tags++)
        {
            if (tags == TagsMax)
            {
                return DecodeResult.TooManyTags;
            }

            if (frame.Length < offset + 4)
            {
                return DecodeResult.TruncatedL2;
            }

            etherType = BinaryPrimitives.ReadUInt16BigEndian(frame[(offset + 2)..]);
            offset += 4;
        }

        return DecodeResult.Ok;
    }

    /// <summary>RFC 3032 2.1: label, class, bottom-of-stack bit and TTL in four bytes.</summary>
    private static DecodeResult SkipLabels(ReadOnlySpan<byte> frame, ref int offset)
    {
        for (var labels = 0; labels < LabelsMax; labels++)
        {
            if (frame.Length < offset + 4)
            {
                return DecodeResult.TruncatedL2;
            }

            var bottom = (frame[offset + 2] & 1) != 0;
            offset += 4;
            if (bottom)
            {
                return DecodeResult.Ok;
            }
        }

        return DecodeResult.TooManyTags;
    }
}
