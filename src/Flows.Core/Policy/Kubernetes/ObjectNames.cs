namespace Flows.Core.Policy;

/// <summary>Reads what every Kubernetes object says about itself.</summary>
internal static class ObjectNames
{
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
        _ = metadata.Entries();
        var named = metadata.Find("name") ?? throw metadata.Fault("has no name");
        return KubernetesGrammar.IsDnsSubdomain(named.Text()) ? (metadata, named.Text()) : throw named.Fault($"'{named.Text()}' is not a valid name");
    }
}
