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
        NetAddress src = default;
        NetAddress dst = default;
        ProtoPart proto = default;
        var hasIp = false;
        var hasProto = false;
        while (attributes.Next())
        {
            var good = attributes.Type switch
            {
                CtAttr.TupleIp => hasIp = TryIp(attributes.Value, out src, out dst),
                CtAttr.TupleProto => hasProto = TryProto(attributes.Value, out proto),
                CtAttr.TupleZone => TryTupleZone(attributes.Value, isReply, ref zone),
                _ => true,
            };
            if (!good)
            {
                return false;
            }
        }

        var isIcmp = proto.Protocol is IpProtocol.Icmp or IpProtocol.IcmpV6;
        tuple = new ConntrackTuple(
            src,
            dst,
            isIcmp && !isReply ? proto.Id : proto.Src,
            isIcmp && isReply ? proto.Id : proto.Dst,
            proto.Protocol,
            (ushort)((proto.Type << 8) | proto.Code));
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

    private static bool TryIp(ReadOnlySpan<byte> nest, out NetAddress src, out NetAddress dst)
    {
        var attributes = new AttributeReader(nest);
        src = default;
        dst = default;
        var hasSrc = false;
        var hasDst = false;
        while (attributes.Next())
        {
            var good = attributes.Type switch
            {
                CtAttr.IpV4Src => hasSrc = TryAddress(attributes.Value, 4, out src),
                CtAttr.IpV4Dst => hasDst = TryAddress(attributes.Value, 4, out dst),
                CtAttr.IpV6Src => hasSrc = TryAddress(attributes.Value, 16, out src),
                CtAttr.IpV6Dst => hasDst = TryAddress(attributes.Value, 16, out dst),
                _ => true,
            };
            if (!good)
            {
                return false;
            }
        }

        return !attributes.Malformed && hasSrc && hasDst;
    }

    private static bool TryAddress(ReadOnlySpan<byte> value, int width, out NetAddress address)
    {
        address = value.Length == width ? NetAddress.FromBytes(value) : default;
        return value.Length == width;
    }

    private static bool TryProto(ReadOnlySpan<byte> nest, out ProtoPart proto)
    {
        var attributes = new AttributeReader(nest);
        proto = default;
        var hasProtocol = false;
        while (attributes.Next())
        {
            var value = attributes.Value;
            var good = attributes.Type switch
            {
                CtAttr.ProtoNum => hasProtocol = TryU8(value, out proto.Protocol),
                CtAttr.ProtoSrcPort => TryU16(value, out proto.Src),
                CtAttr.ProtoDstPort => TryU16(value, out proto.Dst),
                CtAttr.ProtoIcmpId or CtAttr.ProtoIcmpV6Id => TryU16(value, out proto.Id),
                CtAttr.ProtoIcmpType or CtAttr.ProtoIcmpV6Type => TryU8(value, out proto.Type),
                CtAttr.ProtoIcmpCode or CtAttr.ProtoIcmpV6Code => TryU8(value, out proto.Code),
                _ => true,
            };
            if (!good)
            {
                return false;
            }
        }

        return !attributes.Malformed && hasProtocol;
    }

    private static bool TryProtoInfo(ReadOnlySpan<byte> nest, ref ConntrackMessage message)
    {
        var protocols = new AttributeReader(nest);
        while (protocols.Next())
        {
            var good = protocols.Type switch
            {
                CtAttr.ProtoInfoTcp => TryTcp(protocols.Value, ref message),
                CtAttr.ProtoInfoSctp => TrySctp(protocols.Value, ref message),
                _ => true,
            };
            if (!good)
            {
                return false;
            }
        }

        return !protocols.Malformed;
    }

    private static bool TryTcp(ReadOnlySpan<byte> nest, ref ConntrackMessage message)
    {
        var attributes = new AttributeReader(nest);
        while (attributes.Next())
        {
            var good = attributes.Type switch
            {
                CtAttr.TcpState => message.HasProtoState = TryU8(attributes.Value, out message.ProtoState),

                // struct nf_ct_tcp_flags: flags, mask.
                CtAttr.TcpFlagsOrig => attributes.Value.Length == 2 && TryU8(attributes.Value[..1], out message.TcpOrigFlags),
                _ => true,
            };
            if (!good)
            {
                return false;
            }
        }

        return !attributes.Malformed;
    }

    private static bool TrySctp(ReadOnlySpan<byte> nest, ref ConntrackMessage message)
    {
        var attributes = new AttributeReader(nest);
        while (attributes.Next())
        {
            if (attributes.Type == CtAttr.SctpState && !(message.HasProtoState = TryU8(attributes.Value, out message.ProtoState)))
            {
                return false;
            }
        }

        return !attributes.Malformed;
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
        if (isReply)
        {
            message.Counters.ReplyPackets = packets;
            message.Counters.ReplyBytes = bytes;
        }
        else
        {
            message.Counters.OrigPackets = packets;
            message.Counters.OrigBytes = bytes;
        }

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

    /// <summary>The protocol's part of a tuple, as it stands in the message.</summary>
    private ref struct ProtoPart
    {
        public ushort Src;
        public ushort Dst;
        public ushort Id;
        public byte Protocol;
        public byte Type;
        public byte Code;
    }
}
