using Flows.Capture.Packets;
using Flows.Core;
using Flows.Core.Accounting;

namespace Flows.Capture.Live;

/// <summary>
/// Captures on all interfaces that fit the patterns, as they come and go, on one thread of its own, until stopped. One thread serves them all, so one
/// tracker sees every packet of the node, and a flow is counted where it was seen first.
/// </summary>
/// <param name="options">The interfaces and how to capture on them.</param>
/// <param name="tracker">Takes the packets; it belongs to this source's thread while it runs.</param>
/// <param name="account">The tracker's account: packets that the kernel dropped are added to it.</param>
/// <param name="notes">Learn which interfaces are not captured.</param>
/// <param name="time">Drives timeouts while no packets come.</param>
/// <param name="tap">Gets each frame before it is tracked, for a recording.</param>
public sealed class InterfaceSource(
    InterfaceSourceOptions options, PacketTracker tracker, HopAccount account, NodeNotes notes, TimeProvider time, FrameTap? tap = null)
{
    /// <summary>Packets taken in one go before the clock, the interfaces and the drop counters get their turn.</summary>
    private const int PacketsPerTurn = 8192;

    /// <summary>Turns after a stop, so that what the rings still hold is tracked but a flood cannot hold up the end.</summary>
    private const int TurnsAfterStop = 64;

    /// <summary>How often drop counters are read and coverage is noted.</summary>
    private const long CountEveryMs = 1000;

    /// <summary>How often all interfaces are asked for anew: for their own drop counters, and should an event ever be missed.</summary>
    private const long RefreshEveryMs = 30_000;

    /// <summary>The kernel answers a dump at once; this long without an answer is a fault.</summary>
    private const long FirstDumpMs = 10_000;

    private readonly TaskCompletionSource opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly long startedAt = time.GetTimestamp();
    private Poll[] polls = [];
    private InterfaceCoverage? coverage;
    private bool moreWaits;
    private long countAtMs;
    private long refreshAtMs;

    /// <summary>Completes once packets are being captured; fails as <see cref="RunAsync"/> does if that cannot be.</summary>
    public Task Opened => opened.Task;

    /// <summary>What is not captured though it was asked for, in sentences.</summary>
    public IReadOnlyList<string> Warnings => Volatile.Read(ref coverage)?.Warnings ?? [];

    private long NowMs => (long)time.GetElapsedTime(startedAt).TotalMilliseconds;

    /// <summary>Captures until stopped, then reports the connections that are left.</summary>
    /// <exception cref="FlowsException">An interface that was named does not exist, no privilege, or no libpcap.</exception>
    public Task RunAsync(CancellationToken stop)
    {
        // Not a pool thread: it sits in poll(), and a few such would starve everybody else on a small node.
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(() => Run(done, stop)) { IsBackground = true, Name = "capture" };
        thread.Start();
        return done.Task;
    }

    private void Run(TaskCompletionSource done, CancellationToken stop)
    {
        try
        {
            Capture(stop);
            done.SetResult();
        }
        catch (Exception e)
        {
            // The thread's top: whatever it was, the one who awaits is told.
            opened.TrySetException(e);
            _ = opened.Task.Exception;
            done.SetException(e);
        }
    }

    private void Capture(CancellationToken stop)
    {
        var patterns = new InterfacePatterns(options.Interfaces);
        Require(options.RingBytes >= Math.Max(patterns.Names, 1) * InterfaceSourceOptions.RingBytesMin, "A ring is at least 2 MiB for each interface that is named; raise --ring-mib.");
        var sink = new CaptureSink(Libpcap.Load(), tracker, account, tap);
        using var links = LinkMonitor.Open(patterns);
        var captures = new CaptureSet(options, patterns, sink, links);
        try
        {
            Start(links, captures, patterns);
            while (!stop.IsCancellationRequested)
            {
                Turn(links, captures);
            }

            Drain(links, captures);
        }
        finally
        {
            captures.CloseAll();
            tracker.Finish();
        }
    }

    /// <summary>Opens all that is there. A name that is not there is a wrong question now; later it is a state of the machine.</summary>
    private void Start(LinkMonitor links, CaptureSet captures, InterfacePatterns patterns)
    {
        links.Dump();
        Span<Poll> poll = [new Poll(links.Descriptor)];
        while (!links.IsComplete)
        {
            Require(NowMs < FirstDumpMs, "The kernel did not say which network interfaces there are.", ExitCode.Failed);
            Poll.Wait(poll, options.ReadTimeout);
            links.Read();
        }

        for (var name = 0; name < patterns.Names; name++)
        {
            var isThere = links.Links.Values.Any(link => link.Name == patterns.Chosen[name]);
            Require(isThere, $"There is no network interface '{patterns.Chosen[name]}' to capture on here; 'ip link' lists them.");
        }

        while (captures.Follow(NowMs))
        {
            Require(!captures.IsForbidden, $"Capturing on {string.Join(", ", patterns.Chosen)} needs the capability CAP_NET_RAW; run as root or grant it.", ExitCode.Failed);
        }

        var problem = links.Links.Values.FirstOrDefault(link => link.Problem.Length > 0);
        Require(captures.Open.Count > 0 || problem is null, $"Capturing on {problem?.Name} cannot start: {problem?.Problem}.", ExitCode.Failed);

        Volatile.Write(ref coverage, new InterfaceCoverage(patterns, links, notes, time));
        coverage.Note();
        refreshAtMs = NowMs + RefreshEveryMs;
        opened.TrySetResult();
    }

    private void Turn(LinkMonitor links, CaptureSet captures)
    {
        // 1. What the interfaces do, before their packets: an interface that is new is captured as early as may be.
        Wait(links, captures, moreWaits ? TimeSpan.Zero : options.ReadTimeout);
        links.Read();
        var nowMs = NowMs;
        var more = captures.Follow(nowMs);

        // 2. Packets. They may wait in a ring for one read timeout: the clock must not overtake them.
        if (captures.TakePackets(PacketsPerTurn, nowMs))
        {
            tracker.Advance(time.NowUs() - Us(2 * options.ReadTimeout));
        }
        else
        {
            more = true;
        }

        moreWaits = more;

        // 3. The books.
        if (nowMs >= countAtMs)
        {
            countAtMs = nowMs + CountEveryMs;
            captures.CountDrops();
            coverage!.Note();
        }

        if (nowMs >= refreshAtMs)
        {
            refreshAtMs = nowMs + RefreshEveryMs;
            links.Refresh();
        }
    }

    private void Wait(LinkMonitor links, CaptureSet captures, TimeSpan atMost)
    {
        var open = captures.Open;
        if (polls.Length <= open.Count)
        {
            polls = new Poll[2 * (open.Count + 1)];
        }

        polls[0] = new Poll(links.Descriptor);
        for (var index = 0; index < open.Count; index++)
        {
            polls[index + 1] = new Poll(open[index].IsBroken ? -1 : open[index].Descriptor);
        }

        Poll.Wait(polls.AsSpan(0, open.Count + 1), atMost);
        for (var index = 0; index < open.Count; index++)
        {
            open[index].IsReady |= polls[index + 1].IsReady;
        }
    }

    /// <summary>What the rings hold at the stop is tracked, too; the kernel hands over what it gathers within a read timeout.</summary>
    private void Drain(LinkMonitor links, CaptureSet captures)
    {
        Wait(links, captures, TimeSpan.Zero);
        captures.TakePackets(PacketsPerTurn, NowMs);
        Poll.Wait([], options.ReadTimeout);
        Wait(links, captures, TimeSpan.Zero);
        for (var turn = 0; turn < TurnsAfterStop && !captures.TakePackets(PacketsPerTurn, NowMs); turn++)
        {
        }
    }

    private static void Require(bool holds, string otherwise, ExitCode exitCode = ExitCode.Usage)
    {
        if (!holds)
        {
            throw new FlowsException(exitCode, otherwise);
        }
    }

    private static long Us(TimeSpan span) => span.Ticks / TimeSpan.TicksPerMicrosecond;
}
