using System.Globalization;
using Flows.Benchmarks.Policy.Scores;

namespace Flows.Benchmarks.Policy;

/// <summary>How the benchmark prints what it found.</summary>
internal static class PolicyTables
{
    public static void WholeHead()
    {
        Console.WriteLine("topology          variant  FD_c above floor  floor   FD_e above floor  floor    OP        SC    rules  objects  RPE   stable");
        Console.WriteLine("  of each seed:   WSC; OPx log2 mean, most; reach (needed); COV, idle rules; OP at namespace level; SEL precision, recall");
    }

    public static void Whole(List<PolicyScore> own)
    {
        double Mean(Func<PolicyScore, double> of) => own.Average(of);
        Say($"{own[0].Topology,-16}  {own[0].Variant,-7}  {Percent(Mean(one => one.FdConnections)),-16}  {Percent(Mean(one => one.FdConnectionsFloor)),-7} ",
            $"{Percent(Mean(one => one.FdEdges)),-16}  {Percent(Mean(one => one.FdEdgesFloor)),-8} {Percent(Mean(one => one.OverPermission)),-9} ",
            $"{Mean(one => (double)one.Scanner.Reached / one.Scanner.All),-5:0 %} {Mean(one => one.Rules),-6:0} {Mean(one => one.Objects),-8:0} ",
            $"{Mean(one => one.RulesPerEdge),-5:0.00} {Mean(one => one.StableSegments):0}");
    }

    public static void Set(SimRun run, SetScore set) => Say(
        $"  seed {run.Plan.Seed,-11}  WSC {set.Wsc}; OPx {set.OutsideMean:0.0}, {set.OutsideMost:0.0}; reach {set.Reach:0.00} ({set.ReachNeeded:0.00}); ",
        $"COV {Percent(set.Coverage)}, idle {set.IdleRules}; namespace OP {Percent(set.NamespaceOverPermission)}; SEL {set.Selectors.Precision:0.000}, {set.Selectors.Recall:0.000}");

    public static void DefaultDenies(List<PolicyScore> scores)
    {
        var own = scores.Where(score => score.Variant == "bumped").ToList();
        Say($"default-deny policies: {own.Sum(score => score.DefaultDenies.Count)}; with twice the traffic {own.Sum(score => score.DefaultDenies.Vanished.Count)} go ",
            $"and {own.Sum(score => score.DefaultDenies.Added)} come");
        Details(own.SelectMany(score => score.DefaultDenies.Vanished.Select(name => $"{score.Topology}: goes with twice the traffic: {name}")));
    }

    /// <summary>Prints every bar; true where all hold.</summary>
    public static bool Bars(IReadOnlyList<PolicyBar> bars)
    {
        foreach (var bar in bars)
        {
            Console.WriteLine($"{(bar.Holds ? "holds " : "MISSED")}  {bar.What}: {bar.Is} (wanted {bar.Wanted})");
        }

        return bars.All(bar => bar.Holds);
    }

    /// <summary>Prints the bars that do not hold; true where all do.</summary>
    public static bool Missed(IReadOnlyList<PolicyBar> bars) => Bars([.. bars.Where(bar => !bar.Holds)]);

    public static void ConditionHead()
    {
        Console.WriteLine();
        Console.WriteLine("condition                  FD_e above floor  floor     OP       nodes let in  misattributed  miscounted  SEL  in the reports");
    }

    public static void Condition(string condition, IReadOnlyList<(SimRun Run, PolicyScore Score)> runs)
    {
        List<PolicyScore> own = [.. runs.Select(run => run.Score)];
        double Pooled(Func<PolicyScore, double> of, Func<PolicyScore, double> all) => own.Sum(of) / Math.Max(1, own.Sum(all));
        var (masqueraded, repeated, misnamed) = runs.Select(run => run.Run.Misleading).Aggregate((one, other) => one + other);
        Say($"{condition,-26} {Percent(Pooled(score => score.DeniedSeen.Count, score => score.Edges)),-17} {Percent(Pooled(score => score.FloorEdges, score => score.Edges)),-9} ",
            $"{Percent(Pooled(score => score.AllowedUntrue.Count, score => score.Untrue)),-8} {own.Sum(score => score.NodesLetIn.Count),-13} {own.Sum(score => score.Misattributed),-14} ",
            $"{own.Sum(score => score.Miscounted),-11} {own.Sum(score => score.InexactSelectors.Count),-4} {masqueraded} from nodes' addresses, {repeated} repeat a connection, {misnamed} arrive when the address is another's");
    }

    public static void Details(IEnumerable<string> details) => details.Distinct().Take(60).ToList().ForEach(detail => Console.WriteLine($"  {detail}"));

    public static IEnumerable<string> DetailsOf(PolicyScore score) => ((IEnumerable<string>)[
        .. score.DeniedSeen.Select(edge => $"denied though seen: {edge}"),
        .. score.AllowedUntrue.Take(5).Select(edge => $"allowed though never needed: {edge}"),
        .. score.NodesLetIn.Take(5).Select(edge => $"a node let in: {edge}"),
        .. score.InexactSelectors.Select(selector => $"not exact: {selector}"),
        .. score.Removable.Select(rule => $"removable: {rule}"),
    ]).Select(detail => $"{score.Topology} {score.Variant}: {detail}");

    private static string Percent(double share) => PolicyBars.Percent(share);

    private static void Say(params FormattableString[] parts)
    {
        foreach (var part in parts)
        {
            Console.Write(part.ToString(CultureInfo.InvariantCulture));
        }

        Console.WriteLine();
    }
}
