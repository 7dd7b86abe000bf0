using Flows.Core.Identity;

namespace Flows.Core.Policy;

/// <summary>Which segment of pods: a workload of a namespace, or with empty kind and name the whole namespace.</summary>
internal readonly record struct SegmentKey(string Namespace, string Kind, string Workload) : IComparable<SegmentKey>
{
    private const string BarePod = "Pod";

    public bool IsNamespace => Workload.Length == 0;

    /// <summary>The segment that a pod belongs to. A pod without an owner is a workload of its own.</summary>
    public static SegmentKey Of(Entity pod, SegmentLevel level) => level switch
    {
        SegmentLevel.Namespace => new(pod.Namespace, "", ""),
        _ when pod.Workload.Length > 0 => new(pod.Namespace, pod.WorkloadKind, pod.Workload),
        _ => new(pod.Namespace, BarePod, pod.Name),
    };

    /// <summary>An entity as a person calls it at this level.</summary>
    public static string TextOf(Entity entity, SegmentLevel level) => entity.Kind == EntityKind.Pod
        ? Of(entity, level).ToString()
        : entity.Namespace.Length > 0 ? $"{entity.Namespace}/{entity.Name}" : entity.Name;

    public int CompareTo(SegmentKey other)
    {
        var byNamespace = string.CompareOrdinal(Namespace, other.Namespace);
        var byWorkload = byNamespace != 0 ? byNamespace : string.CompareOrdinal(Workload, other.Workload);
        return byWorkload != 0 ? byWorkload : string.CompareOrdinal(Kind, other.Kind);
    }

    public override string ToString() => IsNamespace ? Namespace : $"{Namespace}/{Workload}";
}
