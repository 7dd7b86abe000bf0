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

    private long Packets => plan.Quick ? 100_000 : 1_500_000;

    public static IEnumerable<Comparison> Run(BenchPlan plan) => new LiveComparison(plan).Compare();

    private IEnumerable<Comparison> Compare()
    {
        PerPacket ours = new(), collecting = new(), naive = new();
        for (var round = 1; round <= plan.Rounds; round++)
        {
            BenchPlan.Say($"bench: p4 live packets, round {round} of {plan.Rounds}");
            ours.Add(Round(BenchPlan.Self, [ReceiverCommand.Name, "interface", Link], ReceiverCommand.Ready, Received.Of));
            naive.Add(Round(BenchPlan.Self, [ReceiverCommand.Name, "naive", Link], ReceiverCommand.Ready, Received.Of));
            collecting.Add(Collecting());
        }

        var line = new Comparison
        {
            Bar = "p4",
            What = "veth, source and batcher",
            Unit = "us CPU / packet",
            Ours = ours.Microseconds,
            Peer = "naive",
            Theirs = naive.Microseconds,
            Note = FormattableString.Invariant(
                $"{Packets:N0} packets at up to {ours.PacketsPerSecond:N0}/s; lost: flows {ours.Lost:N0} of {ours.Sent:N0}, naive {naive.Lost:N0} of {naive.Sent:N0}"),
        };
        var judged = line.AtMost(Bar);
        return
        [
            judged with { Holds = judged.Holds == true && ours.Lost == 0 },
            line with { What = "veth, flows collect with its spool", Ours = collecting.Microseconds, Note = "" },
            line with { What = "veth: memory", Unit = "MiB peak", Ours = ours.Figures.PeakMib, Theirs = naive.Figures.PeakMib, Note = "" },
        ];
    }

    private LiveRound Collecting()
    {
        var spool = BenchPlan.NewScratch();
        try
        {
            // A port of loopback where nobody listens: everything goes to the spool. What was lost the lines above tell.
            string[] arguments = ["collect", "--interface", Link, "--server", "http://127.0.0.1:9", "--spool", spool.FullName];
            return Round(plan.Product, arguments, "flows: collecting on", _ => new Received(Packets, 0, 0));
        }
        finally
        {
            spool.Delete(recursive: true);
        }
    }

    private LiveRound Round(string program, string[] arguments, string ready, Func<Usage, Received> read)
    {
        using var spaces = new NetworkSpaces();
        spaces.Link(Link, SenderMac, MeasuredMac);
        using var receiver = MeasuredProcess.Start(new Place(BenchPlan.MeasuredCore, spaces.Measured), program, arguments);
        receiver.WaitUntilItSays(ready, Patience);
        var took = PinnedThread.Run(new Place(BenchPlan.GeneratorCore, spaces.Generator), Send);

        // The ring is read within two of its time-outs of 200 ms, by ours; the naive program has a second of its own.
        Thread.Sleep(TimeSpan.FromSeconds(2));
        var usage = receiver.End(Patience);
        return new LiveRound(usage, read(usage), Packets, took);
    }

    private TimeSpan Send()
    {
        using var sender = new FrameSender(Link);
        var frames = new byte[Flows * UdpFrames.Length];
        new UdpFrames(Nobody).Fill(frames, firstFlow: 0);
        var started = System.Diagnostics.Stopwatch.StartNew();
        for (var left = Packets; left > 0;)
        {
            var now = (int)Math.Min(left, Flows);
            sender.Send(frames.AsSpan(0, now * UdpFrames.Length), UdpFrames.Length);
            left -= now;
        }

        return started.Elapsed;
    }
}
