using Flows.Benchmarks.Measuring;
using Flows.Benchmarks.Traffic;

namespace Flows.Benchmarks.Live;

/// <summary>
/// Bar P4: the packet source against the naive program on a veth pair, at the maximum of a sender on the other core. A side's CPU is
/// divided by the packets that it handled, so that losing packets does not make a program look cheap. The packets are addressed to a
/// station that is not there, so that the kernel does nothing with them behind the capture.
/// </summary>
internal sealed class LiveComparison(BenchPlan plan)
{
    private const double Bar = 0.4;
    private const string Link = "live0", SenderMac = "02:00:00:00:00:01", MeasuredMac = "02:00:00:00:00:02", Nobody = "02:00:00:00:00:99";

    // As many flows as a busy node has at once; each comes again every few milliseconds.
    private const int Flows = 10_000;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Packets of a round whose start-up does not decide, and of a short one that is told beside.</summary>
    private long Many => plan.Quick ? 100_000 : 10_000_000;

    private long Few => plan.Quick ? 20_000 : 1_500_000;

    public static IEnumerable<Comparison> Run(BenchPlan plan)
    {
        var comparison = new LiveComparison(plan);
        return comparison.CompareMany().Concat(comparison.CompareFew());
    }

    private IEnumerable<Comparison> CompareMany()
    {
        PerPacket ours = new(), collecting = new(), naive = new();
        for (var round = 1; round <= plan.Rounds; round++)
        {
            BenchPlan.Say($"bench: p4 live, {Many:N0} packets, round {round} of {plan.Rounds}");
            ours.Add(Receiving("interface", Many));
            naive.Add(Receiving("naive", Many));
            collecting.Add(Collecting(Many));
        }

        var line = Line(Many, ours, naive);
        var judged = line.AtMost(Bar);
        return
        [
            judged with { Holds = judged.Holds == true && ours.Lost == 0 },
            line with { What = "veth, flows collect with its spool", Ours = collecting.Microseconds, Note = "" },
            line with { What = "veth: memory", Unit = "MiB peak", Ours = ours.Figures.PeakMib, Theirs = naive.Figures.PeakMib, Note = "" },
        ];
    }

    private IEnumerable<Comparison> CompareFew()
    {
        PerPacket ours = new(), naive = new();
        for (var round = 1; round <= plan.Rounds; round++)
        {
            BenchPlan.Say($"bench: p4 live, {Few:N0} packets, round {round} of {plan.Rounds}");
            ours.Add(Receiving("interface", Few));
            naive.Add(Receiving("naive", Few));
        }

        return [Line(Few, ours, naive) with { What = "veth, short run" }];
    }

    private static Comparison Line(long packets, PerPacket ours, PerPacket naive) => new()
    {
        Bar = "p4", What = "veth, source and batcher", Unit = "us CPU / packet", Ours = ours.Microseconds, Peer = "naive", Theirs = naive.Microseconds,
        Note = FormattableString.Invariant(
            $"{packets:N0} packets at up to {ours.PacketsPerSecond:N0}/s; lost: flows {ours.Lost:N0} of {ours.Sent:N0}, naive {naive.Lost:N0} of {naive.Sent:N0}"),
    };

    private static LiveRound Receiving(string receiver, long packets) =>
        Round(packets, BenchPlan.Self, [ReceiverCommand.Name, receiver, Link], ReceiverCommand.Ready, Received.Of);

    private LiveRound Collecting(long packets)
    {
        var spool = BenchPlan.NewScratch();
        try
        {
            // A port of loopback where nobody listens: everything goes to the spool. What was lost the lines above tell.
            string[] arguments = ["collect", "--interface", Link, "--server", "http://127.0.0.1:9", "--spool", spool.FullName];
            return Round(packets, plan.Product, arguments, "flows: collecting on", _ => new Received(packets, 0, 0));
        }
        finally
        {
            spool.Delete(recursive: true);
        }
    }

    private static LiveRound Round(long packets, string program, string[] arguments, string ready, Func<Usage, Received> read)
    {
        using var spaces = new NetworkSpaces();
        spaces.Link(Link, SenderMac, MeasuredMac);
        using var receiver = MeasuredProcess.Start(new Place(BenchPlan.MeasuredCore, spaces.Measured), program, arguments);
        receiver.WaitUntilItSays(ready, Patience);
        var took = PinnedThread.Run(new Place(BenchPlan.GeneratorCore, spaces.Generator), () => Send(packets));

        // The ring is read within two of its time-outs of 200 ms, by ours; the naive program has a second of its own.
        Thread.Sleep(TimeSpan.FromSeconds(2));
        var usage = receiver.End(Patience);
        return new LiveRound(usage, read(usage), packets, took);
    }

    private static TimeSpan Send(long packets)
    {
        using var sender = new FrameSender(Link);
        var frames = new byte[Flows * UdpFrames.Length];
        new UdpFrames(Nobody).Fill(frames, firstFlow: 0);
        var started = System.Diagnostics.Stopwatch.StartNew();
        for (var left = packets; left > 0;)
        {
            var now = (int)Math.Min(left, Flows);
            sender.Send(frames.AsSpan(0, now * UdpFrames.Length), UdpFrames.Length);
            left -= now;
        }

        return started.Elapsed;
    }
}
