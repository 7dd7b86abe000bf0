namespace Flows.Core.Facts;

/// <summary>
/// One row of <c>flows</c>: what one source on one node saw of one connection in one reporting window.
/// Times are microseconds since the Unix epoch, UTC. Counters are deltas of this window, in IP packets and IP bytes.
/// <see cref="FlowColumns"/> describes each member; the order is the same.
/// </summary>
public struct FlowRow
{
    public long WindowStartUs;
    public long WindowEndUs;
    public long ConnStartUs;
    public ulong ConnId;
    public uint WindowNo;

    public NetAddress Src;
    public NetAddress Dst;
    public ushort SrcPort;
    public ushort DstPort;
    public byte Protocol;

    public NetAddress? NatDst;
    public ushort? NatDstPort;
    public NetAddress? NatSrc;
    public ushort? NatSrcPort;

    public ulong? FwdPackets;
    public ulong? RevPackets;
    public ulong? FwdBytes;
    public ulong? RevBytes;

    public byte? FwdTcpFlags;
    public byte? RevTcpFlags;
    public ushort? IcmpTypeCode;

    public FlowState State;
    public EndReason EndReason;
    public DirectionBy DirectionBy;
    public FlowSource Source;

    public ulong NodeId;
    public ulong ScopeId;
    public uint Sampling;
    public ushort Zone;
    public ulong? SrcOwnerId;
    public ulong? DstOwnerId;
}
