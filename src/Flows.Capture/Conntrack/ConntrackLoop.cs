using Flows.Capture.Owners;
using Flows.Core;

namespace Flows.Capture.Conntrack;

/// <summary>
/// The work of a source's thread: events, answers and the source's own marks go to the tracker in one order, which is that of the recording too.
/// </summary>
internal sealed class ConntrackLoop : IDisposable
{
    private const int VectorsPerTurn = 4;
    private const int AnswersPerTurn = 64;

    // The longest datagram is a part of a dump; the kernel makes them 32 KiB at most (netlink_recvmsg).
    private const int BufferBytes = 256 << 10;
    private const int AnswerBufferBytes = 8 << 20;
    private const int StatsBufferBytes = 256 << 10;
    private const int WaitMs = 100;

    // After a quiet moment events gather for 10 ms: one waking then takes many, and traffic wakes nobody meanwhile. At 100,000 events a second that is
    // 1.3 MB; a small buffer has no room for it.
    private const int GatherMs = 10;
    private const int GatherBufferMin = 8 << 20;

    private const double PromptShare = 0.05;
    private static readonly TimeSpan PromptBurst = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan DropsCheck = TimeSpan.FromSeconds(1);

    private readonly TimeProvider time;
    private readonly ConntrackSourceOptions options;
    private readonly Action<ReadOnlySpan<byte>, long>? tap;
    private readonly ConntrackTracker tracker;
    private readonly Action started;
    private readonly ConntrackHealth health;
    private readonly ConntrackMemory memory;
    private readonly NetlinkSocket events;
    private readonly NetlinkSocket answers;
    private readonly NetlinkSocket counts;
    private readonly NetlinkVector vector = new();
    private readonly ConntrackRequests requests;
    private readonly ConntrackWatchdog watchdog;
    private readonly byte[] buffer = new byte[BufferBytes];
    private readonly ulong seed;
    private readonly bool gathers;
    private readonly CpuBudget? promptness;
    private TimeSpan cpuBefore;
    private long dropsAt;
    private long lookedAt;
    private long lost;
    private long dumpBegunUs;

    /// <summary>Opens the sockets in the network namespace of the calling thread.</summary>
    /// <param name="tracker">Gets every datagram.</param>
    /// <param name="coverage">Is told what limits the sight.</param>
    /// <param name="time">Gives every datagram its time.</param>
    /// <param name="options">How to follow.</param>
    /// <param name="tap">Gets every datagram before the tracker does.</param>
    /// <param name="started">Called when the first dump is merged.</param>
    /// <exception cref="FlowsException">No privilege, or the kernel has no conntrack netlink.</exception>
    public ConntrackLoop(
        ConntrackTracker tracker, ConntrackCoverage coverage, TimeProvider time, ConntrackSourceOptions options, Action<ReadOnlySpan<byte>, long>? tap, Action started)
    {
        this.tracker = tracker;
        this.time = time;
        this.options = options;
        this.tap = tap;
        this.started = started;
        health = new ConntrackHealth(coverage, tracker, options, time);
        var (boot, space) = NetworkNamespace.Current();
        seed = StableId.Of("conntrack", boot, space);
        memory = new ConntrackMemory(options.MemoryFile, boot, space);
        events = NetlinkSocket.Open(options.Groups, options.ReceiveBufferBytes);
        answers = NetlinkSocket.Open(0, AnswerBufferBytes);
        counts = NetlinkSocket.Open(0, StatsBufferBytes);
        gathers = events.ReceiveBufferBytes >= GatherBufferMin;
        promptness = options.Prompt ? new CpuBudget(PromptShare, PromptBurst, time) : null;
        requests = new ConntrackRequests(answers, Mark, options, time);
        watchdog = new ConntrackWatchdog(events, time);
    }

    /// <summary>Follows until <paramref name="token"/>, then takes a final dump and writes out what lives.</summary>
    public void Run(CancellationToken token)
    {
        health.Begin(events.ReceiveBufferBytes, Counts());
        Mark(new ConntrackMark(
            ConntrackMarkKind.Start,
            seed,
            (ulong)(options.ActiveTimeout.Ticks / TimeSpan.TicksPerMicrosecond),
            (uint)options.EntriesMax | ((ulong)SpaceZone() << 32)));
        Mark(new ConntrackMark(ConntrackMarkKind.Watched, (ulong)memory.Read()));
        requests.Begin(ConntrackDump.Initial);
        do
        {
            Turn(token);
        }
        while (requests.IsDumping || requests.Dump != ConntrackDump.Final);

        while (ReadEvents())
        {
            // What happened before the final dump ended still counts.
        }

        CountDrops(always: true);
        var stoppedUs = time.NowUs();
        Mark(new ConntrackMark(ConntrackMarkKind.Stop, 0));
        memory.Write(stoppedUs);
    }

