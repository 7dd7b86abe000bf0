using Flows.Core.Facts;

namespace Flows.Capture.Conntrack;

/// <summary>Where a connection stands, read from what its entry knows.</summary>
internal static class ConntrackStates
{
    /// <param name="entry">The connection.</param>
    /// <param name="gone">The kernel has forgotten it.</param>
    public static FlowState Of(in ConntrackEntry entry, bool gone)
    {
        var replied = entry.SeenReply || entry.Latest.ReplyPackets > 0;
        return entry.Orig.Protocol switch
        {
            IpProtocol.Tcp => OfTcp(in entry, replied, gone),
            IpProtocol.Sctp => OfSctp(in entry, replied),
            _ => replied ? FlowState.Established : FlowState.Unanswered,
        };
    }

    private static FlowState OfTcp(in ConntrackEntry entry, bool replied, bool gone) => entry.ProtoState switch
    {
        TcpStates.TimeWait => FlowState.Closed,
        TcpStates.Close when entry.BothFin => FlowState.Closed,
        TcpStates.Close when entry.SeenReply && !IsLoneRefusal(in entry) => FlowState.Reset,

        // A RST to the SYN destroys the entry before the flag SEEN_REPLY is set; only the counter and the state show it. A DESTROY that
        // the kernel had to send again shows the flag all the same.
        TcpStates.Close => replied || !entry.HasCounters ? FlowState.Refused : FlowState.Unanswered,
        TcpStates.LastAck when gone => FlowState.Closed,
        TcpStates.SynSent or TcpStates.SynSent2 or 0 when !replied => FlowState.Unanswered,
        TcpStates.SynSent or 0 when gone && !entry.SeenReply => FlowState.Refused,
        TcpStates.SynSent or TcpStates.SynSent2 or TcpStates.SynRecv or 0 => FlowState.Unknown,
        _ => entry.MidStream ? FlowState.MidStream : FlowState.Established,
    };

    private static FlowState OfSctp(in ConntrackEntry entry, bool replied) => entry.ProtoState switch
    {
        SctpStates.ShutdownAckSent => FlowState.Closed,

        // An ABORT ends in CLOSED from any state. To an INIT it is one packet for one; after that at least a cookie went each way.
        SctpStates.Closed when !replied => FlowState.Unanswered,
        SctpStates.Closed when entry.HasCounters && entry.Latest.ReplyPackets <= 1 => FlowState.Refused,
        SctpStates.Closed => FlowState.Reset,
        SctpStates.CookieWait or SctpStates.CookieEchoed when replied => FlowState.Unknown,
        _ => replied ? FlowState.Established : FlowState.Unanswered,
    };

    /// <summary>One packet, and one that answered it and closed: had the initiator reset, it would have sent two.</summary>
    private static bool IsLoneRefusal(in ConntrackEntry entry) =>
        entry.Latest is { OrigPackets: 1, ReplyPackets: 1 } && (entry.Found || !entry.MidStream);
}
