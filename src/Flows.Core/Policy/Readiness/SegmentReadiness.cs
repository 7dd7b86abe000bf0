namespace Flows.Core.Policy;

/// <summary>How well a segment is known.</summary>
public enum ReadinessState
{
    /// <summary>New edges still come, or too little was seen to tell.</summary>
    Learning,

    /// <summary>No new edge came of late.</summary>
    Stabilising,

    /// <summary>No new edge came for long, few are expected, and the times of the week were seen.</summary>
    Stable,
}

/// <summary>How well a segment is known, and what that rests on.</summary>
public sealed record SegmentReadiness
{
    /// <summary>The segment, as its policy's subject.</summary>
    public required string Segment { get; init; }

    public required ReadinessState State { get; init; }

    /// <summary>One sentence: what keeps it from the next state, or why it is stable.</summary>
    public required string Why { get; init; }

    /// <summary>Distinct peers and ports in either direction.</summary>
    public required int Edges { get; init; }

    /// <summary>When the last new edge was first seen, µs since the epoch.</summary>
    public required long LastNewUs { get; init; }

    /// <summary>The probability that the next connection uses an edge that was never seen.</summary>
    public required UnseenEstimate NextConnection { get; init; }

    /// <summary>
    /// The same for the next hour in which an edge is used. A burst counts once, so that it judges better; the state goes by it. Equal to the other where hours are not known.
    /// </summary>
    public required UnseenEstimate NextHour { get; init; }

    /// <summary>Times that the observation did not cover yet, such as <c>weekend</c>.</summary>
    public required IReadOnlyList<string> PeriodsNotSeen { get; init; }

    /// <summary>Losses on nodes that vouch for it, within the observation.</summary>
    public required IReadOnlyList<string> Losses { get; init; }
}
