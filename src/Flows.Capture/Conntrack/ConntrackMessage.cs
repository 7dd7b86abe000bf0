using Flows.Core.Facts;

namespace Flows.Capture.Conntrack;

/// <summary>What a ctnetlink message is.</summary>
internal enum ConntrackMessageKind : byte
{
    /// <summary>An entry was confirmed (CT_NEW with NLM_F_CREATE).</summary>
    New,

    /// <summary>An entry changed (CT_NEW without NLM_F_CREATE).</summary>
    Update,

    /// <summary>An entry is gone; carries the counters.</summary>
    Destroy,

    /// <summary>The kernel's answer to a dump or a get of ours.</summary>
    Answer,
}

/// <summary>
/// One direction of a connection. The identifier of an ICMP query stands on the asker's side: source port of the original,
/// destination port of the reply, so that reversing a tuple works for every protocol.
/// </summary>
public readonly record struct ConntrackTuple(
    NetAddress Src, NetAddress Dst, ushort SrcPort, ushort DstPort, byte Protocol, ushort IcmpTypeCode)
{
    /// <summary>Both ends in 127.0.0.0/8 or at ::1.</summary>
    public bool IsLoopback => Loops(Src) && Loops(Dst);

    /// <summary>Equality by words: this is asked at every step of a look-up.</summary>
    internal bool IsSame(in ConntrackTuple other) =>
        Src.Low == other.Src.Low && Dst.Low == other.Dst.Low && SrcPort == other.SrcPort && DstPort == other.DstPort && Protocol == other.Protocol
        && Src.High == other.Src.High && Dst.High == other.Dst.High && IcmpTypeCode == other.IcmpTypeCode;

    private static bool Loops(NetAddress address) => address.IsV4
        ? (address.Low & 0xFF00_0000) == 0x7F00_0000
        : address is { High: 0, Low: 1 };
}

/// <summary>Names a connection while it lives: the kernel holds one entry per zone and original tuple.</summary>
internal readonly record struct ConntrackKey(ConntrackTuple Orig, ushort Zone);

/// <summary>Packets and IP bytes since the entry was made, both ways.</summary>
internal record struct ConntrackCounters(ulong OrigPackets, ulong OrigBytes, ulong ReplyPackets, ulong ReplyBytes)
{
    public ulong OrigPackets = OrigPackets;
    public ulong OrigBytes = OrigBytes;
    public ulong ReplyPackets = ReplyPackets;
    public ulong ReplyBytes = ReplyBytes;

    public static ConntrackCounters operator -(in ConntrackCounters left, in ConntrackCounters right) => new(
        Less(left.OrigPackets, right.OrigPackets),
        Less(left.OrigBytes, right.OrigBytes),
        Less(left.ReplyPackets, right.ReplyPackets),
        Less(left.ReplyBytes, right.ReplyBytes));

    /// <summary>True where no counter is lower than in <paramref name="earlier"/>: the same entry may have counted on.</summary>
    public readonly bool Continues(in ConntrackCounters earlier) =>
        OrigPackets >= earlier.OrigPackets && OrigBytes >= earlier.OrigBytes
        && ReplyPackets >= earlier.ReplyPackets && ReplyBytes >= earlier.ReplyBytes;

    private static ulong Less(ulong left, ulong right) => left > right ? left - right : 0;
}

/// <summary>One decoded ctnetlink message. What the message did not carry is 0, or false in its Has member.</summary>
internal struct ConntrackMessage
{
    public ConntrackMessageKind Kind;

    /// <summary>Part of a dump (NLM_F_MULTI), as opposed to the answer to a get.</summary>
    public bool IsDump;

    public ConntrackTuple Orig;
    public ConntrackTuple Reply;
    public ushort Zone;
    public uint Id;
    public uint Status;

    public bool HasProtoState;

    /// <summary>State of TCP (enum tcp_conntrack) or SCTP (enum sctp_conntrack).</summary>
    public byte ProtoState;
    public byte TcpOrigFlags;

    public bool HasCounters;
    public ConntrackCounters Counters;

    /// <summary>When the entry began and ended, ns since the epoch (CTA_TIMESTAMP).</summary>
    public ulong StartNs;
    public ulong StopNs;

    /// <summary>When the event happened, ns since the epoch (CTA_TIMESTAMP_EVENT, Linux 6.14 and later with nf_conntrack_timestamp).</summary>
    public ulong EventNs;

    /// <summary>Seconds until the entry expires. In a DESTROY it is what was left when somebody deleted it; 0 there when it ran out (Linux 5.8 and later).</summary>
    public uint TimeoutSeconds;

    public readonly bool SeenReply => (Status & CtStatus.SeenReply) != 0;

    /// <summary>
    /// The message itself proves that conntrack saw a TCP connection's SYN: either the handshake is still going on, or the
    /// window scale of the SYN is known. An entry that tcp_loose picked up in mid-stream is liberal and knows no scale.
    /// </summary>
    public readonly bool ProvesSyn => HasProtoState
        && (ProtoState is TcpStates.SynSent or TcpStates.SynRecv or TcpStates.SynSent2
            || (TcpOrigFlags & (CtTcpFlags.WindowScale | CtTcpFlags.BeLiberal)) == CtTcpFlags.WindowScale);
}
