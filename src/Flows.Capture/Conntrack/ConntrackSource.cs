using System.Buffers.Binary;
using Flows.Core;
using Flows.Core.Accounting;

namespace Flows.Capture.Conntrack;

/// <summary>
/// Follows the connection tracking of one network namespace: the one of the thread that calls <see cref="RunAsync"/>.
/// Events tell what begins and ends, dumps what goes on. Both arrive on one thread of its own, so their order is a fact.
/// </summary>
public sealed class ConntrackSource
{
    private const int EventsPerTurn = 256;
    private const int AnswersPerTurn = 64;
    private const int FetchesPerTurn = 64;

    // The longest datagram is a part of a dump; the kernel makes them 32 KiB at most (netlink_recvmsg).
    private const int BufferBytes = 256 << 10;
    private const int AnswerBufferBytes = 8 << 20;
    private const int WaitMs = 100;

    // Interface packets without a single conntrack message, above which tracking must be off. A few are neighbour discovery.
    private const long InactivePackets = 100;

    private static readonly TimeSpan RepairGap = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan DropsCheck = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan DumpSilenceMax = TimeSpan.FromSeconds(10);

    private readonly HopAccount account;
    private readonly TimeProvider time;
    private readonly ConntrackSourceOptions options;
    private readonly Action<ReadOnlySpan<byte>, long>? tap;
    private readonly ConntrackTracker tracker;
    private readonly TaskCompletionSource started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly byte[] buffer = new byte[BufferBytes];
    private readonly byte[] requests = new byte[FetchesPerTurn * ConntrackQuery.LengthMax];

    private volatile IReadOnlyList<string> warnings = [];
    private uint sequence;
    private uint dumpSequence;
    private bool dumpInterrupted;
    private ConntrackDump dump;
    private long dumpHeardAt;
    private long dumpedAt;
    private long dropsAt;
    private bool repairWanted;
    private long packetsAtStart;

    /// <param name="point">The node and scope of the rows.</param>
    /// <param name="sink">Takes each row, on the source's thread.</param>
    /// <param name="account">The hop <c>conntrack</c>, unit <c>events</c>.</param>
    /// <param name="time">Gives every datagram its time.</param>
    /// <param name="options">How to follow.</param>
    /// <param name="tap">Gets exactly the datagrams that the tracker gets, in order, before it does, with their times; see <c>ConntrackReplay</c>.</param>
    /// <param name="seen">Told of each connection that enters the table.</param>
    /// <param name="alive">Told of each connection that a dump shows.</param>
    public ConntrackSource(
        ObservationPoint point, FlowSink sink, HopAccount account, TimeProvider time, ConntrackSourceOptions options, Action<ReadOnlySpan<byte>, long>? tap = null,
        ConntrackSeen? seen = null, ConntrackSeen? alive = null)
    {
        this.account = account;
        this.time = time;
        this.options = options;
        this.tap = tap;
        tracker = new ConntrackTracker(point, sink, account, seen, alive);
    }

    /// <summary>What is not as it should be: what, with which consequence, and how to mend it.</summary>
    public IReadOnlyList<string> Warnings => warnings;

    /// <summary>Done when events flow and the first dump is merged: from then on nothing is missed. Cancelled if it never comes to that.</summary>
    public Task Started => started.Task;

    /// <summary>Connections in the table, now.</summary>
    public int Connections => tracker.Count;

