using System.Globalization;

namespace Flows.Benchmarks.Policy.Scores;

/// <summary>One wish, and whether it came true.</summary>
internal sealed record PolicyBar(string What, string Is, string Wanted, bool Holds);

/// <summary>The bars of the benchmark, over all runs.</summary>
internal static class PolicyBars
{
    public static IReadOnlyList<PolicyBar> Of(IReadOnlyList<PolicyScore> scores)
    {
        double Pooled(Func<PolicyScore, double> of, Func<PolicyScore, double> all) => scores.Sum(of) / Math.Max(1, scores.Sum(all));
        var connections = Pooled(score => score.DeniedConnectionsSeen, score => score.Connections);
        var edges = Pooled(score => score.DeniedSeen.Count, score => score.Edges);
        var worst = scores.Max(score => score.DeniedSeen.Count);
        var over = Pooled(score => score.AllowedUntrue.Count, score => score.Untrue);
        var scanned = Pooled(score => score.Scanner.Reached, score => score.Scanner.All);
        var growth = scores.Max(score => score.Growth);
        var perEdge = scores.Max(score => score.RulesPerEdge);
        return
        [
            new("FD_c false denies of connections above the floor", Percent(connections), "<= 0.05 pp", connections <= 0.0005),
            new("FD_e false denies of edges above the floor", Percent(edges), "<= 0.25 pp", edges <= 0.0025),
            new("FD_e most edges above the floor in one run", Text(worst), "<= 1", worst <= 1),
            new("OP over-permission", Percent(over), "<= 1 %", over <= 0.01),
            new("OP online-boutique", Text(scores.Where(score => score.Topology == "online-boutique").Sum(score => score.AllowedUntrue.Count)), "0",
                scores.Where(score => score.Topology == "online-boutique").All(score => score.AllowedUntrue.Count == 0)),
            new("SC ports open to the scanner", Percent(scanned), "0 %", scanned == 0),
            new("SC needed clients taken for scanners", Text(scores.Sum(score => score.FalseScanners)), "0", scores.All(score => score.FalseScanners == 0)),
            new("RPE rules per true edge, worst", perEdge.ToString("0.00", CultureInfo.InvariantCulture), "<= 2", perEdge <= 2),
            new("GR growth at twice the traffic, worst", growth.ToString("0.000", CultureInfo.InvariantCulture), "<= 1.05", growth <= 1.05),
            new("ST renames", Text(scores.Sum(score => score.Renames)), "0", scores.All(score => score.Renames == 0)),
            new("ST same bytes in any order", scores.All(score => score.SameBytesShuffled) ? "yes" : "no", "yes", scores.All(score => score.SameBytesShuffled)),
            new("SEL selectors that are not exact", Text(scores.Sum(score => score.InexactSelectors.Count)), "0", scores.All(score => score.InexactSelectors.Count == 0)),
            new("MIN removable rules", Text(scores.Sum(score => score.Removable.Count)), "0", scores.All(score => score.Removable.Count == 0)),
            new("ATT misattributed ends", Text(scores.Sum(score => score.Misattributed)), "0", scores.All(score => score.Misattributed == 0)),
            new("EXP rules without evidence", Text(scores.Sum(score => score.Unexplained)), "0", scores.All(score => score.Unexplained == 0)),
            new("engine against the plain judge, disagreements", Text(scores.Sum(score => score.Disagreements)), "0", scores.All(score => score.Disagreements == 0)),
        ];
    }

    public static string Percent(double share) => share.ToString("0.000 %", CultureInfo.InvariantCulture);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
