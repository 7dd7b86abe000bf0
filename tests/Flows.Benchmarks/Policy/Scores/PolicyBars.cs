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
            new("ST default denies that go with twice the traffic", Text(scores.Sum(score => score.DefaultDenies.Vanished.Count)), "0", scores.All(score => score.DefaultDenies.Vanished.Count == 0)),
            new("ST same bytes in any order", scores.All(score => score.SameBytesShuffled) ? "yes" : "no", "yes", scores.All(score => score.SameBytesShuffled)),
            new("SEL selectors that are not exact", Text(scores.Sum(score => score.InexactSelectors.Count)), "0", scores.All(score => score.InexactSelectors.Count == 0)),
            new("MIN removable rules", Text(scores.Sum(score => score.Removable.Count)), "0", scores.All(score => score.Removable.Count == 0)),
            new("rules that rest on a workload that is gone", Text(scores.Sum(score => score.Stale)), "0", scores.All(score => score.Stale == 0)),
            new("nodes let in where only pods need the port", Text(scores.Sum(score => score.NodesLetIn.Count)), "0", scores.All(score => score.NodesLetIn.Count == 0)),
            new("ATT misattributed ends", Text(scores.Sum(score => score.Misattributed)), "0", scores.All(score => score.Misattributed == 0)),
            new("EXP rules without evidence", Text(scores.Sum(score => score.Unexplained)), "0", scores.All(score => score.Unexplained == 0)),
            new("engine against the plain judge, disagreements", Text(scores.Sum(score => score.Disagreements)), "0", scores.All(score => score.Disagreements == 0)),
        ];
    }

    /// <summary>Selectors, connection by connection; the other figures of a set are to compare with.</summary>
    public static IReadOnlyList<PolicyBar> Of(IReadOnlyList<SetScore> sets)
    {
        var (precision, recall) = (sets.Min(set => set.Selectors.Precision), sets.Min(set => set.Selectors.Recall));
        var covered = sets.Min(set => set.Coverage);
        return
        [
            new("SEL precision, recall, worst", string.Create(CultureInfo.InvariantCulture, $"{precision:0.000}, {recall:0.000}"), "1, 1", precision >= 1 && recall >= 1),
            new("COV needed connections that a rule decides, worst (no bar in C.4)", Percent(covered), "-", true),
        ];
    }

    /// <summary>A day that was missed must cost no more than what nobody had seen elsewhere.</summary>
    public static IReadOnlyList<PolicyBar> OfDays(LeftOut left) =>
        [new($"leave one day out: FD_e above the floor, of {left.Edges} edges (floor {left.Floor})", Percent(left.DeniedSeen.Count / (double)Math.Max(1, left.Edges)), "<= 0.25 pp",
            left.Edges > 0 && left.DeniedSeen.Count <= 0.0025 * left.Edges)];

    /// <summary>A workload that was missed must cost the others nothing.</summary>
    public static IReadOnlyList<PolicyBar> OfWorkloads(LeftOut left) =>
    [
        new($"leave one workload out: FD_e of the others above the floor, of {left.Edges} edges (floor {left.Floor})", Percent(left.DeniedSeen.Count / (double)Math.Max(1, left.Edges)), "<= 0.25 pp",
            left.Edges > 0 && left.DeniedSeen.Count <= 0.0025 * left.Edges),
        new("leave one workload out: opened or picked for it", Text(left.Opened.Count), "0", left.Opened.Count == 0),
    ];

    /// <summary>What must hold whatever happens to the reports and the workloads.</summary>
    public static IReadOnlyList<PolicyBar> OfCondition(string condition, IReadOnlyList<PolicyScore> scores)
    {
        var kept = Of(scores).Where(bar => bar.What.StartsWith("FD_", StringComparison.Ordinal) || bar.What.StartsWith("OP ", StringComparison.Ordinal) || bar.What.StartsWith("SC ", StringComparison.Ordinal)
            || bar.What.StartsWith("SEL ", StringComparison.Ordinal) || bar.What.StartsWith("ATT ", StringComparison.Ordinal) || bar.What.StartsWith("nodes ", StringComparison.Ordinal)
            || bar.What.StartsWith("rules that rest ", StringComparison.Ordinal));
        var miscounted = scores.Sum(score => score.Miscounted);
        return [.. kept.Append(new("connections miscounted", miscounted.ToString(CultureInfo.InvariantCulture), "0", miscounted == 0)).Select(bar => bar with { What = $"{condition}: {bar.What}" })];
    }

    public static string Percent(double share) => share.ToString("0.000 %", CultureInfo.InvariantCulture);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
