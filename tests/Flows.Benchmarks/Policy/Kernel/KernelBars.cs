using System.Globalization;
using Flows.Benchmarks.Policy.Scores;

namespace Flows.Benchmarks.Policy.Kernel;

/// <summary>The bars of C.4 once more, by the kernel's word.</summary>
internal static class KernelBars
{
    public static IReadOnlyList<PolicyBar> Of(IReadOnlyList<KernelScore> scores)
    {
        var (edges, strangers) = (scores.Sum(score => score.Edges), scores.Sum(score => score.Strangers));
        var denied = scores.Sum(score => score.DeniedSeen.Count) / (double)Math.Max(1, edges);
        var untrue = scores.Sum(score => score.AllowedUntrue.Count);
        var disagree = scores.Sum(score => score.Disagreements.Count);
        return
        [
            new($"kernel: FD_e false denies above the floor, of {edges} edges in {Text(scores.Sum(score => score.Tried))} connections", PolicyBars.Percent(denied), "<= 0.25 pp", denied <= 0.0025 && edges > 0),
            new("kernel: FD_e most edges above the floor in one run", Text(scores.Max(score => score.DeniedSeen.Count)), "<= 1", scores.All(score => score.DeniedSeen.Count <= 1)),
            new($"kernel: never needed and let through, of {Text(strangers)} connections tried", Text(untrue), "<= 1 %", untrue <= 0.01 * strangers && strangers > 0),
            new("kernel against the evaluator, disagreements", Text(disagree), "0", disagree == 0),
        ];
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
