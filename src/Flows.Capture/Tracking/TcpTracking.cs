using Flows.Capture.Packets;
using Flows.Core.Facts;

namespace Flows.Capture.Tracking;

/// <summary>What a packet's flags mean for a connection (RFC 9293, seen from between the ends).</summary>
internal static class TcpTracking
{
    /// <summary>True where the packet opens another connection than the one that the entry holds, on the same addresses and ports.</summary>
    public static bool BeginsAnew(in FlowEntry entry, in DecodedPacket packet, bool fromInitiator)
    {
        if ((packet.TcpFlags & (TcpFlags.Syn | TcpFlags.Ack)) != TcpFlags.Syn)
        {
            return false;
        }

        if (entry.State == FlowState.MidStream)
        {
            return true;
        }

        // The same sequence number is a retransmission; none known yet is the SYN that came after its answer. From the other side it is
        // a simultaneous open, or, on a connection that is over, a new one with the roles exchanged.
        return fromInitiator ? entry.SynSeen && packet.TcpSequence != entry.InitialSequence : entry.IsOver;
    }

    /// <summary>Decides who initiated, from the first packet of a connection. Returns true where its sender did.</summary>
    public static bool Begin(ref FlowEntry entry, in DecodedPacket packet)
    {
        switch (packet.TcpFlags & (TcpFlags.Syn | TcpFlags.Ack))
        {
            case TcpFlags.Syn:
                entry.DirectionBy = DirectionBy.Syn;
                entry.State = FlowState.Unanswered;
                return true;
            case TcpFlags.Syn | TcpFlags.Ack:
                entry.DirectionBy = DirectionBy.SynAck;
                entry.State = FlowState.Established;
                return false;
            default:
                entry.DirectionBy = packet.SrcPort == packet.DstPort ? DirectionBy.None : DirectionBy.PortOrder;
                entry.State = FlowState.MidStream;
                return packet.SrcPort >= packet.DstPort;
        }
    }

    /// <summary>Moves the connection's state by one packet.</summary>
    public static void Step(ref FlowEntry entry, in DecodedPacket packet, bool fromInitiator)
    {
        if ((packet.TcpFlags & (TcpFlags.Syn | TcpFlags.Ack)) == TcpFlags.Syn && fromInitiator && !entry.SynSeen)
        {
            (entry.SynSeen, entry.InitialSequence, entry.DirectionBy) = (true, packet.TcpSequence, DirectionBy.Syn);
        }

        if ((packet.TcpFlags & TcpFlags.Rst) != 0)
        {
            entry.State = entry.State switch
            {
                FlowState.Unanswered => fromInitiator ? FlowState.Unanswered : FlowState.Refused,
                FlowState.Established or FlowState.MidStream => FlowState.Reset,
                _ => entry.State,
            };
            return;
        }

        if (!fromInitiator && entry.State == FlowState.Unanswered)
        {
            entry.State = FlowState.Established;
        }

        if ((packet.TcpFlags & TcpFlags.Fin) != 0)
        {
            entry.FwdFin |= fromInitiator;
            entry.RevFin |= !fromInitiator;
            if (entry is { FwdFin: true, RevFin: true, State: FlowState.Established or FlowState.MidStream })
            {
                entry.State = FlowState.Closed;
            }
        }
    }
}
