using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Flows.Core;
using Flows.Core.Accounting;
using Flows.Core.Facts;

namespace Flows.Capture.Conntrack;

/// <summary>An entry whose counters are wanted now, because its TCP connection ended.</summary>
internal readonly record struct ConntrackFetch(ConntrackKey Key);

/// <summary>
/// Follows connections through the kernel's messages and writes their rows. A pure state machine: its only input is
/// <see cref="OnDatagram"/>, so a recording of the datagrams gives the same rows again. Not thread safe; no allocation per event.
/// </summary>
internal sealed class ConntrackTracker(ObservationPoint point, FlowSink sink, HopAccount account, ConntrackSeen? seen = null, ConntrackSeen? alive = null)
{
    // 64 gets go out per turn of the source's loop, so this is what some hundred turns clear; beyond it the next dump or DESTROY serves.
    private const int FetchesMax = 8192;

    // A repeated DESTROY follows within the kernel's retry interval, far below this.
    private const long RepeatedWithinUs = 5 * UnixTime.Second;

    // Two dumps without it: an entry whose DESTROY the kernel still retries to deliver is absent from the first one already.
    private const int DumpsMissedMax = 2;

    private readonly Dictionary<ConntrackKey, ConntrackEntry> entries = new(4096);
    private readonly Queue<ConntrackFetch> fetches = new(256);
    private readonly ConntrackGraves graves = new();
    private readonly ConntrackRows rows = new(point, sink);

    // Set by the start mark.
    private long activeTimeoutUs = UnixTime.Minute;
    private int entriesMax = 262_144;

    private long startedUs;

    // The dump under way, or the last one.
    private ConntrackDump dump;
    private uint dumpNo;
    private long dumpBeginUs;

    /// <summary>Connections in the table.</summary>
    public int Count => entries.Count;

    /// <summary>Takes the next TCP connection whose counters are wanted. A replay leaves them: the answers are in the recording.</summary>
    public bool TryTakeFetch(out ConntrackFetch fetch) => fetches.TryDequeue(out fetch);

    /// <summary>Takes one netlink datagram, or a <see cref="ConntrackMark"/>, received at <paramref name="timeUs"/>.</summary>
    public void OnDatagram(ReadOnlySpan<byte> datagram, long timeUs)
    {
        var netlink = new NetlinkReader(datagram);
        while (netlink.Next())
        {
            if (netlink.Malformed)
            {
                account.Seen();
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
                account.Seen();
                OnConntrack(in netlink, timeUs);
            }
        }
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
            account.Dropped("loopback");
            return;
        }

