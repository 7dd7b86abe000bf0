using System.Globalization;
using Flows.Core.Map;

namespace Flows.Core.Policy;

/// <summary>
/// Readiness from edges alone: Good and Turing's estimate (edges of which one connection was seen, to all connections), how long was watched, and how
/// long ago the last new edge came. It knows nothing of hours, periods or losses.
/// </summary>
public sealed class EdgeReadiness : IReadinessSource
{
    private const long Day = 24 * 60 * UnixTime.Minute;
    private const long StableUs = 7 * Day;

    // One in twenty connections new is no state to enforce anything in.
    private const double UnseenMax = 0.05;

    private readonly Dictionary<string, List<Edge>> bySegment = new(StringComparer.Ordinal);

    public EdgeReadiness(PolicyInput input)
    {
        var sieve = new EdgeSieve(input);
        foreach (var edge in input.Edges.Where(edge => sieve.WhyNot(edge) is null))
        {
            Add(SegmentKey.TextOf(edge.Src, SegmentLevel.Workload), edge);
            Add(SegmentKey.TextOf(edge.Dst, SegmentLevel.Workload), edge);
        }
    }

    public StepReadiness? Of(string segment)
    {
        if (!bySegment.TryGetValue(segment, out var edges))
        {
            return null;
        }

        var kinds = edges.GroupBy(edge => (Src: SegmentKey.TextOf(edge.Src, SegmentLevel.Workload), Dst: SegmentKey.TextOf(edge.Dst, SegmentLevel.Workload), edge.Protocol, edge.DstPort))
            .Select(same => (Connections: same.Sum(edge => edge.Connections), First: same.Min(edge => edge.FirstSeenUs))).ToList();
        var unseen = kinds.Count(kind => kind.Connections == 1) / (double)Math.Max(1, kinds.Sum(kind => kind.Connections));
        var (first, last, news) = (edges.Min(edge => edge.FirstSeenUs), edges.Max(edge => edge.LastSeenUs), kinds.Max(kind => kind.First));
        var state = last - first < Day || unseen > UnseenMax ? StepState.Learning
            : last - first < StableUs || last - news < (last - first) / 4 ? StepState.Stabilising
            : StepState.Stable;
        return new StepReadiness(state, unseen, string.Create(CultureInfo.InvariantCulture,
            $"seen for {(last - first) / (double)Day:0.#} days, last new edge {(last - news) / (double)Day:0.#} days before the end, next connection new with {unseen:0.####}"));
    }

    private void Add(string segment, Edge edge)
    {
        if (!bySegment.TryGetValue(segment, out var edges))
        {
            bySegment[segment] = edges = [];
        }

        edges.Add(edge);
    }
}
