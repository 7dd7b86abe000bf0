using Flows.Benchmarks.Policy.Scores;
using Flows.Benchmarks.Policy.Simulate;
using Flows.Core.Policy;
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

    /// <summary>Through the product's own store. Each condition is in the reports, and none may show in the suggestion.</summary>
    [Fact]
    public void Skewed_repeated_masqueraded_reports_and_workloads_made_anew_change_no_verdict()
    {
        var plan = new SimPlan { TrainDays = 8, TestDays = 2, Traffic = 0.5, Stored = true, SkewUs = 900_000, Duplicates = 0.5, Masquerade = 0.5, Recreate = true };
        var run = SimRun.Of(Topologies.All.Single(topology => topology.Name == "sidecars"), plan);
        var score = Scorer.Score(run, "all", full: false);
        Assert.True(run.Misleading is { Masqueraded: > 100, Repeated: > 1000, Misnamed: > 0 }, run.Misleading.ToString());
        Assert.Contains(run.Fleet.Pods, pod => pod.Entity.Labels["app.kubernetes.io/instance"].EndsWith("-2", StringComparison.Ordinal));
        Assert.Contains(run.Suggestion.Review, item => item.Reason == ReviewReason.Gone);
        Assert.Empty(PolicyBars.OfCondition("all", [score]).Where(bar => !bar.Holds).Select(bar => $"{bar.What}: {bar.Is}, wanted {bar.Wanted}").Concat(score.DeniedSeen).Concat(score.AllowedUntrue));
    }

    [Fact]
    public void A_day_or_a_workload_left_out_costs_the_rest_nothing()
    {
        var run = SimRun.Of(Topologies.All.Single(topology => topology.Name == "sidecars"), new SimPlan { TrainDays = 6, TestDays = 2, Traffic = 0.5 });
        var (days, workloads) = (LeaveOneOut.Days(run), LeaveOneOut.Workloads(run));
        Assert.True(days.Edges > 100 && workloads.Edges > 100);
        Assert.Empty(days.DeniedSeen.Concat(workloads.DeniedSeen).Concat(workloads.Opened));
    }
}
