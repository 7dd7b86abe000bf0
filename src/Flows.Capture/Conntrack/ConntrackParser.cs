using System.Buffers.Binary;
using Flows.Core.Facts;

namespace Flows.Capture.Conntrack;

/// <summary>
/// Decodes a ctnetlink message (nfgenmsg, then attributes, their numbers in network order). Never throws and never allocates:
/// whatever does not fit is false.
/// </summary>
internal static class ConntrackParser
{
    /// <summary>Decodes the message on which <paramref name="netlink"/> stands.</summary>
    public static bool TryParse(scoped in NetlinkReader netlink, out ConntrackMessage message)
    {
        message = default;
        if (netlink.Malformed || netlink.Payload.Length < CtMsg.GenericHeaderLength)
        {
            return false;
        }

        if (!TryKind(in netlink, out message.Kind))
        {
            return false;
        }

        message.IsDump = (netlink.Flags & NlMsg.FlagMulti) != 0;
        var hasOrig = false;
        var hasReply = false;
        var attributes = new AttributeReader(netlink.Payload[CtMsg.GenericHeaderLength..]);
        while (attributes.Next())
        {
            var value = attributes.Value;
            var good = attributes.Type switch
            {
                CtAttr.TupleOrig => hasOrig = TryTuple(value, isReply: false, out message.Orig, ref message.Zone),
                CtAttr.TupleReply => hasReply = TryTuple(value, isReply: true, out message.Reply, ref message.Zone),
                CtAttr.Status => TryU32(value, out message.Status),
                CtAttr.ProtoInfo => TryProtoInfo(value, ref message),
                CtAttr.CountersOrig => TryCounters(value, isReply: false, ref message),
                CtAttr.CountersReply => TryCounters(value, isReply: true, ref message),
                CtAttr.Id => TryU32(value, out message.Id),
                CtAttr.Zone => TryU16(value, out message.Zone),
                CtAttr.Timeout => TryU32(value, out message.TimeoutSeconds),
                CtAttr.Timestamp => TryTimestamp(value, ref message),
                CtAttr.TimestampEvent => TryU64(value, out message.EventNs),
                _ => true,
            };
            if (!good)
            {
                return false;
            }
        }

        return !attributes.Malformed && hasOrig && hasReply && message.Orig.Protocol == message.Reply.Protocol;
    }

    private static bool TryKind(scoped in NetlinkReader netlink, out ConntrackMessageKind kind)
    {
        // An event has sequence 0; an answer repeats the sequence of our request, which is never 0.
        kind = (netlink.Type, netlink.Sequence) switch
        {
            (CtMsg.New, not 0) => ConntrackMessageKind.Answer,
            (CtMsg.New, _) => (netlink.Flags & NlMsg.FlagCreate) != 0 ? ConntrackMessageKind.New : ConntrackMessageKind.Update,
            _ => ConntrackMessageKind.Destroy,
        };
        return netlink.Type is CtMsg.New or CtMsg.Delete;
    }

    private static bool TryTuple(ReadOnlySpan<byte> nest, bool isReply, out ConntrackTuple tuple, ref ushort zone)
    {
        tuple = default;
        var attributes = new AttributeReader(nest);
        var hasIp = false;
        var hasProto = false;
        while (attributes.Next())
        {
            var good = attributes.Type switch
            {
                CtAttr.TupleIp => hasIp = TryIp(attributes.Value, ref tuple),
                CtAttr.TupleProto => hasProto = TryProto(attributes.Value, isReply, ref tuple),
                CtAttr.TupleZone => TryTupleZone(attributes.Value, isReply, ref zone),
                _ => true,
            };
            if (!good)
            {
                return false;
            }
        }

        return !attributes.Malformed && hasIp && hasProto;
    }

    /// <summary>A zone that holds for one direction only stands inside the tuple; the original's is the connection's.</summary>
    private static bool TryTupleZone(ReadOnlySpan<byte> value, bool isReply, ref ushort zone)
    {
        if (!TryU16(value, out var tupleZone))
        {
            return false;
        }

        zone = isReply && zone != 0 ? zone : tupleZone;
        return true;
    }

    private static bool TryIp(ReadOnlySpan<byte> nest, ref ConntrackTuple tuple)
    {
        var attributes = new AttributeReader(nest);
        NetAddress? src = null;
        NetAddress? dst = null;
        while (attributes.Next())
        {
            var width = attributes.Type switch
            {
                CtAttr.IpV4Src or CtAttr.IpV4Dst => 4,
                CtAttr.IpV6Src or CtAttr.IpV6Dst => 16,
                _ => 0,
            };
            if (width == 0)
            {
                continue;
            }

            if (attributes.Value.Length != width)
            {
                return false;
            }

            var address = NetAddress.FromBytes(attributes.Value);
            if (attributes.Type is CtAttr.IpV4Src or CtAttr.IpV6Src)
            {
                src = address;
            }
            else if (attributes.Type is CtAttr.IpV4Dst or CtAttr.IpV6Dst)
            {
                dst = address;
            }
        }

        tuple = tuple with { Src = src.GetValueOrDefault(), Dst = dst.GetValueOrDefault() };
        return !attributes.Malformed && src is not null && dst is not null;
    }

