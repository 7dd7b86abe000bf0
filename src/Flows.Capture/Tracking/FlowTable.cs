using Flows.Capture.Packets;
using Flows.Core;
using Flows.Core.Facts;

namespace Flows.Capture.Tracking;

/// <summary>
/// Tracks connections from packets and writes their rows. Its clock is the latest time it was told, so a replay gives the same rows every
/// time. Not thread safe. Allocates only while it grows.
/// </summary>
internal sealed class FlowTable
{
    private const int EntriesAtStart = 1024;

    private readonly FlowTableOptions options;
    private readonly FlowSink sink;
    private readonly ObservationPoint point;
    private readonly long activeUs;
    private readonly long tcpIdleUs;
    private readonly long tcpAttemptUs;
    private readonly long otherIdleUs;
    private readonly long lingerUs;

    private readonly Dictionary<FlowKey, int> index = new(EntriesAtStart);
    private readonly ExpiryWheel wheel = new();
    private FlowEntry[] entries = new FlowEntry[EntriesAtStart];
    private int used;
    private int free = -1;
    private long clockUs;
    private ulong connections;

    public FlowTable(ObservationPoint point, FlowTableOptions options, FlowSink sink)
    {
        (this.point, this.options, this.sink) = (point, options, sink);
        activeUs = Us(options.ActiveTimeout);
        tcpIdleUs = Us(options.TcpIdleTimeout);
        tcpAttemptUs = Us(options.TcpAttemptTimeout);
        otherIdleUs = Us(options.OtherIdleTimeout);
        lingerUs = Us(options.CloseLinger);
    }

    /// <summary>Connections tracked now.</summary>
    public int Count => index.Count;

    /// <summary>Connections that gave way before their time because the table was full.</summary>
    public long Evicted { get; private set; }

    /// <summary>Takes one packet, seen at <paramref name="timeUs"/>.</summary>
    public void Track(in DecodedPacket packet, long timeUs)
    {
        // 1. Time passes, for everybody.
        Advance(timeUs);

        // 2. The connection, or a new one.
        var key = FlowKey.Of(in packet, out var fromA);
        if (!index.TryGetValue(key, out var at))
        {
            at = Insert(in key);
            Begin(ref entries[at], in packet, fromA, timeUs);
            wheel.Schedule(entries, at, Deadline(in entries[at]));
        }

        ref var entry = ref entries[at];
        var fromInitiator = fromA == entry.SrcIsA;
        if (entry.IsTcp && TcpTracking.BeginsAnew(in entry, in packet, fromInitiator))
        {
            Emit(ref entry, EndReason.End);
            var next = entry.Next;
            entry = new FlowEntry { Key = key, Next = next };
            Begin(ref entry, in packet, fromA, timeUs);
            fromInitiator = fromA == entry.SrcIsA;
        }

        // 3. What it did.
        Tally(ref entry, in packet, fromInitiator, timeUs);
        if (entry.IsTcp)
        {
            TcpTracking.Step(ref entry, in packet, fromInitiator);
        }
        else if (!fromInitiator && entry.State == FlowState.Unanswered)
        {
            entry.State = FlowState.Established;
        }
    }

    /// <summary>An ICMP error said that nobody listens where this packet went.</summary>
    public void Refuse(in DecodedPacket quoted)
    {
        var key = FlowKey.Of(in quoted, out var fromA);
        if (index.TryGetValue(key, out var at) && entries[at].SrcIsA == fromA && entries[at].State == FlowState.Unanswered)
        {
            entries[at].State = FlowState.Refused;
        }
    }

    /// <summary>Lets the clock come to <paramref name="timeUs"/> and writes the rows that are due. Earlier times change nothing.</summary>
    public void Advance(long timeUs)
    {
        if (timeUs <= clockUs)
        {
            return;
        }

        clockUs = timeUs;
        while (wheel.TryTakeDue(entries, clockUs, out var at))
        {
            ref var entry = ref entries[at];
            if (EndsAt(in entry) <= clockUs)
            {
                Emit(ref entry, entry.IsOver ? EndReason.End : EndReason.Idle);
                Remove(at);
                continue;
            }

            if (entry.HasPackets && entry.WindowStartUs + activeUs <= clockUs)
            {
                Emit(ref entry, EndReason.Active);
            }

            wheel.Schedule(entries, at, Deadline(in entry));
        }
    }

    /// <summary>Writes a last row for every connection, in the order in which they began, and forgets them.</summary>
    public void Complete()
    {
        foreach (var at in index.Values.OrderBy(at => entries[at].ConnStartUs).ThenBy(at => entries[at].ConnId).ToArray())
        {
            Emit(ref entries[at], entries[at].IsOver ? EndReason.End : EndReason.Forced);
        }

        index.Clear();
        wheel.Clear();
        used = 0;
        free = -1;
    }

    private static long Us(TimeSpan span) => span.Ticks / TimeSpan.TicksPerMicrosecond;

