using Flows.Core.Map;

namespace Flows.Web.Api;

/// <summary>A box on the page around nodes that belong together: a namespace, or what is outside all of them.</summary>
internal sealed record MapGroup(string Id, string Kind, string Label)
{
    /// <summary>The node's box; null where it stands for itself.</summary>
    public static MapGroup? Of(MapNode node) => node.Kind switch
    {
        "namespace" => null,
        _ when node.Namespace.Length > 0 => new($"namespace:{node.Cluster}/{node.Namespace}", "namespace", node.Namespace),
        "vm" or "host" or "node" or "workload" => new("machines", "machines", "machines"),
        "external" or "cidr" or "load_balancer" => new("outside", "outside", "outside"),
        "unknown" when node.Label.EndsWith("external", StringComparison.Ordinal) => new("outside", "outside", "outside"),
        "ambiguous" => new("ambiguous", "ambiguous", "one of several"),
        _ => new("unknown", "unknown", "nobody known"),
    };

    /// <summary>The label without the namespace that the box already names.</summary>
    public static string NameWithin(MapNode node)
    {
        var prefix = node.Namespace + "/";
        var at = node.Kind == "namespace" || node.Namespace.Length == 0 ? -1 : node.Label.IndexOf(prefix, StringComparison.Ordinal);
        return at < 0 ? node.Label : node.Label[(at + prefix.Length)..];
    }
}
