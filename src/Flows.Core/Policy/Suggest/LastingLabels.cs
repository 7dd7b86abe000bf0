namespace Flows.Core.Policy;

/// <summary>Which labels may stand in a selector, and which say best who a pod is.</summary>
internal static class LastingLabels
{
    // Labels that change with a roll-out, a pod or a place. What differs between the pods that we know is found from the data; this list is
    // for workloads of which only one pod was ever seen.
    private static readonly string[] VolatileKeys =
    [
        "pod-template-hash", "rollouts-pod-template-hash", "controller-revision-hash", "pod-template-generation", PodName,
        "apps.kubernetes.io/pod-index", "job-name", "controller-uid", "helm.sh/chart", "service.istio.io/canonical-revision",
    ];

    private static readonly string[] VolatilePrefixes = ["batch.kubernetes.io/", "topology.kubernetes.io/", "security.istio.io/"];

    private static readonly string[] Telling =
    [
        "app.kubernetes.io/name", "app", "k8s-app", "app.kubernetes.io/instance", "app.kubernetes.io/component", "name", "run", "component", "role", "tier",
    ];

    /// <summary>The label with which a StatefulSet names each of its pods: volatile for the workload, the very name of the pod.</summary>
    public const string PodName = "statefulset.kubernetes.io/pod-name";

    public static bool Usable(KeyValuePair<string, string> label) => KubernetesGrammar.IsLabelKey(label.Key) && KubernetesGrammar.IsLabelValue(label.Value) && !IsVolatile(label.Key);

    /// <summary>The place in the order of preference, best first.</summary>
    public static int Rank(string key) => Array.IndexOf(Telling, key) is var at and >= 0 ? at : Telling.Length;

    private static bool IsVolatile(string key) => VolatileKeys.Contains(key, StringComparer.Ordinal)
        || VolatilePrefixes.Any(prefix => key.StartsWith(prefix, StringComparison.Ordinal))
        || key.Contains("version", StringComparison.OrdinalIgnoreCase);
}