    /// <summary>
    /// Follows until <paramref name="token"/>, then takes a final dump and writes out what lives. The task is done when the last row is
    /// with the sink.
    /// </summary>
    /// <exception cref="FlowsException">No privilege, or the kernel has no conntrack netlink.</exception>
    public Task RunAsync(CancellationToken token)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        // A thread made here stands in the network namespace of the caller's thread; one of the pool would not.
        var thread = new Thread(() =>
        {
            try
            {
                Run(token);
                done.SetResult();
            }
            catch (Exception fault)
            {
                done.SetException(fault);
            }
            finally
            {
                started.TrySetCanceled(CancellationToken.None);
            }
        })
        { IsBackground = true, Name = "conntrack" };
        thread.Start();
        return done.Task;
    }

    private void Run(CancellationToken token)
    {
        using var events = NetlinkSocket.Open(CtMsg.GroupsAll, options.ReceiveBufferBytes);
        using var answers = NetlinkSocket.Open(0, AnswerBufferBytes);
        warnings = ConntrackSettings.Prepare(options.ManageSysctl);
        packetsAtStart = ConntrackSettings.InterfacePackets();
        var (boot, space) = ConntrackSettings.Where();
        Mark(new ConntrackMark(
            ConntrackMarkKind.Start,
            StableId.Of("conntrack", boot, space),
            (ulong)(options.ActiveTimeout.Ticks / TimeSpan.TicksPerMicrosecond),
            (ulong)options.EntriesMax));

        BeginDump(answers, ConntrackDump.Initial);
        while (true)
        {
            var busy = ReadEvents(events);
            busy |= SendFetches(answers);
            busy |= ReadAnswers(answers);
            CountDrops(events);
            if (dumpSequence == 0)
            {
                if (dump == ConntrackDump.Final)
                {
                    break;
                }

                ChooseDump(answers, token);
            }

            if (!busy)
            {
                NetlinkSocket.Wait(events, answers, WaitMs);
            }
        }

        while (ReadEvents(events))
        {
            // What happened before the final dump ended still counts.
        }

        CountDrops(events, always: true);
        Mark(new ConntrackMark(ConntrackMarkKind.Stop, 0));
    }

    private void ChooseDump(NetlinkSocket answers, CancellationToken token)
    {
        var age = time.GetElapsedTime(dumpedAt);
        if (token.IsCancellationRequested)
        {
            BeginDump(answers, ConntrackDump.Final);
        }
        else if (repairWanted && age >= RepairGap)
        {
            repairWanted = false;
            BeginDump(answers, ConntrackDump.Repair);
        }
        else if (age >= options.ActiveTimeout)
        {
            BeginDump(answers, ConntrackDump.Periodic);
        }
    }

    private void BeginDump(NetlinkSocket answers, ConntrackDump why)
    {
        dump = why;
        dumpInterrupted = false;
        dumpedAt = dumpHeardAt = time.GetTimestamp();
        dumpSequence = NextSequence();
        Mark(new ConntrackMark(ConntrackMarkKind.DumpBegin, (ulong)why));
        answers.Send(requests.AsSpan(0, ConntrackQuery.WriteDump(requests, dumpSequence)));
    }

    private void EndDump(bool complete)
    {
        dumpSequence = 0;
        Mark(new ConntrackMark(ConntrackMarkKind.DumpEnd, complete && !dumpInterrupted ? 1UL : 0));
        started.TrySetResult();
        WarnIfInactive();
    }

    private bool ReadEvents(NetlinkSocket events)
    {
        for (var count = 0; count < EventsPerTurn; count++)
        {
            switch (events.TryReceive(buffer, out var length))
            {
                case NetlinkReceive.Empty:
                    return count > 0;
                case NetlinkReceive.Overrun:
                    dropsAt = 0;
                    break;
                default:
                    // A truncated one is delivered too: the tracker counts what it cannot read.
                    Deliver(buffer.AsSpan(0, length));
                    break;
            }
        }

        return true;
    }

    private bool SendFetches(NetlinkSocket answers)
    {
        var length = 0;
        for (var count = 0; count < FetchesPerTurn && tracker.TryTakeFetch(out var fetch); count++)
        {
            length += ConntrackQuery.WriteGet(requests.AsSpan(length), NextSequence(), fetch.Key);
        }

        if (length != 0)
        {
            answers.Send(requests.AsSpan(0, length));
        }

        return length != 0;
    }

    private bool ReadAnswers(NetlinkSocket answers)
    {
        for (var count = 0; count < AnswersPerTurn; count++)
        {
            var result = answers.TryReceive(buffer, out var length);
            if (result == NetlinkReceive.Empty)
            {
                if (dumpSequence != 0 && time.GetElapsedTime(dumpHeardAt) > DumpSilenceMax)
                {
                    EndDump(complete: false);
                }

                return count > 0;
            }

            if (result != NetlinkReceive.Overrun)
            {
                // Answers to gets that did not fit are no loss: DESTROY brings their counters.
                Deliver(buffer.AsSpan(0, length));
                FollowDump(buffer.AsSpan(0, length));
            }
        }

        return true;
    }

    private void FollowDump(ReadOnlySpan<byte> datagram)
    {
        var netlink = new NetlinkReader(datagram);
        while (dumpSequence != 0 && netlink.Next())
        {
            if (netlink.Malformed || netlink.Sequence != dumpSequence)
            {
                continue;
            }

            dumpHeardAt = time.GetTimestamp();
            dumpInterrupted |= (netlink.Flags & NlMsg.FlagDumpInterrupted) != 0;
            if (netlink.Type == NlMsg.Done)
            {
                EndDump(complete: true);
            }
            else if (netlink.Type == NlMsg.Error)
            {
                if (dump == ConntrackDump.Initial)
                {
                    var errno = netlink.Payload.Length < sizeof(int) ? 0 : -BinaryPrimitives.ReadInt32LittleEndian(netlink.Payload);
                    throw NetlinkSocket.Failure("dump the conntrack entries", errno);
                }

                EndDump(complete: false);
            }
        }
    }

    private void CountDrops(NetlinkSocket events, bool always = false)
    {
        if (!always && dropsAt != 0 && time.GetElapsedTime(dropsAt) < DropsCheck)
        {
            return;
        }

        dropsAt = time.GetTimestamp();
        var drops = events.Drops();
        if (drops > 0)
        {
            repairWanted = true;
            Mark(new ConntrackMark(ConntrackMarkKind.Lost, (ulong)drops));
        }
    }

    /// <summary>A namespace without a rule that needs conntrack tracks nothing, and nothing else says so.</summary>
    private void WarnIfInactive()
    {
        const string Inactive = "Packets pass but conntrack follows none of them in this network namespace: no rule asks for it; "
            + "add one such as 'nft add rule inet filter forward ct state new counter'.";
        if (account.Report().Seen != 0)
        {
            warnings = [.. warnings.Where(text => text != Inactive)];
        }
        else if (ConntrackSettings.InterfacePackets() - packetsAtStart >= InactivePackets && !warnings.Contains(Inactive))
        {
            warnings = [.. warnings, Inactive];
        }
    }

    private void Mark(ConntrackMark mark)
    {
        Span<byte> datagram = stackalloc byte[ConntrackMark.Length];
        mark.Write(datagram);
        Deliver(datagram);
    }

    private void Deliver(ReadOnlySpan<byte> datagram)
    {
        var nowUs = time.NowUs();
        tap?.Invoke(datagram, nowUs);
        tracker.OnDatagram(datagram, nowUs);
    }

    private uint NextSequence()
    {
        // 0 stands for "an event".
        sequence = sequence == uint.MaxValue ? 1 : sequence + 1;
        return sequence;
    }
}
