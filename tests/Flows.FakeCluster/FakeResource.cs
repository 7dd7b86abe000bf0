namespace Flows.FakeCluster;

/// <summary>A resource that the fake API server serves, as real ones name it.</summary>
/// <param name="Name">Plural name.</param>
/// <param name="ApiVersion">Group and version.</param>
/// <param name="Kind">Kind of one.</param>
public sealed record FakeResource(string Name, string ApiVersion, string Kind)
{
    public static readonly FakeResource Pods = new("pods", "v1", "Pod");
    public static readonly FakeResource Services = new("services", "v1", "Service");
    public static readonly FakeResource Nodes = new("nodes", "v1", "Node");
    public static readonly FakeResource Namespaces = new("namespaces", "v1", "Namespace");
    public static readonly FakeResource EndpointSlices = new("endpointslices", "discovery.k8s.io/v1", "EndpointSlice");
    public static readonly FakeResource NetworkPolicies = new("networkpolicies", "networking.k8s.io/v1", "NetworkPolicy");
    public static readonly FakeResource ReplicaSets = new("replicasets", "apps/v1", "ReplicaSet");
    public static readonly FakeResource Deployments = new("deployments", "apps/v1", "Deployment");
    public static readonly FakeResource StatefulSets = new("statefulsets", "apps/v1", "StatefulSet");
    public static readonly FakeResource DaemonSets = new("daemonsets", "apps/v1", "DaemonSet");
    public static readonly FakeResource Jobs = new("jobs", "batch/v1", "Job");

    public static IReadOnlyList<FakeResource> All { get; } =
        [Pods, Services, Nodes, Namespaces, EndpointSlices, NetworkPolicies, ReplicaSets, Deployments, StatefulSets, DaemonSets, Jobs];

    /// <summary>Path of the collection over all namespaces.</summary>
    public string Path => ApiVersion == "v1" ? $"/api/v1/{Name}" : $"/apis/{ApiVersion}/{Name}";
}
