namespace Flows.Core.Policy;

/// <summary>Readiness as a suggestion found it, with the probability at the upper end of its interval: a plan had better err on that side.</summary>
public sealed class SuggestedReadiness(Suggestion suggestion) : IReadinessSource
{
    private readonly Dictionary<string, SegmentReadiness> bySegment =
        suggestion.Readiness.GroupBy(one => one.Segment).ToDictionary(same => same.Key, same => same.First(), StringComparer.Ordinal);

    public StepReadiness? Of(string segment) => bySegment.TryGetValue(segment, out var found)
        ? new StepReadiness(
            found.State switch { ReadinessState.Stable => StepState.Stable, ReadinessState.Stabilising => StepState.Stabilising, _ => StepState.Learning },
            found.NextHour.High,
            found.Why)
        : null;
}
