using Flows.Core.Map;

namespace Flows.Core.Policy;

/// <summary>A needed edge that the set does not let through.</summary>
/// <param name="Sentence">Which end refuses, what isolates it, and which rule is missing.</param>
public sealed record ReplayFinding(Edge Edge, PolicyDecision Decision, string Sentence);

/// <summary>What a set would have done to the recorded edges.</summary>
public sealed record ReplayResult
{
    /// <summary>Edges that were judged: answered, of trusted direction, between ends that are known.</summary>
    public required int Needed { get; init; }

    public required long NeededConnections { get; init; }

    /// <summary>Needed and denied, in a stable order.</summary>
    public required IReadOnlyList<ReplayFinding> Denied { get; init; }

    /// <summary>Needed, and denied for some of an end's addresses; the edge does not say which of them it used.</summary>
    public required IReadOnlyList<ReplayFinding> Unsure { get; init; }

    /// <summary>Edges that nobody is known to need, or that cannot be judged, with the reason.</summary>
    public required IReadOnlyList<ReviewItem> KeptOut { get; init; }

    /// <summary>Rules that could not be judged fully with what the ledger knows.</summary>
    public required IReadOnlyList<string> Notes { get; init; }

    /// <summary>What rules let through and nobody did.</summary>
    public SurplusReport Surplus { get; init; } = new([], 0, Complete: true);

    /// <summary>Workloads that stay open.</summary>
    public IReadOnlyList<UncoveredSegment> Uncovered { get; init; } = [];

    /// <summary>What each rule did.</summary>
    public IReadOnlyList<RuleUse> Rules { get; init; } = [];

    public ExitCode ExitCode => Denied.Count > 0 ? ExitCode.No : ExitCode.Ok;
}
