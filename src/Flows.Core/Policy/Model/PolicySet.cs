namespace Flows.Core.Policy;

/// <summary>Policies that act together, ordered by tier, namespace and name.</summary>
public sealed record PolicySet(IReadOnlyList<SegmentPolicy> Policies)
{
    public static PolicySet Empty { get; } = new([]);

    public static PolicySet Of(IEnumerable<SegmentPolicy> policies) => new([.. policies
        .OrderBy(policy => policy.Tier)
        .ThenBy(policy => policy.Namespace, StringComparer.Ordinal).ThenBy(policy => policy.Name, StringComparer.Ordinal)
        .ThenBy(policy => policy.Kind, StringComparer.Ordinal)]);
}
