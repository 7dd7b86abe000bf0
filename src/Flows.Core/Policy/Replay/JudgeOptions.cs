namespace Flows.Core.Policy;

/// <summary>What else a judgement over edges depends on.</summary>
public sealed record JudgeOptions
{
    /// <summary>Labels of namespaces by name; null where only their names are known, and rules that ask for more are noted.</summary>
    public IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>>? NamespaceLabels { get; init; }

    /// <summary>Whose reading of the policies is meant; null: that of whoever the set is for.</summary>
    public Dialect? Dialect { get; init; }

    public ReplayLimits Limits { get; init; } = new();

    /// <summary>Whether to look beyond the edges: what is allowed and never was, what is not covered, what rules do.</summary>
    public bool Whole { get; init; } = true;

    /// <summary>The dialect by which this set is judged.</summary>
    public Dialect DialectFor(PolicySet set) => Dialect ?? Policy.Dialect.Of(set);
}