        var key = message.Key;
        var eventUs = message.EventNs != 0 ? (long)(message.EventNs / 1000) : timeUs;
        var reason = message.Kind switch
        {
            ConntrackMessageKind.New => OnNew(in key, in message, eventUs),
            ConntrackMessageKind.Update => OnUpdate(in key, in message, eventUs),
            ConntrackMessageKind.Destroy => OnDestroy(in key, in message, eventUs),
            _ => OnAnswer(in key, in message, eventUs),
        };
        if (reason is null)
        {
            account.Forwarded();
        }
        else
        {
            account.Dropped(reason);
        }
    }

    private string? OnNew(in ConntrackKey key, in ConntrackMessage message, long timeUs)
    {
        graves.Forget(in key);
        ref var entry = ref Find(in key);
        if (!Unsafe.IsNullRef(ref entry))
        {
            if (IsRepeatedNew(in entry, in message))
            {
                AdoptBirth(ref entry, in message);
                entry.Learn(in message, timeUs);
                return null;
            }

            EndUnheard(in key, ref entry, timeUs);
        }

        if (!TryAdd(in key, in message, timeUs, found: false))
        {
            return "table_full";
        }

        return null;
    }

    private string? OnUpdate(in ConntrackKey key, in ConntrackMessage message, long timeUs)
    {
        if (!TryFindOrAdd(in key, in message, timeUs))
        {
            return "table_full";
        }

        ref var entry = ref Find(in key);
        entry.Learn(in message, timeUs);
        if (entry.TcpIsOver && entry.ClosedUs == 0)
        {
            entry.ClosedUs = timeUs;
            if (fetches.Count < FetchesMax)
            {
                fetches.Enqueue(new ConntrackFetch(key));
            }
        }

        return null;
    }

    private string? OnDestroy(in ConntrackKey key, in ConntrackMessage message, long timeUs)
    {
        timeUs = message.StopNs != 0 ? (long)(message.StopNs / 1000) : timeUs;
        ref var entry = ref Find(in key);
        if (!Unsafe.IsNullRef(ref entry) && IsSame(in entry, in message))
        {
            entry.Learn(in message, timeUs);
            WriteLast(in key, ref entry, timeUs);
            entries.Remove(key);
        }
        else if (graves.HoldsSame(in key, in message, timeUs - RepeatedWithinUs))
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
            var stranger = Begin(in message, timeUs, found: true);
            stranger.WindowStartUs = stranger.ConnStartUs;
            stranger.Learn(in message, timeUs);
            WriteLast(in key, ref stranger, timeUs);
        }

        graves.Bury(in key, in message, timeUs);
        return null;
    }

    private string? OnAnswer(in ConntrackKey key, in ConntrackMessage message, long timeUs)
    {
        ref var entry = ref Find(in key);
        if (!Unsafe.IsNullRef(ref entry) && !IsSame(in entry, in message))
        {
            if (!entry.Found && entry.ConnStartUs >= dumpBeginUs)
            {
                // The entry's NEW is younger than this answer, which tells of its predecessor.
                return null;
            }

            EndUnheard(in key, ref entry, timeUs);
        }

        var isNew = Unsafe.IsNullRef(ref Find(in key));
        if (isNew && (!message.IsDump || graves.Holds(in key, message.Id, dumpBeginUs)))
        {
            return null;
        }

        if (isNew && !TryAdd(in key, in message, timeUs, found: true))
        {
            return "table_full";
        }

        entry = ref Find(in key);
        entry.Learn(in message, timeUs);
        if (message.IsDump)
        {
            OnDumped(ref entry, isNew);
            alive?.Invoke(key.Orig, in message.Reply, isNew: false);
        }

        WriteOnAnswer(in key, ref entry, timeUs);
        return null;
    }

    private void OnDumped(ref ConntrackEntry entry, bool isNew)
    {
        var isFirst = entry.DumpNo == 0;
        entry.DumpNo = dumpNo;
        entry.DumpsMissed = 0;
        if (dump == ConntrackDump.Initial && entry.Found && isFirst && entry.WindowNo == 0)
        {
            // What it carried before us is not ours to report.
            entry.Reported = entry.Latest;
            entry.EndReported = isNew && entry.TcpIsOver;
        }
    }

    private void WriteOnAnswer(in ConntrackKey key, ref ConntrackEntry entry, long timeUs)
    {
        if (entry.EndReported)
        {
            return;
        }

        if (entry.TcpIsOver)
        {
            entry.ClosedUs = entry.ClosedUs == 0 ? timeUs : entry.ClosedUs;
            rows.Write(in key, ref entry, EndReason.End, entry.State(key.Orig.Protocol, gone: false), entry.ClosedUs, counted: true);
            entry.EndReported = true;
        }
        else if (dump == ConntrackDump.Periodic && entry.DumpNo == dumpNo && timeUs - entry.WindowStartUs >= activeTimeoutUs / 2)
        {
            // Dumps come once per active timeout; half of it as the least age makes windows of 30 to 90 s at the default of 60 s.
            if (entry.WindowNo == 0 || entry.Latest != entry.Reported)
            {
                rows.Write(in key, ref entry, EndReason.Active, entry.State(key.Orig.Protocol, gone: false), timeUs, counted: true);
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
                entriesMax = (int)mark.Third;
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
                account.Seen((long)mark.Value);
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
        foreach (var key in entries.Keys)
        {
            ref var entry = ref Find(in key);
            if (entry.DumpNo == dumpNo || entry.HeardUs >= dumpBeginUs || ++entry.DumpsMissed < DumpsMissedMax)
            {
                continue;
            }

            EndUnheard(in key, ref entry, timeUs);
        }
    }

    private void Stop(long timeUs)
    {
        foreach (var key in entries.Keys)
        {
            ref var entry = ref Find(in key);
            var counted = entry.DumpNo == dumpNo && dump == ConntrackDump.Final;
            if (!entry.EndReported)
            {
                var reason = entry.TcpIsOver ? EndReason.End : EndReason.Forced;
                rows.Write(in key, ref entry, reason, entry.State(key.Orig.Protocol, gone: false), entry.TcpIsOver ? entry.ClosedUs : timeUs, counted);
            }
            else if (counted)
            {
                WriteResidue(in key, ref entry, timeUs);
            }
        }

        entries.Clear();
    }

    /// <summary>The last row of an entry whose DESTROY came; the counters are its final ones.</summary>
    private void WriteLast(in ConntrackKey key, ref ConntrackEntry entry, long timeUs)
    {
        if (entry.EndReported)
        {
            WriteResidue(in key, ref entry, timeUs);
            return;
        }

        var state = entry.State(key.Orig.Protocol, gone: true);
        var ended = state is FlowState.Closed or FlowState.Reset or FlowState.Refused;
        rows.Write(in key, ref entry, ended ? EndReason.End : EndReason.Idle, state, entry.ClosedUs != 0 ? entry.ClosedUs : timeUs, counted: true);
    }

    private void WriteResidue(in ConntrackKey key, ref ConntrackEntry entry, long timeUs)
    {
        if (entry.HasCounters && entry.Latest != entry.Reported)
        {
            rows.Write(in key, ref entry, EndReason.End, entry.State(key.Orig.Protocol, gone: true), timeUs, counted: true);
        }
    }

    /// <summary>The kernel has forgotten the connection and its DESTROY did not reach us: its last counters are lost.</summary>
    private void EndUnheard(in ConntrackKey key, ref ConntrackEntry entry, long timeUs)
    {
        if (!entry.EndReported)
        {
            var state = entry.State(key.Orig.Protocol, gone: false);
            rows.Write(in key, ref entry, EndReason.Forced, state, entry.ClosedUs != 0 ? entry.ClosedUs : timeUs, counted: false);
        }

        entries.Remove(key);
    }

    private ref ConntrackEntry Find(in ConntrackKey key) => ref CollectionsMarshal.GetValueRefOrNullRef(entries, key);

    private bool TryFindOrAdd(in ConntrackKey key, in ConntrackMessage message, long timeUs)
    {
        ref var entry = ref Find(in key);
        if (Unsafe.IsNullRef(ref entry))
        {
            return TryAdd(in key, in message, timeUs, found: true);
        }

        if (entry.Id == message.Id)
        {
            return true;
        }

        EndUnheard(in key, ref entry, timeUs);
        return TryAdd(in key, in message, timeUs, found: true);
    }

    /// <summary>
    /// A full table refuses the newcomer instead of evicting: nothing of it has been reported, so its DESTROY, or the next dump with
    /// room, still brings all its counters, once.
    /// </summary>
    private bool TryAdd(in ConntrackKey key, in ConntrackMessage message, long timeUs, bool found)
    {
        if (entries.Count >= entriesMax)
        {
            return false;
        }

        var entry = Begin(in message, timeUs, found);
        entry.Learn(in message, timeUs);
        entries.Add(key, entry);
        seen?.Invoke(key.Orig, in message.Reply, isNew: !found);
        return true;
    }

    private static ConntrackEntry Begin(in ConntrackMessage message, long timeUs, bool found)
    {
        var startUs = message.StartNs != 0 ? (long)(message.StartNs / 1000) : timeUs;
        var entry = new ConntrackEntry
        {
            Reply = message.Reply,
            Id = message.Id,
            ConnStartUs = startUs,
            WindowStartUs = timeUs,
            Found = found,
        };
        Orient(ref entry, in message, found);
        return entry;
    }

    /// <summary>Decides who initiated, and by which evidence.</summary>
    private static void Orient(ref ConntrackEntry entry, in ConntrackMessage message, bool found)
    {
        if (message.Orig.Protocol == IpProtocol.Tcp)
        {
            entry.DirectionBy = message.ProvesSyn ? DirectionBy.CtNew : DirectionBy.PortOrder;
            entry.MidStream = !message.ProvesSyn;

            // tcp_loose takes whoever spoke first for the initiator, and that is the server as often as not.
            entry.Reversed = entry.MidStream && message.Orig.SrcPort < message.Orig.DstPort;
        }
        else
        {
            entry.DirectionBy = found ? DirectionBy.Request : DirectionBy.CtNew;
            entry.Reversed = false;
        }
    }

    /// <summary>The event of an entry that a dump or an UPDATE showed first: it began in front of us after all.</summary>
    private static void AdoptBirth(ref ConntrackEntry entry, in ConntrackMessage message)
    {
        if (entry is { Found: true, WindowNo: 0 })
        {
            entry.Found = false;
            entry.Reported = default;
            entry.WindowStartUs = entry.ConnStartUs;
            Orient(ref entry, in message, found: false);
        }
    }

    /// <summary>The same life of the same entry: ids repeat over time, so the start and the counters must agree too.</summary>
    private static bool IsSame(in ConntrackEntry entry, in ConntrackMessage message) => entry.Id == message.Id
        && (entry.StartNs == 0 || message.StartNs == 0 || entry.StartNs == message.StartNs)
        && (!message.HasCounters || message.Counters.Continues(entry.Reported));

    /// <summary>A NEW for an entry that we have: repeated by the kernel because some listener missed it, unless the entry must be another one.</summary>
    private static bool IsRepeatedNew(in ConntrackEntry entry, in ConntrackMessage message) =>
        entry.Id == message.Id && !entry.EndReported && entry.ClosedUs == 0 && (message.SeenReply || !entry.SeenReply || entry.Found);
}
