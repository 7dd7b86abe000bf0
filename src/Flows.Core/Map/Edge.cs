using Flows.Core.Identity;

namespace Flows.Core.Map;

/// <summary>How well an end of an edge is known.</summary>
public enum ResolvedBy : byte
{
    Unknown = 0,

    /// <summary>The ledger named exactly one holder of the address at the time.</summary>
    AsOf = 1,

    /// <summary>As <see cref="AsOf"/>, but learned after the edge was first rolled up.</summary>
    Late = 2,

    /// <summary>Several holders claimed the address at the time.</summary>
    Ambiguous = 3,

    /// <summary>The socket's owner on the node.</summary>
    Owner = 4,

    /// <summary>An observed DNS name.</summary>
    Name = 5,

    /// <summary>A catalogued range.</summary>
    Cidr = 6,
}

/// <summary>
/// Who talked to whom, summed over a span of time: one row for source, answering destination, service, protocol and ports.
/// A connection that several nodes saw counts once; its bytes are the larger of the witnesses' counts.
/// </summary>
public sealed record Edge
{
    public required Entity Src { get; init; }

    /// <summary>Who answered: the backend, not the VIP.</summary>
    public required Entity Dst { get; init; }

    /// <summary>The service that was dialled, where it is not <see cref="Dst"/> itself.</summary>
    public Entity? Service { get; init; }

    public required ResolvedBy SrcResolvedBy { get; init; }

    public required ResolvedBy DstResolvedBy { get; init; }

    /// <summary>IP protocol number.</summary>
    public required byte Protocol { get; init; }

    /// <summary>The port that answered, after DNAT.</summary>
    public required ushort DstPort { get; init; }

    /// <summary>The dialled port, where a service was dialled.</summary>
    public ushort? ServicePort { get; init; }

    /// <summary>Distinct connections that began in the span.</summary>
    public required long Connections { get; init; }

    /// <summary>Of these: answered (established, closed or reset afterwards; a reply for UDP and ICMP).</summary>
    public long Answered { get; init; }

    public long Refused { get; init; }

    public long Unanswered { get; init; }

    /// <summary>Connections whose direction policy may trust.</summary>
    public long DirectionTrusted { get; init; }

    /// <summary>Connections from a node's address for which the node does not vouch: anybody may stand behind its masquerade.</summary>
    public long SnatUnresolved { get; init; }

    public long FwdBytes { get; init; }

    public long RevBytes { get; init; }

    public long FwdPackets { get; init; }

    public long RevPackets { get; init; }

    public required long FirstSeenUs { get; init; }

    public required long LastSeenUs { get; init; }

    /// <summary>Names of the nodes that saw it, sorted.</summary>
    public IReadOnlyList<string> Nodes { get; init; } = [];

    /// <summary>The hours in which connections began; null where only <see cref="FirstSeenUs"/> and <see cref="LastSeenUs"/> are known.</summary>
    public HourSet? Hours { get; init; }

    /// <summary>Parts of one edge together, such as those of different times; never none. The ends are the first part's.</summary>
    public static Edge Sum(IReadOnlyList<Edge> parts) => parts.Count == 1 ? parts[0] : parts[0] with
    {
        SrcResolvedBy = parts.Max(part => part.SrcResolvedBy),
        DstResolvedBy = parts.Max(part => part.DstResolvedBy),
        Connections = parts.Sum(part => part.Connections),
        Answered = parts.Sum(part => part.Answered),
        Refused = parts.Sum(part => part.Refused),
        Unanswered = parts.Sum(part => part.Unanswered),
        DirectionTrusted = parts.Sum(part => part.DirectionTrusted),
        SnatUnresolved = parts.Sum(part => part.SnatUnresolved),
        FwdBytes = parts.Sum(part => part.FwdBytes),
        RevBytes = parts.Sum(part => part.RevBytes),
        FwdPackets = parts.Sum(part => part.FwdPackets),
        RevPackets = parts.Sum(part => part.RevPackets),
        FirstSeenUs = parts.Min(part => part.FirstSeenUs),
        LastSeenUs = parts.Max(part => part.LastSeenUs),
        Nodes = [.. parts.SelectMany(part => part.Nodes).Distinct().Order(StringComparer.Ordinal)],
        Hours = parts.Any(part => part.Hours is null) ? null : HourSet.Union(parts.Select(part => part.Hours!)),
    };
}
