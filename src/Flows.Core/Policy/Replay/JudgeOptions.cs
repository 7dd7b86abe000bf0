namespace Flows.Core.Policy;

/// <summary>What else a judgement over edges depends on.</summary>
public sealed record JudgeOptions
{
    /// <summary>Labels of namespaces by name; null where only their names are known, and rules that ask for more are noted.</summary>
    public IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>>? NamespaceLabels { get; init; }

    public Dialect Dialect { get; init; } = Dialect.Kubernetes;

    public ReplayLimits Limits { get; init; } = new();

    /// <summary>Whether to look beyond the edges: what is allowed and never was, what is not covered, what rules do.</summary>
    public bool Whole { get; init; } = true;
}
