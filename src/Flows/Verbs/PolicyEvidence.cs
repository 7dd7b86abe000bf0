using System.Text.Json;
using Flows.Core;
using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.Core.Map;
using Flows.Core.Policy;

namespace Flows.Verbs;

/// <summary>Why the rules of a policy are there, as <c>evidence.json</c> tells it.</summary>
/// <param name="File">Where the policy itself is.</param>
internal sealed record PolicyEvidence(string File, string Pods, IReadOnlyList<RuleReasons> Rules)
{
    public static PolicyEvidence Of(SegmentPolicy policy) =>
        new(PolicyFiles.NameOf(policy), policy.Pods.Text, [.. policy.AllRules().Select(rule => RuleReasons.Of(rule.Direction, rule.Index, rule.Rule, rule.Rule.Evidence))]);
}

/// <summary>One rule, and the connections behind it.</summary>
internal sealed record RuleReasons(
    string Direction, int Index, IReadOnlyList<string> Peers, IReadOnlyList<string> Ports, RulePurpose Purpose, string? Reason, string? Widened, string? FirstSeen, string? LastSeen,
    long Connections, int DistinctSources, int DistinctDestinations, string HoursOfWeek, IReadOnlyList<string> Nodes, IReadOnlyList<string> ResolvedBy, int EdgesInAll,
    IReadOnlyList<EdgeEvidence> Edges)
{
    // A rule of a monitor stands on as many edges as the cluster has pods. The store has them all.
    private const int EdgesMost = 200;

    /// <param name="evidence">Null for a rule that rests on nothing seen, such as the inside of a fence that was quiet.</param>
    public static RuleReasons Of(Direction direction, int index, Rule rule, RuleEvidence? evidence) => new(
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
        [.. (evidence?.Edges ?? []).Take(EdgesMost).Select(EdgeEvidence.Of)]);
}

/// <summary>An edge as evidence.</summary>
internal sealed record EdgeEvidence(
    string Src, string SrcKind, string SrcWorkload, ResolvedBy SrcResolvedBy, string Dst, string DstKind, string DstWorkload, ResolvedBy DstResolvedBy,
    string? Service, ushort? ServicePort, string Protocol, ushort DstPort, long Connections, long Answered, string FirstSeen, string LastSeen, IReadOnlyList<string> Nodes)
{
    public static EdgeEvidence Of(Edge edge) => new(
        PolicyFiles.Called(edge.Src),
        Entity.TextOf(edge.Src.Kind),
        edge.Src.Workload,
        edge.SrcResolvedBy,
        PolicyFiles.Called(edge.Dst),
        Entity.TextOf(edge.Dst.Kind),
        edge.Dst.Workload,
        edge.DstResolvedBy,
        edge.Service is { } service ? PolicyFiles.Called(service) : null,
        edge.ServicePort,
        IpProtocol.NameOf(edge.Protocol),
        edge.DstPort,
        edge.Connections,
        edge.Answered,
        UnixTime.Text(edge.FirstSeenUs),
        UnixTime.Text(edge.LastSeenUs),
        edge.Nodes);
}

/// <summary>Something for review, as <c>review.json</c> tells it.</summary>
internal sealed record ReviewEntry(
    ReviewReason Reason, string Src, string Dst, string Protocol, ushort? Port, long Connections, string? FirstSeen, string? LastSeen, IReadOnlyList<string> Nodes, string Detail)
{
    public static ReviewEntry Of(ReviewItem item) => new(
        item.Reason,
        item.Src,
        item.Dst,
        item.Protocol,
        item.Port,
        item.Connections,
        item.FirstSeenUs is { } first ? UnixTime.Text(first) : null,
        item.LastSeenUs is { } last ? UnixTime.Text(last) : null,
        item.Nodes,
        item.Detail);
}

/// <summary>How far a segment is known, as <c>readiness.json</c> tells it.</summary>
internal sealed record ReadinessEntry(
    string Segment, ReadinessState State, string Why, int Edges, string LastNew, UnseenEstimate UnseenNextConnection, UnseenEstimate UnseenNextHour,
    IReadOnlyList<string> PeriodsNotSeen, IReadOnlyList<string> Losses)
{
    public static ReadinessEntry Of(SegmentReadiness ready) => new(
        ready.Segment, ready.State, ready.Why, ready.Edges, UnixTime.Text(ready.LastNewUs), ready.NextConnection, ready.NextHour, ready.PeriodsNotSeen, ready.Losses);
}
