using Flows.Core;
using Flows.Core.Accounting;
using Flows.Core.Facts;

namespace Flows.Capture.Conntrack;

/// <summary>
/// Follows connections through the kernel's messages and writes their rows. A pure state machine: its only input are
/// datagrams, so a recording of them gives the same rows again. Not thread safe; no allocation per event.
/// </summary>
internal sealed class ConntrackTracker
{
    // A repeated DESTROY follows within the kernel's retry interval, far below this.
    private const long RepeatedWithinUs = 5 * UnixTime.Second;

    // Two dumps without it: an entry whose DESTROY the kernel still retries to deliver is absent from the first one already.
    private const int DumpsMissedMax = 2;

    private readonly HopAccount account;
    private readonly ConntrackSeen? seen;
    private readonly ConntrackSeen? alive;
    private readonly ConntrackTable table = new();
    private readonly ConntrackGraves graves = new();
    private readonly ConntrackFetches fetches;
    private readonly ConntrackRows rows;
    private readonly ConntrackEnds ends;

    // Counted here and posted in one go: an interlocked addition for each event costs more than finding its entry.
    private long seenCount;
    private long forwardedCount;
    private long loopbackCount;

    // Set by marks.
    private long activeTimeoutUs = UnixTime.Minute;
    private long startedUs;
    private long watchedUntilUs;

    // The dump under way, or the last one.
    private ConntrackDump dump;
    private uint dumpNo;
    private long dumpBeginUs;

    /// <param name="point">The node and scope of the rows.</param>
    /// <param name="sink">Takes each row.</param>
    /// <param name="account">The hop <c>conntrack</c>, unit <c>events</c>.</param>
    /// <param name="seen">Told of each connection that enters the table.</param>
    /// <param name="alive">Told of each connection that a dump shows.</param>
    public ConntrackTracker(ObservationPoint point, FlowSink sink, HopAccount account, ConntrackSeen? seen = null, ConntrackSeen? alive = null)
    {
        this.account = account;
        this.seen = seen;
        this.alive = alive;
        fetches = new ConntrackFetches(table);
        rows = new ConntrackRows(point, sink);
        ends = new ConntrackEnds(rows);
    }

    /// <summary>Connections in the table.</summary>
    public int Count => table.Count;

    /// <summary>Entries that somebody deleted before their time, since the start.</summary>
    public long Deleted => ends.Deleted;

    /// <summary>Messages of the kernel, since the start.</summary>
    public long Messages { get; private set; }

    /// <summary>Messages about connections for which the table had no room, since the start.</summary>
    public long Refused { get; private set; }

    /// <summary>Takes the next connection whose counters are wanted. A replay leaves them: the answers are in the recording.</summary>
    public bool TryTakeFetch(out ConntrackFetch fetch) => fetches.TryTake(out fetch);

    /// <summary>Takes one netlink datagram, or a <see cref="ConntrackMark"/>, received at <paramref name="timeUs"/>, and posts it to the books.</summary>
    public void OnDatagram(ReadOnlySpan<byte> datagram, long timeUs)
    {
        Take(datagram, timeUs);
        Post();
    }

    /// <summary>As <see cref="OnDatagram"/>, but the books wait for <see cref="Post"/>.</summary>
    public void Take(ReadOnlySpan<byte> datagram, long timeUs)
    {
        var netlink = new NetlinkReader(datagram);
        while (netlink.Next())
        {
            if (netlink.Malformed)
            {
                seenCount++;
                account.Dropped("decode_error");
            }
            else if (netlink.Type == ConntrackMark.MessageType)
            {
                if (ConntrackMark.TryRead(netlink.Payload, out var mark))
                {
                    OnMark(mark, timeUs);
                }
            }
            else if (netlink.Type >> 8 == CtMsg.Subsystem)
            {
                seenCount++;
                OnConntrack(in netlink, timeUs);
            }
        }
    }

    /// <summary>Brings the books up to date.</summary>
    public void Post()
    {
        if (seenCount == 0)
        {
            return;
        }

        Messages += seenCount;
        account.Seen(seenCount);
        account.Forwarded(forwardedCount);
        account.Dropped("loopback", loopbackCount);
        (seenCount, forwardedCount, loopbackCount) = (0, 0, 0);
    }

    private void OnConntrack(scoped in NetlinkReader netlink, long timeUs)
    {
        if (!ConntrackParser.TryParse(in netlink, out var message))
        {
            account.Dropped("decode_error");
            return;
        }

        if (message.Orig.IsLoopback)
        {
            loopbackCount++;
            return;
        }

        var eventUs = message.EventNs != 0 ? (long)(message.EventNs / 1000) : timeUs;
        var hash = table.HashOf(in message.Orig, message.Zone);
        var index = table.Find(in message.Orig, message.Zone, hash);
        var reason = message.Kind switch
        {
            ConntrackMessageKind.New => OnNew(index, hash, in message, eventUs),
            ConntrackMessageKind.Update => OnUpdate(index, hash, in message, eventUs),
            ConntrackMessageKind.Destroy => OnDestroy(index, hash, in message, eventUs),
            _ => OnAnswer(index, hash, in message, eventUs),
        };
        if (reason is null)
        {
            forwardedCount++;
        }
        else
        {
            account.Dropped(reason);
        }
    }

