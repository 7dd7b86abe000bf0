using System.Text.Json;

namespace Flows.Core.Policy;

/// <summary>One rule, and the connections behind it.</summary>
public sealed record RuleReasons(
    string Direction, int Index, IReadOnlyList<string> Peers, IReadOnlyList<string> Ports, RulePurpose Purpose, string? Reason, string? Widened, string? FirstSeen, string? LastSeen,
    long Connections, int DistinctSources, int DistinctDestinations, string HoursOfWeek, IReadOnlyList<string> Nodes, IReadOnlyList<string> ResolvedBy, int EdgesInAll,
    IReadOnlyList<EdgeEvidence> Edges)
{
    /// <param name="direction">The direction that the rule stands in.</param>
    /// <param name="index">Its place there.</param>
    /// <param name="rule">The rule; without evidence where it rests on nothing seen, such as the inside of a fence that was quiet.</param>
    /// <param name="edgesMost">How many edges are listed: a rule of a monitor stands on as many as the cluster has pods. The store has them all.</param>
    public static RuleReasons Of(Direction direction, int index, Rule rule, int edgesMost)
    {
        var evidence = rule.Evidence;
        return new(
            JsonNamingPolicy.SnakeCaseLower.ConvertName(direction.ToString()),
            index,
            [.. rule.Peers.Select(peer => peer.ToString())],
            [.. rule.Ports.Select(port => port.ToString())],
            rule.Purpose,
            rule.Reason,
            rule.Widened,
            evidence is null ? null : UnixTime.Text(evidence.FirstSeenUs),
            evidence is null ? null : UnixTime.Text(evidence.LastSeenUs),
            evidence?.Connections ?? 0,
            evidence?.DistinctSources ?? 0,
            evidence?.DistinctDestinations ?? 0,
            evidence is null ? "" : Periods.OfWeek(evidence.Hours),
            evidence?.Nodes ?? [],
            evidence?.ResolvedBy ?? [],
            evidence?.Edges.Count ?? 0,
            [.. (evidence?.Edges ?? []).Take(edgesMost).Select(EdgeEvidence.Of)]);
    }
}
