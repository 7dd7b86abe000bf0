namespace Flows.Core.Policy;

/// <summary>How coarse the segments of a suggestion are.</summary>
public enum SegmentLevel
{
    /// <summary>One policy for each Deployment, StatefulSet, DaemonSet, bare pod, ...</summary>
    Workload,

    /// <summary>One policy for each namespace.</summary>
    Namespace,

    /// <summary>One policy for each pod whose name lasts: those of a StatefulSet, and those without an owner.</summary>
    Pod,

    /// <summary>One policy for whatever answers behind a service; workloads without one stay workloads.</summary>
    Service,

    /// <summary>One policy for each node, VM and machine; pods get none.</summary>
    Host,

    /// <summary>Who may cross the cluster's border; inside everything may talk.</summary>
    Boundary,

    /// <summary>Workloads; where no labels pick one alone, the fewest that can be picked together; and hosts, where the target has them.</summary>
    Auto,
}
