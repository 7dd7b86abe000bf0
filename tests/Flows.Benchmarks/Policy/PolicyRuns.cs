using Flows.Benchmarks.Policy.Scores;
using Flows.Benchmarks.Policy.Simulate;

namespace Flows.Benchmarks.Policy;

/// <summary>The runs of the benchmark.</summary>
internal static class PolicyRuns
{
    /// <summary>Every landscape with labels bumped and not, each with all seeds: what the bars are about.</summary>
    public static IEnumerable<IReadOnlyList<(SimRun Run, PolicyScore Score)>> Whole(int seeds) =>
        from topology in Topologies.All
        from bump in (bool[])[true, false]
        select Enumerable.Range(1, seeds).Select(seed =>
        {
            var run = SimRun.Of(topology, new SimPlan { Seed = seed, Bump = bump });
            return (run, Scorer.Score(run, bump ? "bumped" : "kept", full: seed == 1 && bump));
        }).ToList();

    /// <summary>Views that miss something, each beside the same view that does not.</summary>
    public static IEnumerable<(string Variant, PolicyScore Score)> Partial(int seeds) =>
        from topology in Topologies.All
        from seed in Enumerable.Range(1, seeds)
        from variant in ((string Name, SimPlan Plan)[])
        [
            ("10 % of flows lost", new SimPlan { Seed = seed, Loss = 0.1 }), ("half of the nodes blind", new SimPlan { Seed = seed, BlindNodes = 2 }),
        ]
        select (variant.Name, Scorer.Score(SimRun.Of(topology, variant.Plan), variant.Name, full: false));
}
