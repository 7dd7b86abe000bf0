using Flows.Benchmarks.Policy.Scores;
using Flows.Benchmarks.Policy.Simulate;

namespace Flows.Benchmarks.Policy;

/// <summary>The runs of the benchmark.</summary>
internal static class PolicyRuns
{
    /// <summary>Every landscape with each seed, labels bumped and not: what the bars are about.</summary>
    public static IEnumerable<PolicyScore> EachTopology(int seeds, int trainDays = 14, int testDays = 7) =>
        from topology in Topologies.All
        from seed in Enumerable.Range(1, seeds)
        from bump in (bool[])[true, false]
        select Scorer.Score(topology, new SimPlan { Seed = seed, Bump = bump, TrainDays = trainDays, TestDays = testDays }, bump ? "bumped" : "kept", full: seed == 1 && bump);

    /// <summary>Views that miss something, each beside the same view that does not.</summary>
    public static IEnumerable<(string Variant, PolicyScore Score)> Partial(int seeds) =>
        from topology in Topologies.All
        from seed in Enumerable.Range(1, seeds)
        from variant in ((string Name, SimPlan Plan)[])
        [
            ("10 % of flows lost", new SimPlan { Seed = seed, Loss = 0.1 }), ("half of the nodes blind", new SimPlan { Seed = seed, BlindNodes = 2 }),
        ]
        select (variant.Name, Scorer.Score(topology, variant.Plan, variant.Name, full: false));
}
