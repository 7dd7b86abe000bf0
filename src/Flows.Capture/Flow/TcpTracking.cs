using Flows.Capture.Packets;
using Flows.Core.Facts;

namespace Flows.Capture.Flow;

/// <summary>The TCP half of flow tracking: where one connection ends and the next begins, who opened it, how it ended.</summary>
internal static class TcpTracking
{
    /// <summary>True where the packet opens another connection between the same ports than the entry's.</summary>
    public static bool OpensAnother(in FlowEntry entry, in DecodedPacket packet, bool forward)
    {
        switch (packet.TcpFlags & (TcpFlags.Syn | TcpFlags.Ack | TcpFlags.Rst))
        {
            case TcpFlags.Syn when !entry.Has(Marks.IsnKnown):
                // The entry was picked up in mid-stream: its own SYN lies before the capture.
                return true;
            case TcpFlags.Syn when forward:
                // The same first sequence number is a repeat, even after a refusal (Windows tries a refused port three times).
                return packet.TcpSeq != entry.Isn;
            case TcpFlags.Syn:
                // The responder opens: the other half of a simultaneous open, unless this connection went further than that.
                return entry.IsOver || entry.Has(Marks.Established);
            case TcpFlags.Syn | TcpFlags.Ack when !entry.Has(Marks.IsnKnown):
                return true;
            case TcpFlags.Syn | TcpFlags.Ack when !forward:
                // Answers a SYN that the capture missed.
                return entry.IsOver && packet.TcpAck - 1 != entry.Isn;
            default:
                return false;
        }
    }

    /// <summary>Sets who initiated a new connection and how we know. The packet's sender is the low end if so told.</summary>
    public static void Begin(ref FlowEntry entry, in DecodedPacket packet, bool fromLow)
    {
        var senderInitiated = true;
        switch (packet.TcpFlags & (TcpFlags.Syn | TcpFlags.Ack | TcpFlags.Rst))
        {
            case TcpFlags.Syn:
                entry.DirectionBy = DirectionBy.Syn;
                entry.Isn = packet.TcpSeq;
                entry.Marks |= Marks.IsnKnown;
                break;
            case TcpFlags.Syn | TcpFlags.Ack:
                senderInitiated = false;
                entry.DirectionBy = DirectionBy.SynAck;
                entry.Isn = packet.TcpAck - 1;
                entry.Marks |= Marks.IsnKnown;
                break;
            default:
                // Who spoke first in mid-stream says nothing; the lower port is the likelier service, and no more than that.
                senderInitiated = packet.SrcPort >= packet.DstPort;
                entry.DirectionBy = packet.SrcPort == packet.DstPort ? DirectionBy.None : DirectionBy.PortOrder;
                break;
        }

        if (senderInitiated == fromLow)
        {
            entry.Marks |= Marks.InitiatorIsLow;
        }
    }

    /// <summary>Notes what a packet of the connection means for its state.</summary>
    public static void Advance(ref FlowEntry entry, in DecodedPacket packet, bool forward)
    {
        var flags = packet.TcpFlags;
        if ((flags & TcpFlags.Rst) != 0)
        {
            // A RST to the SYN is a refusal; the initiator's own, unanswered, is a caller who hung up.
            var refused = !forward && entry.Has(Marks.IsnKnown) && !entry.Has(Marks.Answered);
            entry.Marks |= refused ? Marks.Refused : Marks.Reset;
            return;
        }

        if (!forward)
        {
            entry.Marks |= Marks.Answered;
        }
        else if (entry.Has(Marks.Answered) && (flags & TcpFlags.Ack) != 0)
        {
            entry.Marks |= Marks.Established;
        }

        if (forward && entry.DirectionBy == DirectionBy.SynAck && (flags & (TcpFlags.Syn | TcpFlags.Ack)) == TcpFlags.Syn)
        {
            // The capture delivered the SYN after its answer, as several receive queues may.
            entry.DirectionBy = DirectionBy.Syn;
        }

        if ((flags & TcpFlags.Fin) != 0)
        {
            entry.Marks |= forward ? Marks.FwdFin : Marks.RevFin;
        }
    }
}
