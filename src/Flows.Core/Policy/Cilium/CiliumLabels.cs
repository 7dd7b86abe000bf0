namespace Flows.Core.Policy;

/// <summary>How Cilium calls labels in selectors: with the source in front, and namespaces as labels of their pods.</summary>
internal static class CiliumLabels
{
    public const string Source = "k8s:";
    public const string AnySource = "any:";
    public const string Reserved = "reserved:";

    /// <summary>The namespace's name, as a label of the pod.</summary>
    public const string Namespace = "io.kubernetes.pod.namespace";

    /// <summary>In front of the labels of the namespace, as labels of the pod.</summary>
    public const string NamespaceLabels = "io.cilium.k8s.namespace.labels.";

    /// <summary>What Cilium knows of the cluster and the service account, which no segment has.</summary>
    public const string Policy = "io.cilium.k8s.policy.";

    public static string OfPod(string key) => Source + key;

    public static string OfNamespace(string key) => key == PodSegment.NameLabel ? Source + Namespace : Source + NamespaceLabels + key;
}
