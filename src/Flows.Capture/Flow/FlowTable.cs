using Flows.Capture.Packets;
using Flows.Core;
using Flows.Core.Facts;

namespace Flows.Capture.Flow;

/// <summary>Hears of a connection that a packet begins.</summary>
internal delegate void FlowOpened(in FlowKey key, bool initiatorIsLow);

/// <summary>
/// Follows connections from packet to packet and reports each as rows: when it closes, falls silent, has gone on for the active
/// timeout, or must make room. One thread owns it. Its time is the packets' time, so a file gives the same rows every time.
/// </summary>
public sealed class FlowTable
{
    private readonly FlowEntries entries;
    private readonly ExpiryWheel wheel = new();
    private readonly FlowTimeouts timeouts;
    private readonly FlowRowWriter rows;
    private long clockUs;

    /// <param name="point">Where the packets are seen; the rows carry it.</param>
    /// <param name="source">Packets or file.</param>
    /// <param name="options">Timeouts and limits.</param>
    /// <param name="sink">Takes the rows, on the thread that tracks.</param>
    /// <param name="origin">Sets apart the connection ids of several tables of one node, such as one per interface.</param>
    public FlowTable(ObservationPoint point, FlowSource source, FlowTableOptions options, FlowSink sink, string origin = "")
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.EntriesMax, 1);
        entries = new FlowEntries(options.EntriesMax);
        timeouts = new FlowTimeouts(options);
        rows = new FlowRowWriter(point, source, origin, sink);
    }

    /// <summary>Connections in the table.</summary>
    public int Count => entries.Count;

    /// <summary>Rows given to the sink since the start.</summary>
    public long Rows => rows.Written;

    /// <summary>Connections begun since the start.</summary>
    public long Connections => rows.Connections;

    /// <summary>Connections reported early because the table was full.</summary>
    public long Evicted { get; private set; }

    /// <summary>Hears of each connection when it begins, on the thread that tracks.</summary>
    internal FlowOpened? Opened { get; set; }

    /// <summary>Counts a packet in its connection.</summary>
    /// <param name="packet">A decoded packet whose ports are known.</param>
    /// <param name="timeUs">When it was seen, µs since the epoch, UTC.</param>
    /// <param name="observer">Which of the node's interfaces saw it, 1 to 255.</param>
    /// <returns>False where another observer counts this direction of the connection: then nothing was counted here.</returns>
    public bool Track(in DecodedPacket packet, long timeUs, byte observer = FlowOwner.Only)
    {
        // 1. Report what has timed out.
        Advance(timeUs);

        // 2. Find the connection, unless it is over by now or this packet opens another on the same ports.
        var key = FlowKey.Of(in packet, out var fromLow);
        var tag = entries.TagOf(in key);
        var index = entries.Find(in key, tag);
        if (index >= 0)
        {
            ref var known = ref entries.Items[index];
            var ends = EndsBefore(ref known, in packet, fromLow, timeUs, out var reason);
            if (!Owns(ref known, fromLow, timeUs, observer) && !(ends && (reason == EndReason.Idle || (known.IsOver && timeUs > known.LastUs))))
            {
                // Another observer has it. What it still delivers late of an earlier connection on these ports was counted with that one.
                return false;
            }

            if (ends)
            {
                Finish(index, reason);
                index = -1;
            }
        }

        // 3. Or begin one.
        var isNew = index < 0;
        if (isNew)
        {
            index = Begin(in key, tag, in packet, fromLow, timeUs);
            Owns(ref entries.Items[index], fromLow, timeUs, observer);
        }

        // 4. Report a window that has lasted long enough, before the packet counts in the next.
        ref var entry = ref entries.Items[index];
        if (!entry.WindowIsEmpty && timeUs - entry.WindowStartUs >= timeouts.ActiveUs)
        {
            rows.Write(in entry, EndReason.Active);
            entry.StartWindow();
        }

        // 5. Count, and note what the packet says about the state.
        var deadlineMayComeSooner = isNew || entry.WindowIsEmpty;
        var wasOver = entry.IsOver;
        var forward = fromLow == entry.Has(Marks.InitiatorIsLow);
        entry.Count(in packet, forward, Math.Max(timeUs, entry.ConnStartUs));
        if (entry.IsTcp)
        {
            TcpTracking.Advance(ref entry, in packet, forward);
        }
        else if (!forward)
        {
            entry.Marks |= Marks.Answered;
        }

        // 6. Only a deadline that has come nearer moves in the wheel; a later one is noticed when its slot comes round.
        if (deadlineMayComeSooner || wasOver != entry.IsOver)
        {
            Schedule(index, isNew);
        }

        return true;
    }

    /// <summary>Marks the connection that an ICMP error quotes as refused, if its initiator had no answer yet.</summary>
    public void Refuse(in DecodedPacket quoted)
    {
        var key = FlowKey.Of(in quoted, out var fromLow);
        var index = entries.Find(in key, entries.TagOf(in key));
        if (index < 0)
        {
            return;
        }

        ref var entry = ref entries.Items[index];
        if (!entry.Has(Marks.Answered) && fromLow == entry.Has(Marks.InitiatorIsLow) && (!entry.IsTcp || entry.Has(Marks.IsnKnown)))
        {
            entry.Marks |= Marks.Refused;
            Schedule(index, isNew: false);
        }
    }

    /// <summary>Reports what has timed out by then. A live source calls it when no packets come.</summary>
    public void Advance(long timeUs)
    {
        clockUs = Math.Max(clockUs, timeUs);
        if (!wheel.IsBehind(clockUs))
        {
            return;
        }

        wheel.MoveTo(clockUs, out var first, out var last);
        for (var tick = first; tick <= last; tick++)
        {
            for (var index = wheel.Take(tick); index >= 0;)
            {
                var next = entries.Items[index].WheelNext;
                Review(index);
                index = next;
            }
        }
    }

    /// <summary>Reports all that is left, at the end of the input.</summary>
    public void Finish()
    {
        for (var index = 0; index < entries.Reached; index++)
        {
            if (entries.Items[index].WheelSlot != FlowEntry.NotInUse)
            {
                Finish(index, EndReason.Forced);
            }
        }
    }

    private static bool Owns(ref FlowEntry entry, bool fromLow, long timeUs, byte observer) => fromLow == entry.Has(Marks.InitiatorIsLow)
        ? entry.FwdOwner.IsOrBecomes(observer, timeUs)
        : entry.RevOwner.IsOrBecomes(observer, timeUs);

    private bool EndsBefore(ref FlowEntry entry, in DecodedPacket packet, bool fromLow, long timeUs, out EndReason reason)
    {
        // Files joined out of order jump back as well as forth.
        reason = EndReason.Idle;
        if (Math.Abs(timeUs - entry.LastUs) >= timeouts.IdleUs(in entry))
        {
            return true;
        }

        reason = EndReason.End;
        return entry.IsTcp && packet.Fragment != Fragment.Later
            && TcpTracking.OpensAnother(in entry, in packet, fromLow == entry.Has(Marks.InitiatorIsLow));
    }

    private int Begin(in FlowKey key, uint tag, in DecodedPacket packet, bool fromLow, long timeUs)
    {
        if (entries.IsFull)
        {
            Evicted++;
            Finish(wheel.Nearest(), EndReason.LackOfResources);
        }

        var entry = new FlowEntry { Key = key, ConnStartUs = timeUs, LastUs = timeUs, Isn = packet.IcmpTypeCode };
        if (entry.IsTcp)
        {
            TcpTracking.Begin(ref entry, in packet, fromLow);
        }
        else
        {
            var kind = IcmpTypes.KindOf(packet.Protocol, (byte)(packet.IcmpTypeCode >> 8));
            entry.DirectionBy = kind is IcmpKind.EchoReply or IcmpKind.Error ? DirectionBy.None : DirectionBy.Request;
            entry.Marks = fromLow == (kind != IcmpKind.EchoReply) ? Marks.InitiatorIsLow : Marks.None;
        }

        entry.ConnId = rows.NextConnId(in entry);
        Opened?.Invoke(in entry.Key, entry.Has(Marks.InitiatorIsLow));
        return entries.Insert(in entry, tag);
    }

    private void Schedule(int index, bool isNew)
    {
        if (!isNew)
        {
            wheel.Remove(entries.Items, index);
        }

        wheel.Add(entries.Items, index, timeouts.DeadlineUs(in entries.Items[index]));
    }

    /// <summary>Looks at an entry that was taken from the wheel: it ends, reports a window, or was active and goes back.</summary>
    private void Review(int index)
    {
        ref var entry = ref entries.Items[index];
        if (clockUs - entry.LastUs >= timeouts.IdleUs(in entry))
        {
            Finish(index, EndReason.Idle, inWheel: false);
            return;
        }

        if (!entry.WindowIsEmpty && clockUs - entry.WindowStartUs >= timeouts.ActiveUs)
        {
            rows.Write(in entry, EndReason.Active);
            entry.StartWindow();
        }

        Schedule(index, isNew: true);
    }

    private void Finish(int index, EndReason reason, bool inWheel = true)
    {
        ref var entry = ref entries.Items[index];
        if (inWheel)
        {
            wheel.Remove(entries.Items, index);
        }

        // A window without packets tells nothing that the row before it did not.
        if (!entry.WindowIsEmpty)
        {
            rows.Write(in entry, entry.IsOver ? EndReason.End : reason);
        }

        entries.Remove(index);
    }
}
