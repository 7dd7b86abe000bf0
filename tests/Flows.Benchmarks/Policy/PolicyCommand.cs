using System.CommandLine;
using System.Globalization;
using Flows.Benchmarks.Policy.Kernel;
using Flows.Benchmarks.Policy.Scores;
using Flows.Core;

namespace Flows.Benchmarks.Policy;

/// <summary><c>policy</c>: suggestions from simulated landscapes, scored on traffic that they had not seen.</summary>
internal static class PolicyCommand
{
    public const string Name = "policy";

    public static Command Create()
    {
        var seeds = new Option<int>("--seeds") { Description = "Seeds for each landscape.", HelpName = "N", DefaultValueFactory = _ => 3 };
        var verb = new Command(Name, """
            Suggest from two simulated weeks of each landscape, and score the suggestion on a third week after a roll-out of everything.

            Example: ./dev bench policy --seeds 1
            """) { seeds, ScaleCommand.Create() };
        verb.SetAction(parsed => (int)Run(Math.Max(1, parsed.GetValue(seeds))));
        return verb;
    }

    private static ExitCode Run(int seeds)
    {
        List<PolicyScore> scores = [];
        Console.WriteLine("topology          variant  FD_c above floor  floor   FD_e above floor  floor    OP        SC    rules  objects  RPE   stable");
        using var kernel = new KernelBench();
        foreach (var same in PolicyRuns.Whole(seeds))
        {
            List<PolicyScore> own = [.. same.Select(one => one.Score)];
            scores.AddRange(own);
            Print(own);

            // Labels that stay are judged by the same selectors as labels that change.
            foreach (var (run, _) in same.Where(one => one.Run.Plan.Bump))
            {
                Console.WriteLine(kernel.Judge(run) ?? $"{run.Topology.Name,-16}  kernel   skipped: {kernel.Skipped}");
            }
        }

        List<PolicyBar> bars = [.. PolicyBars.Of(scores), .. kernel.Skipped is null ? KernelBars.Of(kernel.Scores) : []];
        Console.WriteLine();
        foreach (var bar in bars)
        {
            Console.WriteLine($"{(bar.Holds ? "holds " : "MISSED")}  {bar.What}: {bar.Is} (wanted {bar.Wanted})");
        }

        if (kernel.Skipped is { } why)
        {
            Console.WriteLine($"skipped kernel: {why}");
        }

        foreach (var detail in scores.SelectMany(Details).Concat(kernel.Scores.SelectMany(Details)).Distinct())
        {
            Console.WriteLine($"  {detail}");
        }

        var partial = Partial(seeds, scores);
        return bars.All(bar => bar.Holds) && partial ? ExitCode.Ok : ExitCode.No;
    }

    /// <summary>Of a partial view only the rise counts; where nodes are blind, above the floor, since what passes between two of them nobody sees.</summary>
    private static bool Partial(int seeds, List<PolicyScore> whole)
    {
        var holds = true;
        var full = Edges([.. whole.Where(score => score.Variant == "bumped")]);
        foreach (var variant in PolicyRuns.Partial(seeds).GroupBy(run => run.Variant, run => run.Score))
        {
            List<PolicyScore> own = [.. variant];
            var blind = own[0].Variant.Contains("blind", StringComparison.Ordinal);
            var rise = blind ? own.Sum(score => score.DeniedSeen.Count) / (double)own.Sum(score => score.Edges) : Edges(own) - full;
            var isIn = rise <= 0.01;
            holds &= isIn;
            Console.WriteLine($"{(isIn ? "holds " : "MISSED")}  {variant.Key}: FD_e {(blind ? "above the floor" : "rises by")} {PolicyBars.Percent(rise)} (wanted <= 1 pp)");
            own.SelectMany(Details).Distinct().ToList().ForEach(detail => Console.WriteLine($"  {detail}"));
        }

        return holds;
    }

    private static double Edges(List<PolicyScore> scores) => (double)scores.Sum(score => score.DeniedEdges) / Math.Max(1, scores.Sum(score => score.Edges));

    private static void Print(List<PolicyScore> own)
    {
        double Mean(Func<PolicyScore, double> of) => own.Average(of);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{own[0].Topology,-16}  {own[0].Variant,-7}  {PolicyBars.Percent(Mean(one => one.FdConnections)),-16}  {PolicyBars.Percent(Mean(one => one.FdConnectionsFloor)),-7} {PolicyBars.Percent(Mean(one => one.FdEdges)),-16}  {PolicyBars.Percent(Mean(one => one.FdEdgesFloor)),-8} {PolicyBars.Percent(Mean(one => one.OverPermission)),-9} {Mean(one => (double)one.Scanner.Reached / one.Scanner.All),-5:0 %} {Mean(one => one.Rules),-6:0} {Mean(one => one.Objects),-8:0} {Mean(one => one.RulesPerEdge),-5:0.00} {Mean(one => one.StableSegments):0}"));
    }

    private static IEnumerable<string> Details(KernelScore score) => ((IEnumerable<string>)[
        .. score.DeniedSeen.Select(edge => $"stopped though seen: {edge}"),
        .. score.AllowedUntrue.Take(5).Select(edge => $"let through though never needed: {edge}"),
        .. score.Disagreements.Take(5),
    ]).Select(detail => $"kernel: {detail}");

    private static IEnumerable<string> Details(PolicyScore score) => ((IEnumerable<string>)[
        .. score.DeniedSeen.Select(edge => $"denied though seen: {edge}"),
        .. score.AllowedUntrue.Take(5).Select(edge => $"allowed though never needed: {edge}"),
        .. score.InexactSelectors.Select(selector => $"not exact: {selector}"),
        .. score.Removable.Select(rule => $"removable: {rule}"),
    ]).Select(detail => $"{score.Topology} {score.Variant}: {detail}");
}