    private void Begin(ref FlowEntry entry, in DecodedPacket packet, bool fromA, long timeUs)
    {
        var senderInitiated = true;
        if (packet.Protocol == IpProtocol.Tcp)
        {
            senderInitiated = TcpTracking.Begin(ref entry, in packet);
        }
        else
        {
            // A reply that comes first answers a request that we missed.
            senderInitiated = !packet.IsIcmp || !Icmp.IsReply(packet.Protocol, (byte)(packet.IcmpTypeCode >> 8));
            entry.DirectionBy = senderInitiated ? DirectionBy.Request : DirectionBy.None;
            entry.State = FlowState.Unanswered;
        }

        entry.SrcIsA = fromA == senderInitiated;
        entry.ConnStartUs = timeUs;
        entry.LastUs = timeUs;
        entry.IcmpTypeCode = packet.IcmpTypeCode;
        entry.ConnId = Mix(point.NodeId ^ Mix((ulong)timeUs ^ Mix(++connections + ((ulong)options.Source << 56))));
    }

    private static void Tally(ref FlowEntry entry, in DecodedPacket packet, bool fromInitiator, long timeUs)
    {
        if (!entry.HasPackets)
        {
            entry.WindowStartUs = timeUs;
        }

        entry.LastUs = Math.Max(entry.LastUs, timeUs);
        if (fromInitiator)
        {
            entry.FwdPackets++;
            entry.FwdBytes += packet.IpBytes;
            entry.FwdFlags |= packet.TcpFlags;
        }
        else
        {
            entry.RevPackets++;
            entry.RevBytes += packet.IpBytes;
            entry.RevFlags |= packet.TcpFlags;
        }
    }

    private long EndsAt(in FlowEntry entry) => entry.LastUs + (entry switch
    {
        { IsOver: true } => lingerUs,
        { IsTcp: false } => otherIdleUs,
        { State: FlowState.Unanswered } => tcpAttemptUs,
        _ => tcpIdleUs,
    });

    private long Deadline(in FlowEntry entry)
    {
        var end = EndsAt(in entry);
        return entry.HasPackets ? Math.Min(end, entry.WindowStartUs + activeUs) : end;
    }

    private int Insert(in FlowKey key)
    {
        if (index.Count >= options.EntriesMax)
        {
            Evict();
        }

        int at;
        if (free >= 0)
        {
            at = free;
            free = entries[at].Next;
        }
        else
        {
            if (used == entries.Length)
            {
                Array.Resize(ref entries, Math.Min(entries.Length * 2, Math.Max(options.EntriesMax, EntriesAtStart)));
            }

            at = used++;
        }

        entries[at] = new FlowEntry { Key = key, Next = -1 };
        index.Add(key, at);
        return at;
    }

    private void Evict()
    {
        var at = wheel.TakeEarliest(entries);
        Emit(ref entries[at], EndReason.LackOfResources);
        Remove(at);
        Evicted++;
    }

    private void Remove(int at)
    {
        index.Remove(entries[at].Key);
        entries[at].Next = free;
        free = at;
    }

    /// <summary>Writes the window's row, if anything passed in it, and begins the next window.</summary>
    private void Emit(ref FlowEntry entry, EndReason reason)
    {
        if (!entry.HasPackets)
        {
            return;
        }

        var row = default(FlowRow);
        row.WindowStartUs = entry.WindowStartUs;
        row.WindowEndUs = Math.Max(entry.LastUs, entry.WindowStartUs);
        row.ConnStartUs = entry.ConnStartUs;
        row.ConnId = entry.ConnId;
        row.WindowNo = entry.WindowNo++;
        var icmp = entry.Key.Protocol is IpProtocol.Icmp or IpProtocol.IcmpV6;
        (row.Src, row.SrcPort, row.Dst, row.DstPort) = entry.SrcIsA
            ? (entry.Key.A, entry.Key.PortA, entry.Key.B, entry.Key.PortB)
            : (entry.Key.B, entry.Key.PortB, entry.Key.A, entry.Key.PortA);
        row.DstPort = icmp ? (ushort)0 : row.DstPort;
        row.Protocol = entry.Key.Protocol;
        (row.FwdPackets, row.FwdBytes, row.RevPackets, row.RevBytes) = (entry.FwdPackets, entry.FwdBytes, entry.RevPackets, entry.RevBytes);
        row.FwdTcpFlags = entry.IsTcp ? entry.FwdFlags : null;
        row.RevTcpFlags = entry.IsTcp ? entry.RevFlags : null;
        row.IcmpTypeCode = icmp ? entry.IcmpTypeCode : null;
        row.State = entry.State;
        row.EndReason = reason;
        row.DirectionBy = entry.DirectionBy;
        row.Source = options.Source;
        row.NodeId = point.NodeId;
        row.ScopeId = point.ScopeId;
        row.Sampling = 1;
        sink(in row);

        (entry.FwdPackets, entry.FwdBytes, entry.RevPackets, entry.RevBytes) = (0, 0, 0, 0);
        (entry.FwdFlags, entry.RevFlags) = (0, 0);
    }

    /// <summary>The finaliser of SplitMix64: a bijection, so distinct counters give distinct ids.</summary>
    private static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }
}
