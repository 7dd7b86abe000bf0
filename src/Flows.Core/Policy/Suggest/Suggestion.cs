namespace Flows.Core.Policy;

/// <summary>Why something needs a person's eye instead of, or beside, a rule.</summary>
public enum ReviewReason
{
    /// <summary>The source tries many ports and most fail.</summary>
    Scanner,
    Refused,
    Unanswered,

    /// <summary>No node of its ends confirms it.</summary>
    Uncorroborated,

    /// <summary>One node alone tells more than its pods explain.</summary>
    Flood,

    /// <summary>A pod without an owner was there for an hour at most.</summary>
    OneOff,

    /// <summary>The workload is no more.</summary>
    Gone,

    /// <summary>Answered, but nobody knows who initiated.</summary>
    UntrustedDirection,

    /// <summary>Several entities claimed the address at the time.</summary>
    Ambiguous,

    /// <summary>From a node's address, and the node does not vouch for it: whoever it was stands behind the node's masquerade.</summary>
    BehindNode,

    /// <summary>Only the service's address was seen, not who answered.</summary>
    ServiceAddress,

    /// <summary>Nobody is known to have held the address, yet it lies in the cluster's ranges.</summary>
    UnknownInCluster,

    /// <summary>No address is known that a rule could name.</summary>
    NoAddress,
    OtherCluster,

    /// <summary>Not TCP, UDP or SCTP, or port 0.</summary>
    Protocol,

    /// <summary>An entity with itself.</summary>
    Loopback,

    /// <summary>Between a pod and its own node, which Kubernetes always allows.</summary>
    OwnNode,

    /// <summary>A name that Kubernetes would refuse.</summary>
    InvalidName,

    /// <summary>Runs in the node's network, where no pod policy reaches.</summary>
    HostNetwork,

    /// <summary>No labels pick exactly this workload.</summary>
    Selector,

    /// <summary>A coarser segment than was asked for, since none of the wanted kind can be picked.</summary>
    LevelRaised,

    /// <summary>A rule allows more than was seen.</summary>
    Widened,

    /// <summary>More unknown addresses than the limit, all listed because the cluster's ranges are not known.</summary>
    ManyAddresses,

    /// <summary>Only the other direction was seen; this one stays open.</summary>
    DirectionNotObserved,

    /// <summary>Only the other direction was seen for so long that this one was closed.</summary>
    DirectionClosed,

    /// <summary>Known, but nothing was seen of it.</summary>
    NotObserved,
}

/// <summary>Something that was left out of the rules, or that a person should check in them. Never dropped silently.</summary>
public sealed record ReviewItem
{
    public required ReviewReason Reason { get; init; }

    /// <summary>The source, or the segment that the item is about.</summary>
    public required string Src { get; init; }

    public string Dst { get; init; } = "";

    public string Protocol { get; init; } = "";

    public ushort? Port { get; init; }

    public long Connections { get; init; }

    public long? FirstSeenUs { get; init; }

    public long? LastSeenUs { get; init; }

    public IReadOnlyList<string> Nodes { get; init; } = [];

    /// <summary>One sentence.</summary>
    public required string Detail { get; init; }

    /// <summary>About a segment as a whole.</summary>
    internal static ReviewItem About(SegmentKey segment, ReviewReason reason, string detail) => new() { Reason = reason, Src = segment.ToString(), Detail = detail };

    /// <summary>Joins items that differ only in pods of the same workloads, and sorts.</summary>
    public static IReadOnlyList<ReviewItem> Merge(IEnumerable<ReviewItem> items) => [.. items
        .GroupBy(item => (item.Reason, item.Src, item.Dst, item.Protocol, item.Port, item.Detail))
        .Select(same => same.First() with
        {
            Connections = same.Sum(item => item.Connections),
            FirstSeenUs = same.Min(item => item.FirstSeenUs),
            LastSeenUs = same.Max(item => item.LastSeenUs),
            Nodes = [.. same.SelectMany(item => item.Nodes).Distinct().Order(StringComparer.Ordinal)],
        })
        .OrderBy(item => item.Reason).ThenBy(item => item.Src, StringComparer.Ordinal).ThenBy(item => item.Dst, StringComparer.Ordinal)
        .ThenBy(item => item.Protocol, StringComparer.Ordinal).ThenBy(item => item.Port).ThenBy(item => item.Detail, StringComparer.Ordinal)];
}

/// <summary>Policies with their evidence, and what was kept out of them.</summary>
public sealed record Suggestion(PolicySet Set, IReadOnlyList<ReviewItem> Review)
{
    /// <summary>How far each segment is known, ordered by segment.</summary>
    public IReadOnlyList<SegmentReadiness> Readiness { get; init; } = [];

    /// <summary>What must not be overlooked: evidence that looks made up.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>What told the edges that somebody needs from all others; null where this was not derived.</summary>
    internal EdgeSieve? Sieve { get; init; }
}
