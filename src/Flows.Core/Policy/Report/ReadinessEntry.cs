namespace Flows.Core.Policy;

/// <summary>How far a segment is known, as <c>readiness.json</c> tells it.</summary>
public sealed record ReadinessEntry(
    string Segment, ReadinessState State, string Why, int Edges, string LastNew, UnseenEstimate UnseenNextConnection, UnseenEstimate UnseenNextHour,
    IReadOnlyList<string> PeriodsNotSeen, IReadOnlyList<string> Losses)
{
    public static ReadinessEntry Of(SegmentReadiness ready) => new(
        ready.Segment, ready.State, ready.Why, ready.Edges, UnixTime.Text(ready.LastNewUs), ready.NextConnection, ready.NextHour, ready.PeriodsNotSeen, ready.Losses);
}
