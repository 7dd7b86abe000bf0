using Flows.Core.Facts;

namespace Flows.Capture.Conntrack;

/// <summary>What the tracker remembers of a living connection, changed in place in its table. 216 bytes; a test holds it to that.</summary>
internal struct ConntrackEntry
{
    public ConntrackTuple Orig;
    public ConntrackTuple Reply;

    public ConntrackCounters Latest;

    /// <summary>What rows already hold of <see cref="Latest"/>.</summary>
    public ConntrackCounters Reported;

    public ulong StartNs;
    public long ConnStartUs;
    public long WindowStartUs;

    /// <summary>When TCP or SCTP ended, by the UPDATE that says so; 0 before.</summary>
    public long ClosedUs;

    public uint Id;
    public uint WindowNo;

    /// <summary>The last dump that showed it; 0 for none.</summary>
    public uint DumpNo;

    /// <summary>The dump under way, or the last one, when the kernel last told of it.</summary>
    public uint HeardNo;

    /// <summary>Its key's tag in the table's index; of a place that is not in use, meaningless.</summary>
    public uint Tag;

    /// <summary>Of a place that is not in use, the index of the next such one.</summary>
    public int NextFree;

    public ushort Zone;
    public DirectionBy DirectionBy;

    /// <summary>TCP: enum tcp_conntrack; SCTP: enum sctp_conntrack; else 0.</summary>
    public byte ProtoState;

    /// <summary>How many complete dumps since <see cref="DumpNo"/> did not show it.</summary>
    public byte DumpsMissed;

    public bool InUse;

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

    /// <summary>Its counters are to be fetched, because it ended.</summary>
    public bool FetchWanted;

    public bool HasCounters;

    public readonly ConntrackKey Key => new(Orig, Zone);

    public readonly bool IsOver => Orig.Protocol switch
    {
        IpProtocol.Tcp => ProtoState is TcpStates.TimeWait or TcpStates.Close,
        IpProtocol.Sctp => ProtoState is SctpStates.Closed or SctpStates.ShutdownAckSent,
        _ => false,
    };

    /// <summary>Takes over what a message says of the connection.</summary>
    public void Learn(in ConntrackMessage message)
    {
        SeenReply |= message.SeenReply;
        if (message.HasProtoState)
        {
            ProtoState = message.ProtoState;
            BothFin |= message.ProtoState is TcpStates.LastAck or TcpStates.TimeWait;
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

    /// <summary>The same life of the same entry: ids repeat over time, so the start and the counters must agree too.</summary>
    public readonly bool IsSame(in ConntrackMessage message) => Id == message.Id
        && (StartNs == 0 || message.StartNs == 0 || StartNs == message.StartNs)
        && (!message.HasCounters || message.Counters.Continues(in Reported));

    /// <summary>A NEW for an entry that we have: repeated by the kernel because some listener missed it, unless the entry must be another one.</summary>
    public readonly bool IsRepeatedNew(in ConntrackMessage message) =>
        Id == message.Id && !EndReported && ClosedUs == 0 && (message.SeenReply || !SeenReply || Found);
}
