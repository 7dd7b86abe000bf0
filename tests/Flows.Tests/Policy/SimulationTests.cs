using Flows.Benchmarks.Policy.Scores;
using Flows.Benchmarks.Policy.Simulate;
using Xunit;

namespace Flows.Tests.Policy;

/// <summary>The policy benchmark, scaled down: suggestions hold on traffic that they had not seen, judged by the plain judge too.</summary>
public sealed class SimulationTests
{
    public static TheoryData<string> Names => [.. Topologies.All.Select(topology => topology.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_suggestion_holds_after_a_roll_out(string name)
    {
        var topology = Topologies.All.Single(topology => topology.Name == name);
        var score = Scorer.Score(SimRun.Of(topology, new SimPlan { TrainDays = 10, TestDays = 3, Traffic = 0.5 }), "bumped", full: true);
        Assert.True(score.Connections > 1000);
        Assert.Empty(PolicyBars.Of([score]).Where(bar => !bar.Holds).Select(bar => $"{bar.What}: {bar.Is}, wanted {bar.Wanted}")
            .Concat(score.DeniedSeen).Concat(score.AllowedUntrue).Concat(score.InexactSelectors).Concat(score.Removable));
    }
}
