namespace Flows.Core.Policy;

/// <summary>Reads what every Kubernetes object says about itself, as strictly as apimachinery's ValidateObjectMeta.</summary>
internal static class ObjectNames
{
    private static readonly string[] Fields =
    [
        "name", "generateName", "namespace", "selfLink", "uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds",
        "labels", "annotations", "ownerReferences", "finalizers", "managedFields",
    ];

    /// <summary>Name and namespace of a namespaced object.</summary>
    public static (string Namespace, string Name) Namespaced(YamlField document, string defaultNamespace)
    {
        var (metadata, name) = Name(document);
        var spaced = metadata.Find("namespace");
        var inNamespace = spaced?.Text() ?? defaultNamespace;
        return KubernetesGrammar.IsDnsLabel(inNamespace) ? (inNamespace, name) : throw spaced!.Fault($"'{inNamespace}' is not a valid namespace");
    }

    /// <summary>Name of an object of the whole cluster.</summary>
    public static string OfCluster(YamlField document)
    {
        var (metadata, name) = Name(document);
        return metadata.Find("namespace") is not { } spaced || spaced.Text().Length == 0 ? name : throw spaced.Fault("is not for objects of the whole cluster");
    }

    private static (YamlField Metadata, string Name) Name(YamlField document)
    {
        var metadata = document.Find("metadata") ?? throw document.Fault("has no metadata");
        var fields = metadata.Fields(Fields);
        CheckLabels(fields.GetValueOrDefault("labels"));
        CheckAnnotations(fields.GetValueOrDefault("annotations"));
        var named = fields.GetValueOrDefault("name") ?? throw metadata.Fault("has no name");
        return KubernetesGrammar.IsDnsSubdomain(named.Text()) ? (metadata, named.Text()) : throw named.Fault($"'{named.Text()}' is not a valid name");
    }

    private static void CheckLabels(YamlField? labels)
    {
        foreach (var (key, value) in Given(labels))
        {
            _ = KubernetesPeers.LabelKey(key, value);
            _ = KubernetesPeers.LabelValue(value);
        }
    }

    /// <summary>A value that is null counts as empty, which is legal.</summary>
    private static IEnumerable<KeyValuePair<string, YamlField>> Given(YamlField? map) => (map?.Entries() ?? new Dictionary<string, YamlField>()).Where(entry => !entry.Value.IsNull);

    /// <summary>Keys may be of upper case too, and values are free.</summary>
    private static void CheckAnnotations(YamlField? annotations)
    {
        foreach (var (key, value) in Given(annotations))
        {
            _ = value.Text();
            var slash = key.IndexOf('/', StringComparison.Ordinal);
#pragma warning disable CA1308 // So the API does it.
            _ = KubernetesPeers.LabelKey(slash < 0 ? key : key[..slash].ToLowerInvariant() + key[slash..], value);
#pragma warning restore CA1308
        }
    }
}
