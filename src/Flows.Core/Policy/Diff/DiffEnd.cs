using Flows.Core.Identity;

namespace Flows.Core.Policy;

/// <summary>One group of ends that a diff speaks of: a workload, a host, a named outsider, or everybody else outside.</summary>
/// <param name="Parties">Each way in which policies may see one of them.</param>
public sealed record DiffEnd(string Name, IReadOnlyList<Party> Parties)
{
    /// <summary>An address that nobody of the fleet holds and no rule names apart.</summary>
    public static DiffEnd Outside { get; } = new(Connectivity.Outside, [new Party { Id = Connectivity.Outside }]);

    /// <summary>Everybody whom the ledger knew in the span.</summary>
    public static IReadOnlyList<DiffEnd> Of(PolicyInput input, PolicySet both)
    {
        var sieve = new EdgeSieve(input);
        var classes = new PartyClasses(sieve, both);
        Dictionary<string, SortedSet<int>> ends = new(StringComparer.Ordinal);
        var seen = input.Edges.SelectMany(edge => (Entity[])[edge.Src, edge.Dst]);
        foreach (var entity in input.Entities.Where(entity => input.Addresses.ContainsKey(entity.Id)).Concat(seen).Distinct<Entity>(ReferenceEqualityComparer.Instance))
        {
            if (sieve.Selectable(entity) || entity.Kind is EntityKind.Node or EntityKind.Vm or EntityKind.Host or EntityKind.Cidr or EntityKind.External)
            {
                var name = SegmentKey.TextOf(entity, SegmentLevel.Workload);
                if (!ends.TryGetValue(name, out var numbers))
                {
                    ends[name] = numbers = [];
                }

                numbers.UnionWith(classes.Of(entity));
            }
        }

        return [.. ends.OrderBy(end => end.Key, StringComparer.Ordinal).Select(end => new DiffEnd(end.Key, [.. end.Value.Select(number => classes[number])])), Outside];
    }

    /// <summary>Everybody of a cluster as its objects describe it.</summary>
    public static IReadOnlyList<DiffEnd> Of(FleetView fleet) =>
    [
        .. fleet.Pods.Where(pod => pod.IsRunning).GroupBy(pod => $"{pod.Party.Namespace}/{pod.Workload}").OrderBy(pods => pods.Key, StringComparer.Ordinal)
            .Select(pods => new DiffEnd(pods.Key, [.. pods.Select(pod => pod.Party)])),
        .. fleet.Hosts.OrderBy(host => host.Name, StringComparer.Ordinal).Select(host => new DiffEnd(host.Name, [host.Party])),
        Outside,
    ];
}
