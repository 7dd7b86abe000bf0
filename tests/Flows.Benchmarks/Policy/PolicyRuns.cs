using Flows.Benchmarks.Policy.Scores;
using Flows.Benchmarks.Policy.Simulate;

namespace Flows.Benchmarks.Policy;

/// <summary>The runs of the benchmark.</summary>
internal static class PolicyRuns
{
    private const long Ahead = 900_000;

    /// <summary>Every landscape with labels bumped and not, each with all seeds: what the bars are about.</summary>
    public static IEnumerable<IReadOnlyList<(SimRun Run, PolicyScore Score)>> Whole(int seeds) =>
        from topology in Topologies.All
        from bump in (bool[])[true, false]
        select Enumerable.Range(1, seeds).Select(seed =>
        {
            var run = SimRun.Of(topology, new SimPlan { Seed = seed, Bump = bump });
            return (run, Scorer.Score(run, bump ? "bumped" : "kept", full: bump));
        }).ToList();

    /// <summary>Views that miss something, each beside the same view that does not.</summary>
    public static IEnumerable<(string Variant, PolicyScore Score)> Partial(int seeds) =>
        from variant in ((string Name, SimPlan Plan)[])[("10 % of flows lost", new SimPlan { Loss = 0.1 }), ("half of the nodes blind", new SimPlan { BlindNodes = 2 })]
        from one in Each(variant.Plan, variant.Name, seeds)
        select (variant.Name, one.Score);

    /// <summary>What happens to reports and to workloads, each alone and all together; what collectors report goes through the product's own store.</summary>
    public static IEnumerable<(string Condition, IReadOnlyList<(SimRun Run, PolicyScore Score)> Runs)> Conditions(int seeds) =>
        from condition in ((string Name, SimPlan Plan)[])
        [
            ("through the store", new SimPlan { Stored = true }),
            ("clocks 1.8 s apart", new SimPlan { Stored = true, SkewUs = Ahead }),
            ("rows twice", new SimPlan { Stored = true, Duplicates = 0.5 }),
            ("masqueraded", new SimPlan { Stored = true, Masquerade = 0.5 }),
            ("masqueraded, a node blind", new SimPlan { Stored = true, Masquerade = 0.5, BlindNodes = 1 }),
            ("workloads made anew", new SimPlan { Stored = true, Recreate = true }),
            ("all of these", new SimPlan { Stored = true, SkewUs = Ahead, Duplicates = 0.5, Masquerade = 0.5, Recreate = true }),
        ]
        select (condition.Name, (IReadOnlyList<(SimRun, PolicyScore)>)[.. Each(condition.Plan, condition.Name, seeds)]);

    private static IEnumerable<(SimRun Run, PolicyScore Score)> Each(SimPlan plan, string variant, int seeds) =>
        from topology in Topologies.All
        from seed in Enumerable.Range(1, seeds)
        let run = SimRun.Of(topology, plan with { Seed = seed })
        select (run, Scorer.Score(run, variant, full: false));
}
