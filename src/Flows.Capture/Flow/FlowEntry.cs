using Flows.Capture.Packets;
using Flows.Core.Facts;

namespace Flows.Capture.Flow;

/// <summary>What a connection has shown of itself so far.</summary>
[Flags]
internal enum Marks : ushort
{
    None = 0,

    /// <summary>The initiator is the low end of the key.</summary>
    InitiatorIsLow = 1 << 0,

    /// <summary>The initiator's first sequence number is known: from its SYN, or from the SYN+ACK that acknowledged it.</summary>
    IsnKnown = 1 << 1,

    /// <summary>The responder sent something other than a refusal.</summary>
    Answered = 1 << 2,

    /// <summary>The initiator spoke again after the answer: the handshake is done.</summary>
    Established = 1 << 3,
    FwdFin = 1 << 4,
    RevFin = 1 << 5,
    Reset = 1 << 6,
    Refused = 1 << 7,
}

/// <summary>One connection in the table. Times are microseconds since the epoch; counters are those of the current window.</summary>
internal struct FlowEntry
{
    /// <summary>The wheel slot of a place without a connection.</summary>
    public const short NotInUse = -1;

    public FlowKey Key;
    public ulong ConnId;
    public long ConnStartUs;
    public long WindowStartUs;
    public long LastUs;
    public ulong FwdBytes;
    public ulong RevBytes;
    public uint FwdPackets;
    public uint RevPackets;
    public uint WindowNo;

    /// <summary>TCP: the initiator's first sequence number, see <see cref="Marks.IsnKnown"/>. Otherwise type * 256 + code of the first ICMP message.</summary>
    public uint Isn;

    /// <summary>Upper half of the key's hash, as the table's slot holds it.</summary>
    public uint Tag;

    // Neighbours and slot in the expiry wheel; a free entry has the next free one as its neighbour, or -1.
    public int WheelNext;
    public int WheelPrevious;
    public short WheelSlot;

    public Marks Marks;
    public byte FwdTcpFlags;
    public byte RevTcpFlags;
    public DirectionBy DirectionBy;

    // Who counts what the initiator sends, and what the responder sends: a route may be another on the way back.
    public FlowOwner FwdOwner;
    public FlowOwner RevOwner;

    public readonly bool Has(Marks marks) => (Marks & marks) == marks;

    public readonly bool IsTcp => Key.Protocol == IpProtocol.Tcp;

    public readonly ushort IcmpTypeCode => IsTcp ? (ushort)0 : (ushort)Isn;

    public readonly bool WindowIsEmpty => (FwdPackets | RevPackets) == 0;

    /// <summary>Ended in order, reset or refused: only stragglers are expected.</summary>
    public readonly bool IsOver => IsTcp && (Has(Marks.FwdFin | Marks.RevFin) || (Marks & (Marks.Reset | Marks.Refused)) != 0);

    public readonly FlowState State
    {
        get
        {
            if (Has(Marks.Refused))
            {
                return FlowState.Refused;
            }

            if (!IsTcp)
            {
                return Has(Marks.Answered) ? FlowState.Established : FlowState.Unanswered;
            }

            if (Has(Marks.Reset) && Has(Marks.Answered))
            {
                return FlowState.Reset;
            }

            if (Has(Marks.FwdFin | Marks.RevFin))
            {
                return FlowState.Closed;
            }

            if (!Has(Marks.IsnKnown))
            {
                return FlowState.MidStream;
            }

            // A SYN and a SYN+ACK without more is neither unanswered nor established.
            return Has(Marks.Established) ? FlowState.Established : Has(Marks.Answered) ? FlowState.Unknown : FlowState.Unanswered;
        }
    }

    /// <summary>Counts a packet in the current window, which begins with its first packet.</summary>
    public void Count(in DecodedPacket packet, bool forward, long timeUs)
    {
        if (WindowIsEmpty)
        {
            WindowStartUs = timeUs;
        }

        LastUs = Math.Max(LastUs, timeUs);
        if (forward)
        {
            FwdPackets++;
            FwdBytes += packet.IpBytes;
            FwdTcpFlags |= packet.TcpFlags;
        }
        else
        {
            RevPackets++;
            RevBytes += packet.IpBytes;
            RevTcpFlags |= packet.TcpFlags;
        }
    }

    /// <summary>Begins the next window after this one was reported.</summary>
    public void StartWindow()
    {
        WindowNo++;
        FwdPackets = RevPackets = 0;
        FwdBytes = RevBytes = 0;
        FwdTcpFlags = RevTcpFlags = 0;
    }
}