    public void Dispose()
    {
        watchdog.Dispose();
        events.Dispose();
        answers.Dispose();
        counts.Dispose();
        vector.Dispose();
    }

    private void Turn(CancellationToken token)
    {
        var busy = ReadEvents();
        busy |= requests.SendFetches(tracker);
        busy |= requests.AnswersMayWait && ReadAnswers();
        CountDrops(always: false);
        requests.RepairWanted |= watchdog.Turned() | LookAround();
        if (!requests.IsDumping)
        {
            requests.Choose(token.IsCancellationRequested, health.Settings.EventsAreOff);
            dumpBegunUs = requests.IsDumping ? time.NowUs() : dumpBegunUs;
        }

        if (busy)
        {
            return;
        }

        NetlinkSocket.Wait(events, answers, WaitMs);
        if (gathers && !requests.IsDumping && !token.IsCancellationRequested && !IsPrompt())
        {
            NetlinkSocket.Nap(GatherMs);
        }
    }

    private bool IsPrompt()
    {
        if (promptness is null)
        {
            return false;
        }

        var now = OwnerNative.ThreadCpu();
        promptness.Spend(now - cpuBefore);
        cpuBefore = now;
        return !promptness.IsExhausted;
    }

    private bool ReadEvents()
    {
        for (var count = 0; count < VectorsPerTurn; count++)
        {
            if (!events.TryReceive(vector, out var overrun))
            {
                dropsAt = overrun ? 0 : dropsAt;
                tracker.Post();
                return overrun || count > 0;
            }

            // One time for what came by one call: an event has the kernel's own where it matters.
            var nowUs = time.NowUs();
            for (var i = 0; i < vector.Count; i++)
            {
                tap?.Invoke(vector[i], nowUs);
                tracker.Take(vector[i], nowUs);
            }
        }

        tracker.Post();
        return true;
    }

    private bool ReadAnswers()
    {
        for (var count = 0; count < AnswersPerTurn; count++)
        {
            var result = answers.TryReceive(buffer, out var length);
            if (result == NetlinkReceive.Empty)
            {
                if (requests.OnSilence())
                {
                    started();
                }

                return count > 0;
            }

            if (result != NetlinkReceive.Overrun)
            {
                // Answers to gets that did not fit are no loss: DESTROY brings their counters.
                Deliver(buffer.AsSpan(0, length));
                if (requests.Follow(buffer.AsSpan(0, length)))
                {
                    OnDumped();
                }
            }
        }

        return true;
    }

    private void OnDumped()
    {
        started();
        if (requests.Dump == ConntrackDump.Periodic)
        {
            // Whatever began half an active timeout before the dump has a row now.
            memory.Write(dumpBegunUs - (options.ActiveTimeout.Ticks / TimeSpan.TicksPerMicrosecond / 2));
        }
    }

    private void CountDrops(bool always)
    {
        if (!always && dropsAt != 0 && time.GetElapsedTime(dropsAt) < DropsCheck)
        {
            return;
        }

        dropsAt = time.GetTimestamp();
        var drops = events.Drops();
        if (drops > 0)
        {
            lost += drops;
            requests.RepairWanted = true;
            Mark(new ConntrackMark(ConntrackMarkKind.Lost, (ulong)drops));
        }
    }

    private bool LookAround()
    {
        if (time.GetElapsedTime(lookedAt) < options.LookEvery)
        {
            return false;
        }

        lookedAt = time.GetTimestamp();
        return health.Look(Counts(), lost);
    }

    private ConntrackKernelStats Counts()
    {
        // The answers' buffer is free whenever we are not just reading them.
        _ = ConntrackKernelStats.TryRead(counts, buffer, out var stats);
        return stats;
    }

    /// <summary>Kernel zones are small numbers; a further namespace's number lies in the upper half, and is the same in every run of its life.</summary>
    private ushort SpaceZone() => options.Namespace is null ? (ushort)0 : (ushort)(0x8000 | (seed & 0x7FFF));

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
}