    private static bool TryProto(ReadOnlySpan<byte> nest, bool isReply, ref ConntrackTuple tuple)
    {
        var attributes = new AttributeReader(nest);
        byte protocol = 0;
        byte type = 0;
        byte code = 0;
        ushort src = 0;
        ushort dst = 0;
        ushort id = 0;
        var hasProtocol = false;
        while (attributes.Next())
        {
            var value = attributes.Value;
            var good = attributes.Type switch
            {
                CtAttr.ProtoNum => hasProtocol = TryU8(value, out protocol),
                CtAttr.ProtoSrcPort => TryU16(value, out src),
                CtAttr.ProtoDstPort => TryU16(value, out dst),
                CtAttr.ProtoIcmpId or CtAttr.ProtoIcmpV6Id => TryU16(value, out id),
                CtAttr.ProtoIcmpType or CtAttr.ProtoIcmpV6Type => TryU8(value, out type),
                CtAttr.ProtoIcmpCode or CtAttr.ProtoIcmpV6Code => TryU8(value, out code),
                _ => true,
            };
            if (!good)
            {
                return false;
            }
        }

        var isIcmp = protocol is IpProtocol.Icmp or IpProtocol.IcmpV6;
        tuple = tuple with
        {
            Protocol = protocol,
            SrcPort = isIcmp && !isReply ? id : src,
            DstPort = isIcmp && isReply ? id : dst,
            IcmpTypeCode = (ushort)((type << 8) | code),
        };
        return !attributes.Malformed && hasProtocol;
    }

    private static bool TryProtoInfo(ReadOnlySpan<byte> nest, ref ConntrackMessage message)
    {
        var protocols = new AttributeReader(nest);
        while (protocols.Next())
        {
            if (protocols.Type != CtAttr.ProtoInfoTcp)
            {
                continue;
            }

            var attributes = new AttributeReader(protocols.Value);
            while (attributes.Next())
            {
                var good = attributes.Type switch
                {
                    CtAttr.TcpState => message.HasTcp = TryU8(attributes.Value, out message.TcpState),

                    // struct nf_ct_tcp_flags: flags, mask.
                    CtAttr.TcpFlagsOrig => attributes.Value.Length == 2 && TryU8(attributes.Value[..1], out message.TcpOrigFlags),
                    _ => true,
                };
                if (!good)
                {
                    return false;
                }
            }

            if (attributes.Malformed)
            {
                return false;
            }
        }

        return !protocols.Malformed;
    }

    private static bool TryCounters(ReadOnlySpan<byte> nest, bool isReply, ref ConntrackMessage message)
    {
        var attributes = new AttributeReader(nest);
        ulong packets = 0;
        ulong bytes = 0;
        while (attributes.Next())
        {
            var value = attributes.Value;
            var good = attributes.Type switch
            {
                CtAttr.CounterPackets => TryU64(value, out packets),
                CtAttr.CounterBytes => TryU64(value, out bytes),
                CtAttr.CounterPackets32 => TryU32Wide(value, out packets),
                CtAttr.CounterBytes32 => TryU32Wide(value, out bytes),
                _ => true,
            };
            if (!good)
            {
                return false;
            }
        }

        message.HasCounters = true;
        message.Counters = isReply
            ? message.Counters with { ReplyPackets = packets, ReplyBytes = bytes }
            : message.Counters with { OrigPackets = packets, OrigBytes = bytes };
        return !attributes.Malformed;
    }

    private static bool TryTimestamp(ReadOnlySpan<byte> nest, ref ConntrackMessage message)
    {
        var attributes = new AttributeReader(nest);
        while (attributes.Next())
        {
            var good = attributes.Type switch
            {
                CtAttr.TimestampStart => TryU64(attributes.Value, out message.StartNs),
                CtAttr.TimestampStop => TryU64(attributes.Value, out message.StopNs),
                _ => true,
            };
            if (!good)
            {
                return false;
            }
        }

        return !attributes.Malformed;
    }

    private static bool TryU8(ReadOnlySpan<byte> value, out byte number)
    {
        number = value.Length == sizeof(byte) ? value[0] : (byte)0;
        return value.Length == sizeof(byte);
    }

    private static bool TryU16(ReadOnlySpan<byte> value, out ushort number)
    {
        number = 0;
        return value.Length == sizeof(ushort) && BinaryPrimitives.TryReadUInt16BigEndian(value, out number);
    }

    private static bool TryU32(ReadOnlySpan<byte> value, out uint number)
    {
        number = 0;
        return value.Length == sizeof(uint) && BinaryPrimitives.TryReadUInt32BigEndian(value, out number);
    }

    private static bool TryU32Wide(ReadOnlySpan<byte> value, out ulong number)
    {
        var good = TryU32(value, out var narrow);
        number = narrow;
        return good;
    }

    private static bool TryU64(ReadOnlySpan<byte> value, out ulong number)
    {
        number = 0;
        return value.Length == sizeof(ulong) && BinaryPrimitives.TryReadUInt64BigEndian(value, out number);
    }
}
