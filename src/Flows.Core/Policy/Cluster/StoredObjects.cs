using System.Text.Json;
using Flows.Core.Identity;

namespace Flows.Core.Policy;

/// <summary>What a cluster's stored objects say that policies depend on: the labels of its namespaces, and its own policies.</summary>
public static class StoredObjects
{
    public const string NamespaceKind = "v1/Namespace";
    public const string PolicyKind = "networking.k8s.io/v1/NetworkPolicy";

    /// <summary>Labels of namespaces by name; null where no namespace is stored.</summary>
    public static IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>>? NamespaceLabels(IEnumerable<ClusterObject> objects, string? cluster)
    {
        Dictionary<string, IReadOnlyDictionary<string, string>> all = new(StringComparer.Ordinal);
        foreach (var one in objects.Where(one => one.Kind == NamespaceKind && (cluster is null || one.Cluster == cluster)))
        {
            all[one.Name] = Labels(one);
        }

        return all.Count == 0 ? null : all;
    }

    /// <summary>The policies that the cluster enforces, as files named after them. What cannot be read is a fault of the reader, never passed over.</summary>
    public static IReadOnlyList<PolicyDocument> Policies(IEnumerable<ClusterObject> objects, string? cluster) =>
    [
        .. objects.Where(one => one.Kind == PolicyKind && (cluster is null || one.Cluster == cluster))
            .Select(one => new PolicyDocument($"cluster {one.Cluster} {one.Namespace}/{one.Name}".Replace("  ", " ", StringComparison.Ordinal), one.Json)),
    ];

    private static Dictionary<string, string> Labels(ClusterObject one)
    {
        Dictionary<string, string> labels = new(StringComparer.Ordinal);
        using var json = JsonDocument.Parse(one.Json);
        if (json.RootElement.TryGetProperty("metadata", out var metadata) && metadata.TryGetProperty("labels", out var written) && written.ValueKind == JsonValueKind.Object)
        {
            foreach (var label in written.EnumerateObject().Where(label => label.Value.ValueKind == JsonValueKind.String))
            {
                labels[label.Name] = label.Value.GetString()!;
            }
        }

        labels.TryAdd(PodSegment.NameLabel, one.Name);
        return labels;
    }
}