    private string? OnNew(int index, ulong hash, in ConntrackMessage message, long timeUs)
    {
        graves.Forget(hash);
        if (index >= 0)
        {
            ref var entry = ref table[index];
            if (entry.IsRepeatedNew(in message))
            {
                AdoptBirth(ref entry, hash, in message);
                Hear(ref entry, in message);
                return null;
            }

            EndUnheard(index, timeUs);
        }

        return TryAdd(hash, in message, timeUs, found: false, out _) ? null : "table_full";
    }

    private string? OnUpdate(int index, ulong hash, in ConntrackMessage message, long timeUs)
    {
        if (index >= 0 && table[index].Id != message.Id)
        {
            EndUnheard(index, timeUs);
            index = -1;
        }

        if (index < 0 && !TryAdd(hash, in message, timeUs, found: true, out index))
        {
            return "table_full";
        }

        ref var entry = ref table[index];
        Hear(ref entry, in message);
        if (entry.IsOver && entry.ClosedUs == 0)
        {
            entry.ClosedUs = timeUs;
            fetches.Want(ref entry, index);
        }

        return null;
    }

    private string? OnDestroy(int index, ulong hash, in ConntrackMessage message, long timeUs)
    {
        timeUs = message.StopNs != 0 ? (long)(message.StopNs / 1000) : timeUs;
        var timeLeft = message.TimeoutSeconds != 0;
        if (index >= 0 && table[index].IsSame(in message))
        {
            ref var entry = ref table[index];
            entry.Learn(in message);
            ends.WriteLast(ref entry, timeUs, timeLeft);
            Bury(hash, in entry, in message, timeUs);
            table.Remove(index);
        }
        else if (graves.HoldsSame(hash, in message, timeUs - RepeatedWithinUs))
        {
            return "repeated";
        }
        else if (message.StartNs != 0 && (long)(message.StartNs / 1000) < startedUs)
        {
            // Older than this source, and not in the table that its first dump fills: it had ended before, and the kernel was only late to
            // forget it (the dump itself makes it look). Whoever watched then has reported it.
            return "ended_before_start";
        }
        else
        {
            // Its NEW is lost or was refused by a full table: the row is whole all the same, but for the evidence of direction.
            var stranger = Begin(hash, in message, timeUs, found: true);
            stranger.WindowStartUs = stranger.ConnStartUs;
            stranger.Learn(in message);
            ends.WriteLast(ref stranger, timeUs, timeLeft);
            Bury(hash, in stranger, in message, timeUs);
        }

        return null;
    }

    private string? OnAnswer(int index, ulong hash, in ConntrackMessage message, long timeUs)
    {
        if (index >= 0 && !table[index].IsSame(in message))
        {
            if (!table[index].Found && table[index].ConnStartUs >= dumpBeginUs)
            {
                // The entry's NEW is younger than this answer, which tells of its predecessor.
                return null;
            }

            EndUnheard(index, timeUs);
            index = -1;
        }

        var isNew = index < 0;
        if (isNew && (!message.IsDump || graves.Holds(hash, message.Id, dumpBeginUs)))
        {
            return null;
        }

        if (isNew && !TryAdd(hash, in message, timeUs, found: true, out index))
        {
            return "table_full";
        }

        ref var entry = ref table[index];
        Hear(ref entry, in message);
        if (message.IsDump)
        {
            OnDumped(ref entry, isNew);
            alive?.Invoke(in message.Orig, in message.Reply, isNew: false);
        }

        WriteOnAnswer(ref entry, timeUs);
        return null;
    }

    private void OnDumped(ref ConntrackEntry entry, bool isNew)
    {
        var isFirst = entry.DumpNo == 0;
        entry.DumpNo = dumpNo;
        entry.DumpsMissed = 0;
        if (dump == ConntrackDump.Initial && entry.Found && isFirst && entry.WindowNo == 0)
        {
            // What it carried before us is not ours to report. Nor is its beginning, if an earlier run has rows of it.
            entry.Reported = entry.Latest;
            entry.EndReported = isNew && entry.IsOver;
            entry.WindowNo = entry.StartNs != 0 && entry.ConnStartUs < watchedUntilUs ? 1u : 0;
        }
    }

    private void WriteOnAnswer(ref ConntrackEntry entry, long timeUs)
    {
        if (entry.EndReported)
        {
            return;
        }

        if (entry.IsOver)
        {
            ends.WriteEnd(ref entry, timeUs);
        }
        else if (dump == ConntrackDump.Periodic && entry.DumpNo == dumpNo && timeUs - entry.WindowStartUs >= activeTimeoutUs / 2)
        {
            // Dumps come once per active timeout; half of it as the least age makes windows of 30 to 90 s at the default of 60 s.
            if (entry.WindowNo == 0 || entry.Latest != entry.Reported)
            {
                rows.Write(ref entry, EndReason.Active, ConntrackStates.Of(in entry, gone: false), timeUs, counted: true);
            }
            else
            {
                // Silence needs no row.
                entry.WindowStartUs = timeUs;
            }
        }
    }

