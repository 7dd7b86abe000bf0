using Flows.Core.Identity;

namespace Flows.Core.Policy;

/// <summary>Which segment: a workload, pod, service or group of a namespace; with an empty name the whole namespace; with an empty namespace a host.</summary>
internal readonly record struct SegmentKey(string Namespace, string Kind, string Workload) : IComparable<SegmentKey>
{
    private const string BarePod = "Pod";
    private const string HostKind = "Host";

    public bool IsNamespace => Workload.Length == 0;

    public bool IsHost => Namespace.Length == 0 && Kind == HostKind;

    /// <summary>The segment that a pod belongs to. A pod without an owner is a workload of its own.</summary>
    public static SegmentKey Of(Entity pod, SegmentLevel level) => level switch
    {
        SegmentLevel.Namespace or SegmentLevel.Boundary => OfNamespace(pod.Namespace),
        _ when pod.Workload.Length > 0 => new(pod.Namespace, pod.WorkloadKind, pod.Workload),
        _ => OfPod(pod),
    };

    public static SegmentKey OfNamespace(string name) => new(name, "", "");

    public static SegmentKey OfPod(Entity pod) => new(pod.Namespace, BarePod, pod.Name);

    public static SegmentKey OfService(Entity service) => new(service.Namespace, "Service", service.Name);

    /// <summary>Workloads that only labels in common pick.</summary>
    public static SegmentKey OfGroup(string inNamespace, LabelSelector labels) => new(inNamespace, "Group", labels.Text);

    public static SegmentKey OfHost(string name) => new("", HostKind, name);

    /// <summary>An entity as a person calls it at this level.</summary>
    public static string TextOf(Entity entity, SegmentLevel level) => entity.Kind == EntityKind.Pod
        ? Of(entity, level).ToString()
        : entity.Namespace.Length > 0 ? $"{entity.Namespace}/{entity.Name}" : entity.Name;

    public bool Equals(SegmentKey other) => Workload == other.Workload && Namespace == other.Namespace && Kind == other.Kind;

    /// <summary>Without the kind, which hardly ever tells two apart.</summary>
    public override int GetHashCode() => HashCode.Combine(Namespace, Workload);

    public int CompareTo(SegmentKey other)
    {
        var byNamespace = string.CompareOrdinal(Namespace, other.Namespace);
        var byWorkload = byNamespace != 0 ? byNamespace : string.CompareOrdinal(Workload, other.Workload);
        return byWorkload != 0 ? byWorkload : string.CompareOrdinal(Kind, other.Kind);
    }

    public override string ToString() => IsNamespace ? Namespace : Namespace.Length == 0 ? Workload : $"{Namespace}/{Workload}";
}
