using Flows.Core.Facts;

namespace Flows.Capture.Conntrack;

/// <summary>What the tracker remembers of a living connection, changed in place in its table.</summary>
internal struct ConntrackEntry
{
    public ConntrackTuple Reply;
    public uint Id;
    public ulong StartNs;

    public long ConnStartUs;
    public long WindowStartUs;

    /// <summary>When the kernel last told us of it, by event or dump.</summary>
    public long HeardUs;

    /// <summary>When TCP ended, by the UPDATE to TIME_WAIT or CLOSE; 0 before.</summary>
    public long ClosedUs;

    public ulong ConnId;
    public uint WindowNo;
    public DirectionBy DirectionBy;

    /// <summary>The responder was tracked as the original side: rows show the reply tuple's view.</summary>
    public bool Reversed;

    /// <summary>Found, by a dump or in mid-life, instead of announced by a NEW event.</summary>
    public bool Found;

    public bool SeenReply;
    public bool BothFin;

    /// <summary>TCP whose SYN nobody saw.</summary>
    public bool MidStream;

    /// <summary>The row that ends the connection is out; only what a DESTROY adds may follow.</summary>
    public bool EndReported;

    public byte TcpState;

    public bool HasCounters;
    public ConntrackCounters Latest;

    /// <summary>What rows already hold of <see cref="Latest"/>.</summary>
    public ConntrackCounters Reported;

    /// <summary>The last dump that showed it, and how many complete ones since then did not.</summary>
    public uint DumpNo;
    public byte DumpsMissed;

    /// <summary>One packet, and one that answered it and closed: had the initiator reset, it would have sent two.</summary>
    private readonly bool IsLoneRefusal => Latest is { OrigPackets: 1, ReplyPackets: 1 } && (Found || !MidStream);

    public readonly bool TcpIsOver => TcpState is TcpStates.TimeWait or TcpStates.Close;

    /// <summary>Takes over what a message says of the connection.</summary>
    public void Learn(in ConntrackMessage message, long timeUs)
    {
        HeardUs = timeUs;
        SeenReply |= message.SeenReply;
        if (message.HasTcp)
        {
            TcpState = message.TcpState;
            BothFin |= message.TcpState is TcpStates.LastAck or TcpStates.TimeWait;
        }

        if (message.HasCounters)
        {
            HasCounters = true;
            Latest = message.Counters;
        }

        if (message.StartNs != 0)
        {
            StartNs = message.StartNs;
            if (WindowNo == 0)
            {
                // Until the first row is out, the kernel's own start is better than the time at which we heard of it.
                var moved = WindowStartUs == ConnStartUs && !Found;
                ConnStartUs = (long)(message.StartNs / 1000);
                WindowStartUs = moved ? ConnStartUs : WindowStartUs;
            }
        }
    }

    /// <summary>Where the connection stands; <paramref name="gone"/> when the kernel has forgotten it.</summary>
    public readonly FlowState State(byte protocol, bool gone)
    {
        var replied = SeenReply || Latest.ReplyPackets > 0;
        if (protocol != IpProtocol.Tcp)
        {
            return replied ? FlowState.Established : FlowState.Unanswered;
        }

        return TcpState switch
        {
            TcpStates.TimeWait => FlowState.Closed,
            TcpStates.Close when BothFin => FlowState.Closed,
            TcpStates.Close when SeenReply && !IsLoneRefusal => FlowState.Reset,

            // A RST to the SYN destroys the entry before the flag SEEN_REPLY is set; only the counter and the state show it. A DESTROY that
            // the kernel had to send again shows the flag all the same.
            TcpStates.Close => replied || !HasCounters ? FlowState.Refused : FlowState.Unanswered,
            TcpStates.LastAck when gone => FlowState.Closed,
            TcpStates.SynSent or TcpStates.SynSent2 or 0 when !replied => FlowState.Unanswered,
            TcpStates.SynSent or 0 when gone && !SeenReply => FlowState.Refused,
            TcpStates.SynSent or TcpStates.SynSent2 or TcpStates.SynRecv or 0 => FlowState.Unknown,
            _ => MidStream ? FlowState.MidStream : FlowState.Established,
        };
    }
}
