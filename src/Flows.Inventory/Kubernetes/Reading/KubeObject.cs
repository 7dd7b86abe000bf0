using Flows.Core;
using Flows.Core.Identity;
using Flows.Core.Facts;

namespace Flows.Inventory.Kubernetes.Reading;

/// <summary>What is kept of <c>metadata</c>.</summary>
internal sealed class ObjectMeta
{
    public string Name { get; set; } = "";

    public string Namespace { get; set; } = "";

    public string Uid { get; set; } = "";

    public LabelDictionary Labels { get; set; } = LabelDictionary.Empty;

    /// <summary>Only those that <see cref="MetaReader"/> knows.</summary>
    public LabelDictionary Annotations { get; set; } = LabelDictionary.Empty;

    /// <summary>µs; the API writes whole seconds.</summary>
    public long? CreatedUs { get; set; }

    /// <summary>Opaque: it may be handed back and compared for being the same, nothing else.</summary>
    public string ResourceVersion { get; set; } = "";

    /// <summary>A deletion was asked for. It is never taken back.</summary>
    public bool Deleting { get; set; }

    /// <summary>The owner that manages it.</summary>
    public OwnerRef? Owner { get; set; }
}

/// <summary>The managing one of <c>metadata.ownerReferences</c>.</summary>
/// <param name="Kind">Its kind.</param>
/// <param name="Name">Its name.</param>
/// <param name="UidHash"><see cref="Hash"/> of its uid, of which there are as many as ReplicaSets; 0 where it is not known.</param>
internal sealed record OwnerRef(string Kind, string Name, ulong UidHash)
{
    public static ulong Hash(string uid) => uid.Length == 0 ? 0 : StableId.Of("uid", uid);
}

/// <summary>An object of the cluster, cut down to what the ledger asks about.</summary>
internal abstract record KubeObject(ObjectMeta Meta);

/// <summary>v1/Pod.</summary>
internal sealed record PodObject(ObjectMeta Meta) : KubeObject(Meta)
{
    public string Node { get; set; } = "";

    public bool HostNetwork { get; set; }

    /// <summary>See <see cref="Entity.Ports"/>.</summary>
    public LabelDictionary Ports { get; set; } = LabelDictionary.Empty;

    /// <summary>Empty where the object does not say.</summary>
    public string RestartPolicy { get; set; } = "";

    public string Phase { get; set; } = "";

    /// <summary>When the kubelet took it up, µs in whole seconds.</summary>
    public long? StartedUs { get; set; }

    public IReadOnlyList<NetAddress> Addresses { get; set; } = [];

    /// <summary>All of its main containers are reported, and none of any sort runs or waits.</summary>
    public bool AllTerminated { get; set; }

    /// <summary>The end of its last container, µs in whole seconds.</summary>
    public long? FinishedUs { get; set; }

    /// <summary>The last change of any condition, µs in whole seconds.</summary>
    public long? LastConditionUs { get; set; }
}

/// <summary>v1/Node.</summary>
internal sealed record NodeObject(ObjectMeta Meta) : KubeObject(Meta)
{
    /// <summary>Its own, tunnel and bridge addresses.</summary>
    public IReadOnlyList<NetAddress> Addresses { get; init; } = [];
}

/// <summary>v1/Service.</summary>
internal sealed record ServiceObject(ObjectMeta Meta) : KubeObject(Meta)
{
    /// <summary>Cluster, load balancer and external addresses; none for headless and external names.</summary>
    public IReadOnlyList<NetAddress> Addresses { get; init; } = [];

    public LabelDictionary Selector { get; init; } = LabelDictionary.Empty;

    public IReadOnlyList<PortOfService> Ports { get; init; } = [];

    /// <summary>The object as JSON, where it has no address of its own by which it could be known.</summary>
    public string Json { get; init; } = "";
}

/// <summary>One of <c>spec.ports</c>.</summary>
internal readonly record struct PortOfService(byte Protocol, ushort Port, string Name, string TargetPort, ushort NodePort);

/// <summary>discovery.k8s.io/v1/EndpointSlice.</summary>
internal sealed record SliceObject(ObjectMeta Meta) : KubeObject(Meta)
{
    /// <summary>The service's name in the slice's namespace; empty where the slice belongs to none.</summary>
    public string Service { get; init; } = "";

    public IReadOnlyList<Endpoint> Endpoints { get; init; } = [];

    public IReadOnlyList<PortOfSlice> Ports { get; init; } = [];
}

/// <summary>One of <c>ports</c>; those without a number (all ports) are left out.</summary>
internal readonly record struct PortOfSlice(byte Protocol, ushort Port, string Name);

/// <summary>One address of one of <c>endpoints</c>.</summary>
/// <param name="Address">Where it listens.</param>
/// <param name="TargetUid">The pod; empty for none.</param>
/// <param name="Ready">Takes traffic. Unknown counts as ready, as the API says.</param>
/// <param name="Serving">As ready, but also while terminating. Unknown: as ready.</param>
/// <param name="Terminating">Is going away.</param>
internal readonly record struct Endpoint(NetAddress Address, string TargetUid, bool Ready, bool Serving, bool Terminating);

/// <summary>apps/v1/ReplicaSet or batch/v1/Job, of which the metadata tells all: who owns it.</summary>
internal sealed record OwnerObject(ObjectMeta Meta) : KubeObject(Meta);

/// <summary>apps/v1/Deployment, StatefulSet or DaemonSet: whom it selects.</summary>
internal sealed record WorkloadObject(ObjectMeta Meta, string Kind) : KubeObject(Meta)
{
    /// <summary><c>spec.selector.matchLabels</c>.</summary>
    public LabelDictionary Selector { get; init; } = LabelDictionary.Empty;
}

/// <summary>v1/Namespace or networking.k8s.io/v1/NetworkPolicy, kept as JSON.</summary>
/// <param name="Meta">Its metadata.</param>
/// <param name="Kind"><c>apiVersion/kind</c>.</param>
/// <param name="Json">The object without status and what changes without meaning.</param>
internal sealed record DocumentObject(ObjectMeta Meta, string Kind, string Json) : KubeObject(Meta);
