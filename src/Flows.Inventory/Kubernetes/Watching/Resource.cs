using Flows.Inventory.Kubernetes.Reading;

namespace Flows.Inventory.Kubernetes.Watching;

/// <summary>Reads one object that lies whole in memory.</summary>
/// <exception cref="FormatException">It is not what the API documents.</exception>
internal delegate KubeObject ReadObject(ReadOnlySpan<byte> utf8, TextPool pool);

/// <summary>One resource that is listed and watched.</summary>
/// <param name="Kind">Which it is.</param>
/// <param name="Name">Plural name, as in paths and roles.</param>
/// <param name="Path">Path of the collection over all namespaces.</param>
/// <param name="Read">Reads one of it.</param>
/// <param name="MetadataOnly">Ask for metadata only.</param>
/// <param name="After">Whose first list should come first, so that what refers to them is stated right at once.</param>
internal sealed record Resource(ResourceKind Kind, string Name, string Path, ReadObject Read, bool MetadataOnly = false, params ResourceKind[] After)
{
    private static readonly ResourceKind[] Owners = [ResourceKind.Deployments, ResourceKind.StatefulSets, ResourceKind.DaemonSets, ResourceKind.ReplicaSets, ResourceKind.Jobs];

    /// <summary>All that is watched; <c>deploy/kustomize/base/server-rbac.yaml</c> grants exactly these.</summary>
    public static IReadOnlyList<Resource> All { get; } =
    [
        new(ResourceKind.Namespaces, "namespaces", "/api/v1/namespaces", DocumentReader.ReadNamespace),
        new(ResourceKind.Nodes, "nodes", "/api/v1/nodes", NodeReader.Read),
        new(ResourceKind.Deployments, "deployments", "/apis/apps/v1/deployments", OwnerReader.ReadDeployment),
        new(ResourceKind.StatefulSets, "statefulsets", "/apis/apps/v1/statefulsets", OwnerReader.ReadStatefulSet),
        new(ResourceKind.DaemonSets, "daemonsets", "/apis/apps/v1/daemonsets", OwnerReader.ReadDaemonSet),
        new(ResourceKind.ReplicaSets, "replicasets", "/apis/apps/v1/replicasets", OwnerReader.ReadOwner, MetadataOnly: true),
        new(ResourceKind.Jobs, "jobs", "/apis/batch/v1/jobs", OwnerReader.ReadOwner, MetadataOnly: true),
        new(ResourceKind.NetworkPolicies, "networkpolicies", "/apis/networking.k8s.io/v1/networkpolicies", DocumentReader.ReadNetworkPolicy),
        new(ResourceKind.Services, "services", "/api/v1/services", ServiceReader.Read),
        new(ResourceKind.Pods, "pods", "/api/v1/pods", PodReader.Read, After: Owners),
        new(ResourceKind.EndpointSlices, "endpointslices", "/apis/discovery.k8s.io/v1/endpointslices", SliceReader.Read, After: [ResourceKind.Services, ResourceKind.Pods]),
    ];

    /// <summary>The media types to accept, the best first: a server that cannot cut objects down sends them whole.</summary>
    public string Accept(bool list) => !MetadataOnly ? "application/json"
        : $"application/json;as=PartialObjectMetadata{(list ? "List" : "")};g=meta.k8s.io;v=v1, application/json";
}

/// <summary>The resources that are watched.</summary>
internal enum ResourceKind
{
    Namespaces,
    Nodes,
    Deployments,
    StatefulSets,
    DaemonSets,
    ReplicaSets,
    Jobs,
    NetworkPolicies,
    Services,
    Pods,
    EndpointSlices,
}
