using System.Text.RegularExpressions;
using Flows.Benchmarks.Measuring;

namespace Flows.Benchmarks.Conntrack;

/// <summary>
/// Bar P3: the conntrack source with its batcher against ulogd2, at the maximum of a generator on the other core that opens one-packet
/// flows through a router. Each round has a fresh namespace. A side's CPU is divided by the events that the kernel made for it.
/// </summary>
internal sealed partial class ConntrackComparison(BenchPlan plan)
{
    private const double Bar = 0.6;
    private const string NewAndDestroy = "5", All = "7";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    /// <summary>Flows of a round whose start-up does not decide, and of a short one that is told beside.</summary>
    private int Many => plan.Quick ? 5_000 : 1_000_000;

    private int Few => plan.Quick ? 2_000 : 200_000;

    public static IEnumerable<Comparison> Run(BenchPlan plan)
    {
        var comparison = new ConntrackComparison(plan);
        return comparison.CompareMany().Concat(comparison.CompareFew());
    }

    private IEnumerable<Comparison> CompareMany()
    {
        PerEvent ours = new(), answered = new(), collecting = new(), nacct = new(), logemu = new(), nacctAnswered = new();
        for (var round = 1; round <= plan.Rounds; round++)
        {
            BenchPlan.Say($"bench: p3 conntrack, {Many:N0} flows, round {round} of {plan.Rounds}");
            ours.Add(Receiving(Many, NewAndDestroy, isAnswered: false));
            nacct.Add(Ulogd(Many, UlogdStack.Nacct, isAnswered: false));
            logemu.Add(Ulogd(Many, UlogdStack.Logemu, isAnswered: false));
            answered.Add(Receiving(Many, All, isAnswered: true));
            nacctAnswered.Add(Ulogd(Many, UlogdStack.Nacct, isAnswered: true));
            collecting.Add(Collecting(Many));
        }

        var line = Line(Many, ours, UlogdStack.Nacct, nacct);
        var dearer = Line(Many, ours, UlogdStack.Logemu, logemu);
        return
        [
            Judged(line, ours),
            Judged(dearer, ours),
            line with { What = "NEW and DESTROY, flows collect with its spool", Ours = collecting.Microseconds, Note = FormattableString.Invariant($"flows reported {collecting.Share}") },
            line with
            {
                What = "the same flows answered: ours NEW, UPDATE and DESTROY", Ours = answered.Microseconds, Theirs = nacctAnswered.Microseconds,
                Note = FormattableString.Invariant($"up to {answered.FlowsPerSecond:N0} flows/s; events: flows {answered.Share}, ulogd2 (NEW and DESTROY) {nacctAnswered.Share}"),
            },
            line with { What = "the same by the flow: ours NEW, UPDATE and DESTROY", Unit = "us CPU / flow", Ours = answered.MicrosecondsPerFlow, Theirs = nacctAnswered.MicrosecondsPerFlow, Note = "" },
            line with { What = "NEW and DESTROY: memory", Unit = "MiB peak", Ours = ours.Figures.PeakMib, Theirs = nacct.Figures.PeakMib, Note = "" },
        ];
    }

    private IEnumerable<Comparison> CompareFew()
    {
        PerEvent ours = new(), nacct = new();
        for (var round = 1; round <= plan.Rounds; round++)
        {
            BenchPlan.Say($"bench: p3 conntrack, {Few:N0} flows, round {round} of {plan.Rounds}");
            ours.Add(Receiving(Few, NewAndDestroy, isAnswered: false));
            nacct.Add(Ulogd(Few, UlogdStack.Nacct, isAnswered: false));
        }

        return [Line(Few, ours, UlogdStack.Nacct, nacct) with { What = "NEW and DESTROY, short run" }];
    }

    private static Comparison Line(int flows, PerEvent ours, UlogdStack stack, PerEvent theirs) => new()
    {
        Bar = "p3", What = "NEW and DESTROY, source and batcher", Unit = "us CPU / event", Ours = ours.Microseconds, Peer = stack.Name, Theirs = theirs.Microseconds,
        Note = FormattableString.Invariant($"{flows:N0} flows at up to {ours.FlowsPerSecond:N0}/s; events: flows {ours.Share}, ulogd2 {theirs.Share}"),
    };

    /// <summary>The bar is about the CPU of those who miss nothing.</summary>
    private static Comparison Judged(Comparison line, PerEvent ours)
    {
        var judged = line.AtMost(Bar);
        return judged with { Holds = judged.Holds == true && ours.HasAll };
    }

    private static ConntrackRound Receiving(int flows, string groups, bool isAnswered) => Round(
        flows, BenchPlan.Self, [ReceiverCommand.Name, "conntrack", "--groups", groups], ReceiverCommand.Ready, isAnswered, groups == All && isAnswered ? 3 : 2,
        usage => Received.Of(usage) is var got ? got.Seen - got.Lost : 0);

    private static ConntrackRound Ulogd(int flows, UlogdStack stack, bool isAnswered)
    {
        var folder = BenchPlan.NewScratch();
        try
        {
            var output = Path.Combine(folder.FullName, "flows");
            var config = UlogdConfig.Write(stack, folder, output);

            // It writes a line at the end of a flow only, and that it can only do when both events came.
            return Round(flows, UlogdConfig.Program, ["-v", "-c", config], UlogdConfig.Ready, isAnswered, 2, _ => File.ReadLines(output).LongCount() * 2);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private ConntrackRound Collecting(int flows)
    {
        var spool = BenchPlan.NewScratch();
        try
        {
            // A port of loopback where nobody listens: everything goes to the spool, and at the end it says how many rows lie there.
            string[] arguments = ["collect", "--conntrack", "--server", "http://127.0.0.1:9", "--spool", spool.FullName];
            return Round(flows, plan.Product, arguments, "flows: collecting on", isAnswered: false, 2, usage => RowsLeft().Match(usage.Error) is { Success: true } rows
                ? 2 * long.Parse(rows.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture)
                : 0);
        }
        finally
        {
            spool.Delete(recursive: true);
        }
    }

    private static ConntrackRound Round(int flows, string program, string[] arguments, string ready, bool isAnswered, int eventsPerFlow, Func<Usage, long> got)
    {
        using var router = new ConntrackRouter();
        using var receiver = MeasuredProcess.Start(router.Place, program, arguments);
        receiver.WaitUntilItSays(ready, Patience);
        var took = router.Generate(flows, isAnswered);
        var overruns = router.WaitForTheEnd(Patience);
        var usage = receiver.End(Patience);
        return new ConntrackRound(usage, flows, (long)flows * eventsPerFlow, got(usage), overruns, took);
    }

    [GeneratedRegex(@"(\d+) rows stay in the spool")]
    private static partial Regex RowsLeft();
}
