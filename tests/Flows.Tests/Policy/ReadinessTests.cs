using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.Core.Map;
using Flows.Core.Policy;
using Xunit;
using static Flows.Tests.Policy.Fleet;

namespace Flows.Tests.Policy;

/// <summary>How far segments are known, and what follows from it.</summary>
public sealed class ReadinessTests
{
    // Monday, 5 January 2026, 00:00 UTC.
    private const int Monday = 490_992;
    private const int TwoWeeks = 14 * 24;

    [Fact]
    public void The_share_of_what_was_seen_once_estimates_what_was_never_seen()
    {
        Assert.Equal((0.25, 1L, 4L), (UnseenEstimate.Of([1, 3]).Share, UnseenEstimate.Of([1, 3]).Once, UnseenEstimate.Of([1, 3]).Sightings));
        Assert.Equal((0.0, 0.003), (UnseenEstimate.Of([1000]).Share, UnseenEstimate.Of([1000]).High));
        Assert.Equal((1.0, 0.0, 1.0), (UnseenEstimate.Of([]).Share, UnseenEstimate.Of([]).Low, UnseenEstimate.Of([]).High));
        Assert.InRange(UnseenEstimate.Of([1, 1, 98]).Share, UnseenEstimate.Of([1, 1, 98]).Low, UnseenEstimate.Of([1, 1, 98]).High);
    }

    [Fact]
    public void Long_quiet_makes_a_segment_stable_closes_what_nobody_used_and_denies_the_rest()
    {
        var suggestion = PolicySuggester.Suggest(Watched(Weeks(App("web"), App("api"))));
        Assert.All(suggestion.Readiness, ready => Assert.Equal(ReadinessState.Stable, ready.State));
        Assert.Equal(["shop/api-deployment", "shop/default-deny", "shop/web-deployment"], suggestion.Set.Policies.Select(policy => policy.Id));
        Assert.All(suggestion.Set.Policies, policy => Assert.True(policy is { Ingress: not null, Egress: not null }));
        Assert.Contains(ReviewReason.DirectionClosed, suggestion.Reasons());
        Assert.Empty(Replay(Watched(Weeks(App("web"), App("api"))), suggestion.Set).Denied);
    }

    [Fact]
    public void A_new_edge_sends_a_segment_back_to_learning_and_its_namespace_keeps_no_default_deny()
    {
        var late = Weeks(App("web"), App("db")) with { FirstSeenUs = Us(Monday + TwoWeeks - 5), LastSeenUs = Us(Monday + TwoWeeks - 1), Hours = HourSet.Of([Monday + TwoWeeks - 5]) };
        var suggestion = PolicySuggester.Suggest(Watched(Weeks(App("web"), App("api")), late));
        Assert.Equal(ReadinessState.Learning, suggestion.Readiness.Single(ready => ready.Segment == "shop/web").State);
        Assert.Equal(ReadinessState.Stable, suggestion.Readiness.Single(ready => ready.Segment == "shop/api").State);
        Assert.DoesNotContain(suggestion.Set.Policies, policy => policy.Name == "default-deny");
    }

    [Fact]
    public void What_is_mostly_seen_once_is_not_stable()
    {
        var once = Enumerable.Range(1, 30).Select(port => Weeks(App("web"), App("api"), (ushort)port) with { Connections = 1, Answered = 1, DirectionTrusted = 1, Hours = HourSet.Of([Monday + port]) });
        Assert.All(PolicySuggester.Suggest(Watched([.. once])).Readiness, ready => Assert.Equal((ReadinessState.Stabilising, 1.0), (ready.State, ready.NextConnection.Share)));
    }

    [Fact]
    public void Losses_of_late_and_weekends_not_watched_keep_it_back_and_are_told()
    {
        var input = Watched(Weeks(App("web"), App("api"))) with { Gaps = [new ObservationGap("n1", Us(Monday + TwoWeeks - 2), null, "conntrack events: none")] };
        Assert.All(PolicySuggester.Suggest(input).Readiness, ready => Assert.Equal((ReadinessState.Stabilising, "n1: conntrack events: none"), (ready.State, ready.Losses.Single())));
        Assert.Equal(["weekend", "month end", "month start"], Periods.NotSeen(HourSet.Of([.. Enumerable.Range(Monday, 4 * 24)])));
        Assert.Equal("Mon 00-02, Tue 05", Periods.OfWeek(HourSet.Of([Monday, Monday + 1, Monday + 2, Monday + 29])));
        Assert.Equal("always", Periods.OfWeek(HourSet.Of([.. Enumerable.Range(Monday, 7 * 24)])));
    }

    [Fact]
    public void Debug_pods_and_workloads_that_are_no_more_are_for_review()
    {
        var debug = Pod("debug", "", "run=debug");
        var looked = Weeks(debug, App("api")) with { FirstSeenUs = Us(Monday + 50), LastSeenUs = Us(Monday + 50), Hours = HourSet.Of([Monday + 50]) };
        var old = Weeks(App("old"), App("api"));
        var input = Watched(Weeks(App("web"), App("api")), looked, old) with { EndedUs = new Dictionary<ulong, long> { [App("old").Id] = Us(Monday + 60) } };
        var suggestion = PolicySuggester.Suggest(input);
        Assert.Contains(suggestion.Review, item => item is { Reason: ReviewReason.OneOff, Src: "shop/debug" });
        Assert.Contains(suggestion.Review, item => item is { Reason: ReviewReason.Gone, Src: "shop/old" });
        Assert.Single(suggestion.Set.Policies.Single(policy => policy.Name == "api-deployment").Ingress!.Single().Peers);
    }

    [Fact]
    public void Hours_are_a_set()
    {
        HourSet[] parts = [HourSet.Of([1000, 1003]), HourSet.Of([5]), HourSet.Of([1001])];
        var all = HourSet.Union(parts);
        Assert.Equal([5, 1000, 1001, 1003], all.Hours);
        Assert.Equal((4, true, false), (all.Count, all.Contains(1003), all.Contains(1002)));
        Assert.True(all.Overlaps(parts[1]));
        Assert.False(parts[0].Overlaps(parts[2]));
        Assert.Equal(HourSet.Of([1001, 5, 1003, 1000]), all);
        Assert.True(HourSet.Empty.IsEmpty);
    }

    private static long Us(int hour) => hour * HourSet.HourUs;

    private static Edge Weeks(Entity src, Entity dst, ushort port = 8080) => Edge(src, dst, port, connections: 5000) with
    {
        FirstSeenUs = Us(Monday),
        LastSeenUs = Us(Monday + TwoWeeks) - 1,
        Hours = HourSet.Of([.. Enumerable.Range(Monday, TwoWeeks)]),
    };

    private static PolicyInput Watched(params Edge[] edges) => Input(edges) with { SinceUs = Us(Monday), UntilUs = Us(Monday + TwoWeeks) };
}
