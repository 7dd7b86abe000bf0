using System.CommandLine;
using Flows.Benchmarks.Policy.Kernel;
using Flows.Benchmarks.Policy.Scale;
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
        using var kernel = new KernelBench();
        List<PolicyScore> scores = [];
        List<SetScore> sets = [];
        var (days, workloads) = (new LeftOut(), new LeftOut());
        PolicyTables.WholeHead();
        foreach (var same in PolicyRuns.Whole(seeds))
        {
            List<PolicyScore> own = [.. same.Select(one => one.Score)];
            scores.AddRange(own);
            PolicyTables.Whole(own);

            // Labels that stay are picked by the same selectors as labels that change: what follows looks at the harder half.
            foreach (var (run, _) in same.Where(one => one.Run.Plan.Bump))
            {
                sets.Add(SetScore.Of(run));
                PolicyTables.Set(run, sets[^1]);
                kernel.Judge(run);
                if (run.Plan.Seed == 1)
                {
                    (days, workloads) = (days + LeaveOneOut.Days(run), workloads + LeaveOneOut.Workloads(run));
                }
            }
        }

        Console.WriteLine();
        PolicyTables.DefaultDenies(scores);
        var holds = PolicyTables.Bars([.. PolicyBars.Of(scores), .. PolicyBars.Of(sets), .. PolicyBars.OfDays(days), .. PolicyBars.OfWorkloads(workloads)]);
        PolicyTables.Details(scores.SelectMany(PolicyTables.DetailsOf).Concat(days.DeniedSeen.Select(edge => $"a day left out: denied though seen on another: {edge}"))
            .Concat(workloads.DeniedSeen.Select(edge => $"a workload left out: denied though seen: {edge}")).Concat(workloads.Opened));
        holds &= kernel.Print();
        holds &= Partial(seeds, scores);
        holds &= Conditions(seeds);
        return holds ? ExitCode.Ok : ExitCode.No;
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
            holds &= PolicyTables.Bars([new($"{variant.Key}: FD_e {(blind ? "above the floor" : "rises by")}", PolicyBars.Percent(rise), "<= 1 pp", rise <= 0.01)]);
            PolicyTables.Details(own.SelectMany(PolicyTables.DetailsOf));
        }

        return holds;
    }

    private static bool Conditions(int seeds)
    {
        var holds = true;
        PolicyTables.ConditionHead();
        foreach (var (condition, runs) in PolicyRuns.Conditions(seeds))
        {
            PolicyTables.Condition(condition, runs);
            holds &= PolicyTables.Missed(PolicyBars.OfCondition(condition, [.. runs.Select(run => run.Score)]));
            PolicyTables.Details(runs.SelectMany(run => PolicyTables.DetailsOf(run.Score)));
        }

        return holds;
    }

    private static double Edges(List<PolicyScore> scores) => (double)scores.Sum(score => score.DeniedEdges) / Math.Max(1, scores.Sum(score => score.Edges));
}
