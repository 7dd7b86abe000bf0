namespace Flows.Core.Policy;

/// <summary>The connections that justify a rule.</summary>
public sealed record RuleEvidence
{
    public required long FirstSeenUs { get; init; }

    public required long LastSeenUs { get; init; }

    public required long Connections { get; init; }

    public required int DistinctSources { get; init; }

    public required int DistinctDestinations { get; init; }

    /// <summary>Names of the nodes that saw it, sorted.</summary>
    public required IReadOnlyList<string> Nodes { get; init; }

    /// <summary>How the ends were named, sorted.</summary>
    public required IReadOnlyList<string> ResolvedBy { get; init; }

    /// <summary>The hours in which connections began; empty where only first and last are known.</summary>
    public Map.HourSet Hours { get; init; } = Map.HourSet.Empty;

    /// <summary>In a stable order.</summary>
    public required IReadOnlyList<Map.Edge> Edges { get; init; }
}
