using Flows.Core;
using Flows.Core.Map;
using Flows.Core.Policy;
using Xunit;
using static Flows.Tests.Policy.Fleet;

namespace Flows.Tests.Policy;

public sealed class PlanTests
{
    private const long Day = 24 * 60 * UnixTime.Minute;
    private static readonly PodSegment Web = PodSegment.In("shop", LabelSelector.Of([new("app", "web")]));

    private sealed class Said(params (string Segment, StepState State, double Unseen)[] all) : IReadinessSource
    {
        public StepReadiness? Of(string segment) => all.Where(one => one.Segment == segment).Select(one => new StepReadiness(one.State, one.Unseen, "")).FirstOrDefault();
    }

    [Fact]
    public void What_takes_away_most_at_no_risk_comes_first_and_what_denies_comes_last()
    {
        var plan = Plan(
            [Edge(App("web"), App("api"), 8080), Edge(App("web"), App("api"), 9090), Edge(App("web"), App("db"), 5432), Edge(App("batch"), App("cache"), 6379)],
            [Policy("api", new Rule { Peers = [Web] }), Policy("db", new Rule { Peers = [Web] }), Policy("cache", new Rule { Peers = [Web] })],
            new Said(("shop/api", StepState.Stable, 0), ("shop/db", StepState.Stable, 0), ("shop/cache", StepState.Stable, 0)));
        Assert.Equal([("shop/p-api", StepAdvice.Enforce), ("shop/p-db", StepAdvice.Enforce), ("shop/p-cache", StepAdvice.Mend)], plan.Steps.Select(step => (step.Policies.Single(), step.Advice)));
        Assert.Equal(10, plan.Steps[2].Denied);
        Assert.Contains("no rule of shop/cache allows ingress from shop/batch", plan.Steps[2].DeniedBecause.Single(), StringComparison.Ordinal);

        // Four others may come in on two ports, and one does; nothing changes outward: two ports of others.
        Assert.Equal((10, 4, 6), (plan.Steps[0].ReachBefore, plan.Steps[0].ReachAfter, plan.Steps[0].Removed));
        Assert.Contains("shop/api: ingress closes, 2 of 8 ways in stay", plan.Steps[0].Changes);
    }

    [Fact]
    public void What_is_not_known_well_is_watched_first()
    {
        var edges = new[] { Edge(App("web"), App("api"), 8080), Edge(App("web"), App("db"), 5432) };
        var plan = Plan(edges, [Policy("api", new Rule { Peers = [Web] }), Policy("db", new Rule { Peers = [Web] })], new Said(("shop/db", StepState.Stable, 0), ("shop/api", StepState.Learning, 0.5)));
        Assert.Equal([("shop/p-db", StepAdvice.Enforce), ("shop/p-api", StepAdvice.Watch)], plan.Steps.Select(step => (step.Policies.Single(), step.Advice)));
        Assert.Equal(StepAdvice.Watch, Plan(edges, [Policy("api", new Rule { Peers = [Web] })], new Said()).Steps[0].Advice);
    }

    [Fact]
    public void Policies_of_one_workload_go_together_and_a_default_deny_comes_last()
    {
        var deny = SegmentPolicy.For("shop", "deny", LabelSelector.Everything) with { Ingress = [] };
        var plan = Plan(
            [Edge(App("web"), App("api"), 8080), Edge(App("batch"), App("api"), 8080)],
            [Policy("api", new Rule { Peers = [Web] }), Policy("api", new Rule { Peers = [PodSegment.In("shop", LabelSelector.Of([new("app", "batch")]))] }) with { Name = "more" }, deny],
            new Said(("shop/api", StepState.Stable, 0), ("shop/web", StepState.Stable, 0), ("shop/batch", StepState.Stable, 0)));
        Assert.Equal([["shop/more", "shop/p-api"], ["shop/deny"]], plan.Steps.Select(step => step.Policies));
        Assert.All(plan.Steps, step => Assert.Equal((StepAdvice.Enforce, 0L), (step.Advice, step.Denied)));
        Assert.Equal(["shop/batch", "shop/web"], plan.Steps[1].Segments);
    }

    [Fact]
    public void What_is_denied_already_is_no_fault_of_the_draft()
    {
        var today = new PolicySet([Policy("api") with { Name = "old" }]);
        var plan = RolloutPlanner.Plan(Held([Edge(App("web"), App("api"), 8080)]), today, new([Policy("api") with { Name = "old" }]), new JudgeOptions(), new Said(("shop/api", StepState.Stable, 0)));
        Assert.Equal((StepAdvice.Enforce, 0L, 0L), (plan.Steps[0].Advice, plan.Steps[0].Denied, plan.Steps[0].Removed));
    }

    [Fact]
    public void Readiness_of_edges_follows_time_and_singletons()
    {
        Edge At(string src, ushort port, long first, long last, long connections) =>
            Edge(App(src), App("api"), port, connections: connections) with { FirstSeenUs = first, LastSeenUs = last };
        StepReadiness Of(params Edge[] edges) => new EdgeReadiness(Held(edges)).Of("shop/api")!;
        Assert.Equal(StepState.Learning, Of(At("web", 80, 0, Day / 2, 100)).State);
        Assert.Equal(StepState.Stabilising, Of(At("web", 80, 0, 3 * Day, 100)).State);
        Assert.Equal(StepState.Stable, Of(At("web", 80, 0, 9 * Day, 100)).State);
        Assert.Equal(StepState.Stabilising, Of(At("web", 80, 0, 9 * Day, 100), At("batch", 80, 8 * Day, 9 * Day, 2)).State);
        var doubtful = Of(At("web", 80, 0, 9 * Day, 9), At("batch", 80, Day, Day, 1));
        Assert.Equal((StepState.Learning, 0.1), (doubtful.State, doubtful.UnseenProbability));
        Assert.Null(new EdgeReadiness(Held([])).Of("shop/api"));
    }

    private static RolloutPlan Plan(Edge[] edges, SegmentPolicy[] draft, IReadinessSource readiness) =>
        RolloutPlanner.Plan(Held(edges), PolicySet.Empty, PolicySet.Of(draft), new JudgeOptions(), readiness);

    private static SegmentPolicy Policy(string app, params Rule[] ingress) => SegmentPolicy.For("shop", $"p-{app}", LabelSelector.Of([new("app", app)])) with { Ingress = ingress };
}
