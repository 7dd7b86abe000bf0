namespace Flows.Core.Policy;

/// <summary>What it takes to call a segment settled.</summary>
public sealed record ReadinessOptions
{
    /// <summary>Hours without a new edge after which a segment is no longer learning. A day: most of what recurs does so daily.</summary>
    public int SettledHours { get; init; } = 24;

    /// <summary>Hours without a new edge after which it may be called stable.</summary>
    public int StableHours { get; init; } = 72;

    /// <summary>The largest estimated share of unseen edges in what comes that still counts as stable.</summary>
    public double UnseenMost { get; init; } = 0.01;

    /// <summary>The fewest sightings (edge and hour) from which anything is estimated.</summary>
    public int SightingsLeast { get; init; } = 10;
}
