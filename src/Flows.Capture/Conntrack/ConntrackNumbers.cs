namespace Flows.Capture.Conntrack;

// The numbers of ctnetlink: linux/netlink.h, linux/netfilter/nfnetlink.h, nfnetlink_conntrack.h, nf_conntrack_common.h, nf_conntrack_tcp.h.

internal static class NlMsg
{
    public const int HeaderLength = 16;
    public const ushort Error = 2;
    public const ushort Done = 3;
    public const ushort FlagRequest = 0x1;
    public const ushort FlagMulti = 0x2;
    public const ushort FlagDumpInterrupted = 0x10;
    public const ushort FlagDump = 0x300;
    public const ushort FlagCreate = 0x400;

    public static int Align(int length) => (length + 3) & ~3;
}

internal static class CtMsg
{
    /// <summary>Length of struct nfgenmsg: family, version, resource id.</summary>
    public const int GenericHeaderLength = 4;

    public const byte Subsystem = 1;
    public const ushort New = (Subsystem << 8) | 0;
    public const ushort Get = (Subsystem << 8) | 1;
    public const ushort Delete = (Subsystem << 8) | 2;
    public const ushort GetStatsCpu = (Subsystem << 8) | 4;
    public const ushort GetStats = (Subsystem << 8) | 5;

    /// <summary>NFNLGRP_CONNTRACK_NEW, _UPDATE and _DESTROY are the groups 1 to 3.</summary>
    public const uint GroupsAll = 0b111;
}

internal static class CtAttr
{
    public const int HeaderLength = 4;

    /// <summary>Without NLA_F_NESTED and NLA_F_NET_BYTEORDER.</summary>
    public const ushort TypeMask = 0x3FFF;

    public const ushort Nested = 0x8000;

    public const ushort TupleOrig = 1;
    public const ushort TupleReply = 2;
    public const ushort Status = 3;
    public const ushort ProtoInfo = 4;
    public const ushort Timeout = 7;
    public const ushort CountersOrig = 9;
    public const ushort CountersReply = 10;
    public const ushort Id = 12;
    public const ushort Zone = 18;
    public const ushort Timestamp = 20;
    public const ushort TimestampEvent = 27;

    public const ushort TupleIp = 1;
    public const ushort TupleProto = 2;
    public const ushort TupleZone = 3;

    public const ushort IpV4Src = 1;
    public const ushort IpV4Dst = 2;
    public const ushort IpV6Src = 3;
    public const ushort IpV6Dst = 4;

    public const ushort ProtoNum = 1;
    public const ushort ProtoSrcPort = 2;
    public const ushort ProtoDstPort = 3;
    public const ushort ProtoIcmpId = 4;
    public const ushort ProtoIcmpType = 5;
    public const ushort ProtoIcmpCode = 6;
    public const ushort ProtoIcmpV6Id = 7;
    public const ushort ProtoIcmpV6Type = 8;
    public const ushort ProtoIcmpV6Code = 9;

    public const ushort ProtoInfoTcp = 1;
    public const ushort ProtoInfoSctp = 3;
    public const ushort SctpState = 1;
    public const ushort TcpState = 1;
    public const ushort TcpFlagsOrig = 4;

    public const ushort CounterPackets = 1;
    public const ushort CounterBytes = 2;
    public const ushort CounterPackets32 = 3;
    public const ushort CounterBytes32 = 4;

    public const ushort StatsInsertFailed = 9;
    public const ushort StatsDrop = 10;
    public const ushort StatsEarlyDrop = 11;
    public const ushort StatsGlobalEntries = 1;
    public const ushort StatsGlobalEntriesMax = 2;

    public const ushort TimestampStart = 1;
    public const ushort TimestampStop = 2;
}

internal static class CtStatus
{
    public const uint SeenReply = 1 << 1;
}

/// <summary>IP_CT_TCP_FLAG_*: what conntrack knows of one side of a TCP connection.</summary>
internal static class CtTcpFlags
{
    public const byte WindowScale = 0x01;
    public const byte BeLiberal = 0x08;
}

/// <summary>enum tcp_conntrack.</summary>
internal static class TcpStates
{
    public const byte SynSent = 1;
    public const byte SynRecv = 2;
    public const byte Established = 3;
    public const byte LastAck = 6;
    public const byte TimeWait = 7;
    public const byte Close = 8;
    public const byte SynSent2 = 9;
}

/// <summary>enum sctp_conntrack.</summary>
internal static class SctpStates
{
    public const byte Closed = 1;
    public const byte CookieWait = 2;
    public const byte CookieEchoed = 3;
    public const byte ShutdownAckSent = 7;
}
