using System.Globalization;
using Flows.Core.Map;

namespace Flows.Core.Policy;

/// <summary>What was seen of one peer on one port.</summary>
internal readonly record struct Sighting(long Connections, HourSet? Hours, long FirstSeenUs);

/// <summary>Says how far segments are known. One judge for one observation.</summary>
internal sealed class ReadinessJudge
{
    private readonly PolicyInput input;
    private readonly long sinceUs;
    private readonly long untilUs;
    private readonly IReadOnlyList<string> notSeen;

    /// <param name="edges">All of the observation's.</param>
    public ReadinessJudge(PolicyInput input, IReadOnlyList<Edge> edges)
    {
        this.input = input;
        sinceUs = input.SinceUs ?? (edges.Count == 0 ? 0 : edges.Min(edge => edge.FirstSeenUs));
        untilUs = input.UntilUs ?? (edges.Count == 0 ? 0 : edges.Max(edge => edge.LastSeenUs));
        var hours = input.Reports.Values.Concat(edges.Select(edge => edge.Hours).OfType<HourSet>()).Distinct().ToList();
        notSeen = Periods.NotSeen(hours.Count == 0 && edges.Count > 0 ? HourSet.Between(sinceUs, untilUs) : HourSet.Union(hours));
    }

    /// <param name="segment">As the policy calls it.</param>
    /// <param name="sightings">One for each peer and port.</param>
    /// <param name="nodes">The nodes that vouch for the segment's edges.</param>
    public SegmentReadiness Of(string segment, IReadOnlyList<Sighting> sightings, IReadOnlyCollection<string> nodes)
    {
        var connections = UnseenEstimate.Of(sightings.Select(sighting => sighting.Connections));
        var hours = sightings.All(sighting => sighting.Hours is not null) ? UnseenEstimate.Of(sightings.Select(sighting => (long)sighting.Hours!.Count)) : connections;
        var lastNew = sightings.Count == 0 ? untilUs : sightings.Max(sighting => sighting.FirstSeenUs);
        var gaps = input.Gaps.Where(gap => nodes.Contains(gap.Node) && gap.Touches(sinceUs, untilUs)).ToList();
        var (state, why) = Judge(lastNew, hours, gaps);
        return new()
        {
            Segment = segment,
            State = state,
            Why = why,
            Edges = sightings.Count,
            LastNewUs = lastNew,
            NextConnection = connections,
            NextHour = hours,
            PeriodsNotSeen = notSeen,
            Losses = [.. gaps.Select(gap => $"{gap.Node}: {gap.What}").Distinct().Order(StringComparer.Ordinal)],
        };
    }

    private (ReadinessState State, string Why) Judge(long lastNewUs, UnseenEstimate unseen, List<ObservationGap> gaps)
    {
        var options = input.Readiness;
        var quiet = (untilUs - lastNewUs) / HourSet.HourUs;
        if (quiet < options.SettledHours)
        {
            return (ReadinessState.Learning, Text($"the last new edge came {quiet} hours before the end; {options.SettledHours} hours without one are needed"));
        }

        return quiet < options.StableHours ? Not($"the last new edge came {quiet} hours before the end; {options.StableHours} hours without one are needed")
            : unseen.Sightings < options.SightingsLeast ? Not($"only {unseen.Sightings} sightings (edge and hour); {options.SightingsLeast} are needed")
            : unseen.Share > options.UnseenMost ? Not($"{unseen.Share:P1} of what comes is expected to be unseen; at most {options.UnseenMost:P0} will do")
            : notSeen.Contains(Periods.Weekend) ? Not($"no weekend was watched")
            : gaps.Exists(gap => gap.Touches(untilUs - (options.SettledHours * HourSet.HourUs), untilUs)) ? Not($"observation lost something within the last {options.SettledHours} hours")
            : (ReadinessState.Stable, Text($"no new edge for {quiet} hours, and {unseen.Share:P1} of what comes is expected to be unseen"));
    }

    private static (ReadinessState State, string Why) Not(FormattableString why) => (ReadinessState.Stabilising, Text(why));

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
