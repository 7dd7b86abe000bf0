namespace Flows.Core.Map;

/// <summary>How coarse a map is.</summary>
public enum MapLevel : byte
{
    /// <summary>Every entity stands for itself.</summary>
    Pod = 0,

    /// <summary>Entities stand together under what owns them (Deployment, StatefulSet, systemd unit); without an owner for themselves.</summary>
    Workload = 1,

    /// <summary>As <see cref="Workload"/>, but a link ends at the service that was dialled, where one was.</summary>
    Service = 2,

    /// <summary>Entities stand together under their namespace; without one, as at <see cref="Workload"/>.</summary>
    Namespace = 3,
}

/// <summary>What a reader of the map should know before trusting a link or node.</summary>
[Flags]
public enum MapMarks
{
    None = 0,

    /// <summary>Every connection was refused.</summary>
    RefusedOnly = 1,

    /// <summary>No connection was ever answered. Not the same as denied.</summary>
    UnansweredOnly = 2,

    /// <summary>Some were refused, the others unanswered, none succeeded.</summary>
    FailedOnly = 4,

    /// <summary>No connection's direction rests on evidence that policy may trust: the arrow may point the wrong way.</summary>
    UntrustedDirection = 8,

    /// <summary>An end is one of several holders of its address.</summary>
    AmbiguousEnd = 16,

    /// <summary>An end is an address that nobody is known to have held.</summary>
    UnknownEnd = 32,

    /// <summary>The source looks like a scanner; see <see cref="Noise"/>.</summary>
    Scanner = 64,
}

/// <summary>A protocol and port that a link uses: as dialled at the service level, else as answered.</summary>
public sealed record MapPort(byte Protocol, ushort Port, long Connections);

/// <summary>Something on the map.</summary>
/// <param name="Key">Names the node in this graph: unique, stable from run to run, not for showing.</param>
/// <param name="Kind">pod, workload, service, namespace, node, vm, host, load_balancer, cidr, external, ambiguous or unknown.</param>
/// <param name="Label">What to show. Text of strangers: escape it where it goes.</param>
/// <param name="Cluster">Empty outside clusters.</param>
/// <param name="Scope">The address scope; for a node of several scopes the first.</param>
/// <param name="Namespace">Empty where there is none.</param>
/// <param name="Entities">Distinct entities that stand here.</param>
/// <param name="Addresses">Of unknown ends: the first <see cref="EdgeGraph.AddressesMax"/> addresses, sorted; else empty.</param>
/// <param name="AddressCount">Of unknown ends: all addresses.</param>
/// <param name="Flags"><see cref="MapMarks.AmbiguousEnd"/>, <see cref="MapMarks.UnknownEnd"/> and <see cref="MapMarks.Scanner"/>, where they hold of the node itself.</param>
public sealed record MapNode(
    string Key, string Kind, string Label, string Cluster, string Scope, string Namespace, int Entities,
    IReadOnlyList<string> Addresses, int AddressCount, MapMarks Flags);

/// <summary>Everything that one node of the map did to another. The sums over all links are the same at every level.</summary>
public sealed record MapLink
{
    public required MapNode From { get; init; }

    public required MapNode To { get; init; }

    /// <summary>Ordered by protocol and port.</summary>
    public required IReadOnlyList<MapPort> Ports { get; init; }

    public required long Connections { get; init; }

    public required long Answered { get; init; }

    public required long Refused { get; init; }

    public required long Unanswered { get; init; }

    public required long DirectionTrusted { get; init; }

    public required long FwdBytes { get; init; }

    public required long RevBytes { get; init; }

    public required long FwdPackets { get; init; }

    public required long RevPackets { get; init; }

    public required long FirstSeenUs { get; init; }

    public required long LastSeenUs { get; init; }

    /// <summary>Names of the cluster nodes or hosts that saw it, sorted.</summary>
    public required IReadOnlyList<string> Witnesses { get; init; }

    /// <summary>At the service level, where a service was dialled: the labels of those that answered for it, sorted. Else empty.</summary>
    public required IReadOnlyList<string> Backends { get; init; }

    public required MapMarks Flags { get; init; }
}

/// <summary>A map: nodes ordered by label and key, links by the order of their ends.</summary>
public sealed record MapGraph(MapLevel Level, IReadOnlyList<MapNode> Nodes, IReadOnlyList<MapLink> Links)
{
    /// <summary>The public name of a level, lower case.</summary>
    public static string TextOf(MapLevel level) => level switch
    {
        MapLevel.Pod => "pod",
        MapLevel.Workload => "workload",
        MapLevel.Service => "service",
        _ => "namespace",
    };

    /// <summary>The public names of the flags that are set, in the order of their declaration.</summary>
    public static IReadOnlyList<string> TextOf(MapMarks flags) => [.. FlagNames.Where(flag => flags.HasFlag(flag.Flag)).Select(flag => flag.Name)];

    private static readonly (MapMarks Flag, string Name)[] FlagNames =
    [
        (MapMarks.RefusedOnly, "refused_only"),
        (MapMarks.UnansweredOnly, "unanswered_only"),
        (MapMarks.FailedOnly, "failed_only"),
        (MapMarks.UntrustedDirection, "untrusted_direction"),
        (MapMarks.AmbiguousEnd, "ambiguous_end"),
        (MapMarks.UnknownEnd, "unknown_end"),
        (MapMarks.Scanner, "scanner"),
    ];
}
