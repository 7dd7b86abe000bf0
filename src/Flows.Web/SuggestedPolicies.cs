using Flows.Core.Policy;

namespace Flows.Web;

/// <summary>What the policy engine suggests, with all that a person needs to believe it. What takes time to make is made when asked for.</summary>
public sealed class SuggestedPolicies
{
    private readonly Lazy<ILookup<string, ReviewItem>> review;
    private readonly Lazy<ILookup<string, Loss>> losses;
    private readonly Lazy<Dictionary<string, SegmentReadiness>> readiness;

    public SuggestedPolicies()
    {
        review = new(() => Suggestion!.Review.SelectMany(item => Ends(item).Select(end => (End: end, Item: item))).ToLookup(one => one.End, one => one.Item, StringComparer.Ordinal));
        losses = new(() => Losses!.ToLookup(loss => loss.Policy, StringComparer.Ordinal));
        readiness = new(() => Suggestion!.Readiness.GroupBy(ready => ready.Segment, StringComparer.Ordinal)
            .ToDictionary(same => same.Key, same => same.MinBy(ready => ready.State)!, StringComparer.Ordinal));
    }

    /// <summary>The cluster whose pods are governed; null where the store knows pods of none.</summary>
    public required string? Cluster { get; init; }

    /// <summary>When it was derived, µs since the epoch.</summary>
    public required long DerivedUs { get; init; }

    public required Suggestion Suggestion { get; init; }

    /// <summary>What the target cannot say.</summary>
    public required IReadOnlyList<Loss> Losses { get; init; }

    /// <summary>The written policies, read back and run over what was seen; null for a target that no reader takes.</summary>
    public required ReplayResult? Replay { get; init; }

    /// <summary>One policy in the words of the target: the files that it takes.</summary>
    public required Func<SegmentPolicy, IReadOnlyList<RenderedFile>> TextOf { get; init; }

    /// <summary>Everything as files: the policies, their evidence, readiness and review.</summary>
    public required Func<IReadOnlyList<SuggestedFile>> Files { get; init; }

    /// <summary>In which order to enforce the policies, and what each step changes.</summary>
    public required Func<RolloutPlan> Plan { get; init; }

    /// <summary>How far the policy's segment is known; null where it governs no segment of its own, as a default deny does.</summary>
    public SegmentReadiness? ReadinessOf(SegmentPolicy policy) => readiness.Value.GetValueOrDefault(policy.Subject);

    /// <summary>What a person should decide about the policy's segment.</summary>
    public IEnumerable<ReviewItem> ReviewOf(SegmentPolicy policy) => review.Value[policy.Subject];

    /// <summary>What the target cannot say of the policy.</summary>
    public IEnumerable<Loss> LossesOf(SegmentPolicy policy) => losses.Value[policy.Id];

    private static IEnumerable<string> Ends(ReviewItem item) => item.Dst.Length == 0 || item.Dst == item.Src ? [item.Src] : [item.Src, item.Dst];
}
