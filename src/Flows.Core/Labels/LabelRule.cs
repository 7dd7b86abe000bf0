using Flows.Core.Identity;

namespace Flows.Core.Labels;

/// <summary>One rule: to whom it applies, and what it says of them. Conditions that are not given hold for everybody; all that are given must hold.</summary>
public sealed record LabelRule
{
    /// <summary>What evidence calls it.</summary>
    public required string Name { get; init; }

    public IReadOnlyList<EntityKind> Kinds { get; init; } = [];

    public IReadOnlyList<Glob> Scopes { get; init; } = [];

    public IReadOnlyList<Glob> Clusters { get; init; } = [];

    public IReadOnlyList<Glob> Namespaces { get; init; } = [];

    public IReadOnlyList<Glob> Workloads { get; init; } = [];

    /// <summary>Patterns for the entity's own name: of the pod, the machine, the range.</summary>
    public IReadOnlyList<Glob> Names { get; init; } = [];

    /// <summary>Patterns for labels' values; a label that is absent matches none. What a machine says of itself are labels that begin with <c>host.</c>.</summary>
    public IReadOnlyList<(string Key, IReadOnlyList<Glob> Values)> Labels { get; init; } = [];

    /// <summary>Ranges of which one must hold all of some address or range of the entity.</summary>
    public IReadOnlyList<AddressRange> Cidrs { get; init; } = [];

    /// <summary>What it says, in the order written.</summary>
    public required IReadOnlyList<(string Key, LabelTemplate Template)> Set { get; init; }

    public bool Matches(Entity entity, IReadOnlyCollection<AddressRange> addresses) =>
        (Kinds.Count == 0 || Kinds.Contains(entity.Kind))
        && Any(Scopes, entity.Scope) && Any(Clusters, entity.Cluster) && Any(Namespaces, entity.Namespace) && Any(Workloads, entity.Workload) && Any(Names, entity.Name)
        && Labels.All(label => entity.Labels.TryGetValue(label.Key, out var value) && Any(label.Values, value))
        && (Cidrs.Count == 0 || Cidrs.Any(cidr => addresses.Any(address => address.PrefixLength >= cidr.PrefixLength && cidr.Contains(address.First))));

    private static bool Any(IReadOnlyList<Glob> globs, string text) => globs.Count == 0 || globs.Any(glob => glob.Matches(text));
}
