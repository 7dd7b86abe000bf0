namespace Flows.Core.Policy;

/// <summary>
/// What a segment may do, in the union sense of Kubernetes: a direction whose list is null stays open, an empty list closes it, and a
/// connection that any policy of the set allows is allowed.
/// </summary>
public sealed record SegmentPolicy
{
    public required string Namespace { get; init; }

    public required string Name { get; init; }

    /// <summary>Which pods of the namespace it governs.</summary>
    public required LabelSelector Pods { get; init; }

    /// <summary>Who may come in; null: this policy does not isolate ingress.</summary>
    public IReadOnlyList<Rule>? Ingress { get; init; }

    /// <summary>Where it may go; null: this policy does not isolate egress.</summary>
    public IReadOnlyList<Rule>? Egress { get; init; }

    /// <summary>The workload or namespace it was suggested for, as the items of a review name it; empty for a policy that was read.</summary>
    public string Subject { get; init; } = "";

    /// <summary>Where it was read: file and document; empty for a suggestion.</summary>
    public string Origin { get; init; } = "";

    /// <summary><c>namespace/name</c>.</summary>
    public string Id => $"{Namespace}/{Name}";

    public IReadOnlyList<Rule>? Rules(Direction direction) => direction == Direction.Ingress ? Ingress : Egress;

    /// <summary>Both directions' rules with their direction and index.</summary>
    public IEnumerable<(Direction Direction, int Index, Rule Rule)> AllRules() =>
        (Ingress ?? []).Select((rule, index) => (Direction.Ingress, index, rule))
        .Concat((Egress ?? []).Select((rule, index) => (Direction.Egress, index, rule)));
}

/// <summary>Policies that act together, ordered by namespace and name.</summary>
public sealed record PolicySet(IReadOnlyList<SegmentPolicy> Policies)
{
    public static PolicySet Of(IEnumerable<SegmentPolicy> policies) => new([.. policies
        .OrderBy(policy => policy.Namespace, StringComparer.Ordinal).ThenBy(policy => policy.Name, StringComparer.Ordinal)]);
}
