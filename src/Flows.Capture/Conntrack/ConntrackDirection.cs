using Flows.Core.Facts;

namespace Flows.Capture.Conntrack;

/// <summary>
/// Decides who initiated a connection, and by which evidence. The kernel's original direction is that of the first packet which it saw, and that is
/// the initiator's only if it saw the beginning: after a flush, a late start or an expired entry, whoever happens to speak first becomes the original side.
/// </summary>
internal static class ConntrackDirection
{
    // Linux gives clients 32768 to 60999 unless told otherwise (net.ipv4.ip_local_port_range).
    private const ushort ClientPortMin = 32_768;

    /// <summary>Sets the direction of a fresh entry.</summary>
    /// <param name="entry">Gets evidence and orientation.</param>
    /// <param name="message">What showed it.</param>
    /// <param name="found">No NEW event announced it.</param>
    /// <param name="isAnswer">Its tuple is the answering one of a connection that ended lately.</param>
    public static void Orient(ref ConntrackEntry entry, in ConntrackMessage message, bool found, bool isAnswer)
    {
        var proven = message.Orig.Protocol == IpProtocol.Tcp ? message.ProvesSyn : ProvesRequest(in message, found, isAnswer);
        var trusted = found && message.Orig.Protocol != IpProtocol.Tcp ? DirectionBy.Request : DirectionBy.CtNew;
        entry.DirectionBy = proven ? trusted : DirectionBy.PortOrder;
        entry.MidStream = !proven && message.Orig.Protocol == IpProtocol.Tcp;

        // Whom nobody has answered, by the time we find it, has asked: it stays as it is, though not trusted.
        var answered = !found || message.SeenReply || message.Counters.ReplyPackets > 0;
        entry.Reversed = !proven && answered && message.Orig.SrcPort < message.Orig.DstPort;
    }

    /// <summary>A tuple that looks like an answer whether or not its question is known: from a service's port to a client's.</summary>
    public static bool LooksLikeAnswer(in ConntrackTuple tuple) => tuple.SrcPort < ClientPortMin && tuple.DstPort >= ClientPortMin;

    /// <summary>Whether the evidence lies beyond the ports: only for those is it worth remembering who answered whom.</summary>
    public static bool PortsAreSilent(in ConntrackTuple tuple) =>
        tuple.Protocol is not (IpProtocol.Tcp or IpProtocol.Icmp or IpProtocol.IcmpV6)
        && tuple.SrcPort >= ClientPortMin == tuple.DstPort >= ClientPortMin;

    private static bool ProvesRequest(in ConntrackMessage message, bool found, bool isAnswer)
    {
        ref readonly var orig = ref message.Orig;
        if (orig.Protocol is IpProtocol.Icmp or IpProtocol.IcmpV6)
        {
            // Conntrack makes entries for queries only (nf_conntrack_proto_icmp.c).
            return true;
        }

        if (message.Reply.Src != orig.Dst || message.Reply.SrcPort != orig.DstPort)
        {
            // Somebody was asked under another name than that under which he answers: answers are not translated so.
            return true;
        }

        // A found one may be a flow that was picked up from its answering side; of an announced one that holds only if it looks like it.
        return found ? orig.DstPort < orig.SrcPort : !isAnswer && !LooksLikeAnswer(in orig);
    }
}