    private void OnMark(ConntrackMark mark, long timeUs)
    {
        switch (mark.Kind)
        {
            case ConntrackMarkKind.Start:
                startedUs = timeUs;
                rows.Seed = mark.Value;
                activeTimeoutUs = (long)mark.Second;
                table.EntriesMax = (int)(uint)mark.Third;
                rows.SpaceZone = (ushort)(mark.Third >> 32);
                break;
            case ConntrackMarkKind.Watched:
                watchedUntilUs = (long)mark.Value;
                break;
            case ConntrackMarkKind.DumpBegin:
                dump = (ConntrackDump)mark.Value;
                dumpNo++;
                dumpBeginUs = timeUs;
                break;
            case ConntrackMarkKind.DumpEnd:
                if (mark.Value == 1)
                {
                    Sweep(timeUs);
                }

                break;
            case ConntrackMarkKind.Lost:
                seenCount += (long)mark.Value;
                account.Dropped("netlink_overrun", (long)mark.Value);
                break;
            default:
                Stop(timeUs);
                break;
        }
    }

    /// <summary>Ends what the kernel no longer has, though it never said so.</summary>
    private void Sweep(long timeUs)
    {
        for (var index = 0; index < table.Reached; index++)
        {
            ref var entry = ref table[index];
            if (entry.InUse && entry.DumpNo != dumpNo && entry.HeardNo != dumpNo && ++entry.DumpsMissed >= DumpsMissedMax)
            {
                EndUnheard(index, timeUs);
            }
        }
    }

    private void Stop(long timeUs)
    {
        for (var index = 0; index < table.Reached; index++)
        {
            ref var entry = ref table[index];
            if (entry.InUse)
            {
                ends.WriteStopped(ref entry, timeUs, counted: entry.DumpNo == dumpNo && dump == ConntrackDump.Final);
            }
        }

        table.Clear();
    }

    private void EndUnheard(int index, long timeUs)
    {
        ends.WriteUnheard(ref table[index], timeUs);
        table.Remove(index);
    }

    private void Hear(ref ConntrackEntry entry, in ConntrackMessage message)
    {
        entry.Learn(in message);
        entry.HeardNo = dumpNo;
    }

    private void Bury(ulong hash, in ConntrackEntry entry, in ConntrackMessage message, long timeUs)
    {
        graves.Bury(hash, in message, timeUs);
        if (entry.SeenReply && entry.DirectionBy != DirectionBy.PortOrder && ConntrackDirection.PortsAreSilent(in message.Reply))
        {
            graves.Bury(AnswerOf(table.HashOf(in message.Reply, message.Zone)), in message, timeUs);
        }
    }

    /// <summary>
    /// A full table refuses the newcomer instead of evicting: nothing of it has been reported, so its DESTROY, or the next dump with
    /// room, still brings all its counters, once.
    /// </summary>
    private bool TryAdd(ulong hash, in ConntrackMessage message, long timeUs, bool found, out int index)
    {
        index = -1;
        if (table.IsFull)
        {
            Refused++;
            return false;
        }

        var entry = Begin(hash, in message, timeUs, found);
        Hear(ref entry, in message);
        index = table.Insert(in entry, hash);
        seen?.Invoke(in message.Orig, in message.Reply, isNew: !found);
        return true;
    }

    private ConntrackEntry Begin(ulong hash, in ConntrackMessage message, long timeUs, bool found)
    {
        var entry = new ConntrackEntry
        {
            Orig = message.Orig,
            Reply = message.Reply,
            Zone = message.Zone,
            Id = message.Id,
            ConnStartUs = message.StartNs != 0 ? (long)(message.StartNs / 1000) : timeUs,
            WindowStartUs = timeUs,
            Found = found,
        };
        Orient(ref entry, hash, in message, found);
        return entry;
    }

    private void Orient(ref ConntrackEntry entry, ulong hash, in ConntrackMessage message, bool found)
    {
        var isAnswer = !found && ConntrackDirection.PortsAreSilent(in message.Orig) && graves.Holds(AnswerOf(hash));
        ConntrackDirection.Orient(ref entry, in message, found, isAnswer);
    }

    /// <summary>The event of an entry that a dump or an UPDATE showed first: it began in front of us after all.</summary>
    private void AdoptBirth(ref ConntrackEntry entry, ulong hash, in ConntrackMessage message)
    {
        if (entry is { Found: true, WindowNo: 0 })
        {
            entry.Found = false;
            entry.Reported = default;
            entry.WindowStartUs = entry.ConnStartUs;
            Orient(ref entry, hash, in message, found: false);
        }
    }

    /// <summary>Keeps the answering tuples apart from the asking ones, among which they lie.</summary>
    private static ulong AnswerOf(ulong hash) => ~hash;
}
