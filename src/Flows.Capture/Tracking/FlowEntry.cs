using Flows.Core.Facts;

namespace Flows.Capture.Tracking;

/// <summary>A tracked connection: who began, what passed in this window, where it stands.</summary>
internal struct FlowEntry
{
    public FlowKey Key;

    /// <summary>True where the key's A is the initiator.</summary>
    public bool SrcIsA;

    public ulong ConnId;
    public long ConnStartUs;
    public long WindowStartUs;
    public long LastUs;
    public uint WindowNo;

    public ulong FwdPackets;
    public ulong FwdBytes;
    public ulong RevPackets;
    public ulong RevBytes;
    public byte FwdFlags;
    public byte RevFlags;
    public ushort IcmpTypeCode;

    public FlowState State;
    public DirectionBy DirectionBy;

    /// <summary>The initiator's first sequence number, where its SYN was seen.</summary>
    public uint InitialSequence;
    public bool SynSeen;
    public bool FwdFin;
    public bool RevFin;

    /// <summary>The next entry of the same second of the wheel, or of the free list; -1 ends it.</summary>
    public int Next;

    public readonly bool HasPackets => (FwdPackets | RevPackets) != 0;

    public readonly bool IsTcp => Key.Protocol == IpProtocol.Tcp;

    /// <summary>True where only stragglers can follow.</summary>
    public readonly bool IsOver => IsTcp && State is FlowState.Closed or FlowState.Reset or FlowState.Refused;
}
