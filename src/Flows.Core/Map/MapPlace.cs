using System.Globalization;
using Flows.Core.Facts;
using Flows.Core.Identity;

namespace Flows.Core.Map;

/// <summary>Where an entity stands on a map of some level: entities with the same key stand together.</summary>
internal sealed record MapPlace(string Key, string Kind, string Label, string Cluster, string Scope, string Namespace)
{
    public const string UnknownKind = "unknown";

    /// <summary>Whether the graph spans several clusters or scopes: only then do labels name theirs.</summary>
    internal readonly record struct Several(bool Clusters, bool Scopes);

    /// <summary>Ranges that are never routed between sites (RFC 1918, 6598, 4193, and link-local): an unknown address there is inside.</summary>
    private static readonly AddressRange[] Inside = [.. new[] { "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "127.0.0.0/8", "fc00::/7", "fe80::/10", "::1" }
        .Select(text => AddressRange.TryParse(text, out var range) ? range : throw new ArgumentException(text))];

    /// <summary>The place of an entity.</summary>
    public static MapPlace Of(Entity entity, MapLevel level) => (level, entity) switch
    {
        (MapLevel.Pod, _) => Alone(entity),
        (_, { Kind: EntityKind.Unknown }) => Unknown(entity),
        (_, { Kind: EntityKind.Ambiguous }) => Alone(entity),
        (MapLevel.Namespace, { Namespace.Length: > 0 }) =>
            Together("namespace", entity.Namespace, entity, entity.Namespace),
        (_, { Workload.Length: > 0, Kind: not EntityKind.Service }) =>
            Together("workload", Qualified(entity.Namespace, entity.Workload), entity, entity.Namespace, entity.WorkloadKind, entity.Workload),
        _ => Alone(entity),
    };

    /// <summary>The label, with cluster or scope where the graph has several and the label alone could mean two things.</summary>
    public string LabelAmong(Several several) =>
        several.Clusters && Cluster.Length > 0 ? $"{Cluster}: {Label}"
        : several.Scopes && Cluster.Length == 0 && Scope.Length > 0 ? $"{Scope}: {Label}"
        : Label;

    /// <summary>The addresses of unknown entities, in the order of addresses; what is not an address (a range) comes last.</summary>
    public static IReadOnlyList<string> AddressesOf(IEnumerable<Entity> entities) =>
    [
        .. entities.Select(entity => entity.Name).Distinct()
            .OrderBy(name => !NetAddress.TryParse(name, out _))
            .ThenBy(name => NetAddress.TryParse(name, out var address) ? address : default)
            .ThenBy(name => name, StringComparer.Ordinal),
    ];

    private static MapPlace Alone(Entity entity)
    {
        var kind = Entity.TextOf(entity.Kind);
        return new(KeyOf(kind, entity.Id.ToString("x16", CultureInfo.InvariantCulture)),
            kind, Qualified(entity.Namespace, entity.Name), entity.Cluster, entity.Scope, entity.Namespace);
    }

    /// <summary>A cluster is one place whatever scopes its addresses are in; outside clusters the scope is all there is to tell places apart.</summary>
    private static MapPlace Together(string kind, string label, Entity entity, params string[] parts) => new(
        KeyOf([kind, entity.Cluster, entity.Cluster.Length > 0 ? "" : entity.Scope, .. parts]), kind, label, entity.Cluster, entity.Scope, entity.Namespace);

    /// <summary>Unknown ends stand together, but what is certainly inside is not called external.</summary>
    private static MapPlace Unknown(Entity entity)
    {
        var inside = NetAddress.TryParse(entity.Name, out var address) && Inside.Any(range => range.Contains(address));
        var label = inside ? "unknown" : "external";
        return new(KeyOf(UnknownKind, label, entity.Scope), UnknownKind, label, "", entity.Scope, "");
    }

    private static string Qualified(string space, string name) => space.Length > 0 ? $"{space}/{name}" : name;

    /// <summary>Joined as identifiers are: the separator is refused in names, so different parts never join to one key.</summary>
    private static string KeyOf(params string[] parts) => string.Join('\u001f', parts);
}
