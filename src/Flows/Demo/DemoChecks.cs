using Flows.Core.Identity;
using Flows.Core.Map;

namespace Flows.Demo;

/// <summary>The claims of the demo, each about the part of the truth that was made to test it. A claim about nothing fails.</summary>
internal static class DemoChecks
{
    public static IReadOnlyList<DemoCheck> Of(IReadOnlyList<EdgePair> pairs) =>
    [
        Claim("service_vip_and_backend_on_one_edge", pairs, edge => edge.Service is not null,
            pair => pair.Seen.All(edge => edge.Service is not null && edge.Dst.Id != edge.Service.Id)),
        Claim("reused_address_by_time", pairs, edge => edge.Src.Name is FleetPlan.Report or FleetPlan.Audit),
        Claim("scanner_marked", pairs, edge => edge.Src.Name == FleetPlan.Toolbox,
            pair => pair.Seen.All(edge => edge.Answered == 0 && edge.Refused + edge.Unanswered == edge.Connections)),
        Claim("refused_marked", pairs, edge => edge.Refused > 0, pair => pair.Seen.Sum(edge => edge.Refused) == pair.True!.Refused),
        Claim("unanswered_marked", pairs, edge => edge.Unanswered > 0, pair => pair.Seen.Sum(edge => edge.Unanswered) == pair.True!.Unanswered),
        Claim("host_network_ambiguous", pairs, edge => edge.Src.Candidates.Count > 0 || edge.Dst.Candidates.Count > 0, pair => pair.Seen.All(edge =>
            edge.SrcResolvedBy == ResolvedBy.Ambiguous == pair.True!.Src.Candidates.Count > 0 && edge.DstResolvedBy == ResolvedBy.Ambiguous == pair.True.Dst.Candidates.Count > 0)),
        Claim("one_connection_two_nodes_counted_once", pairs, edge => edge.Connections.All(one => one.Nodes.Count >= 2),
            pair => pair.Seen.SelectMany(edge => edge.Nodes).ToHashSet().SetEquals(pair.True!.Connections.SelectMany(one => one.Nodes))),
        Claim("dns_over_udp", pairs, edge => edge.Protocol == "udp" && edge.Port == 53, pair => pair.Seen.Sum(edge => edge.Answered) == pair.True!.Answered),
        Claim("ipv6", pairs, edge => edge.Connections.Any(one => one.DstAddress.Contains(':', StringComparison.Ordinal))),
        Claim("external_unknown", pairs, edge => edge.Src.Kind == "unknown" || edge.Dst.Kind == "unknown",
            pair => pair.Seen.All(edge => (edge.Src.Kind == EntityKind.Unknown && edge.SrcResolvedBy == ResolvedBy.Unknown)
                || (edge.Dst.Kind == EntityKind.Unknown && edge.DstResolvedBy == ResolvedBy.Unknown))),
        Claim("vm", pairs, edge => edge.Src.Kind == "vm" || edge.Dst.Kind == "vm"),
        Claim("initiator_known", pairs, edge => edge.Answered > 0, pair => pair.Seen.All(edge => edge.DirectionTrusted == edge.Connections)),
        Claim("bytes_cover_payload", pairs, edge => edge.Answered > 0,
            pair => pair.Seen.Sum(edge => edge.FwdBytes) > pair.True!.Connections.Sum(one => one.Sent)
                && pair.Seen.Sum(edge => edge.RevBytes) > pair.True.Connections.Sum(one => one.Received)),
    ];

    /// <summary>All edges of the truth that the claim is about were observed, with the right number of connections, and hold the condition.</summary>
    private static DemoCheck Claim(string name, IReadOnlyList<EdgePair> pairs, Func<TruthEdge, bool> about, Func<EdgePair, bool>? holds = null)
    {
        var concerned = pairs.Where(pair => pair.True is not null && about(pair.True)).ToList();
        var wrong = concerned.Where(pair => !pair.Agrees || (holds is not null && !holds(pair))).ToList();
        var detail = concerned.Count == 0 ? "the run holds no such edge"
            : wrong.Count == 0 ? $"{concerned.Sum(pair => pair.True!.Connections.Count)} connections on {concerned.Count} edges"
            : $"{wrong.Count} of {concerned.Count} edges are wrong, first: {wrong[0].Text} ({Seen(wrong[0])})";
        return new DemoCheck(name, concerned.Count > 0 && wrong.Count == 0, detail);
    }

    private static string Seen(EdgePair pair) => pair.Seen.Count == 0
        ? "not observed"
        : string.Join("; ", pair.Seen.Select(edge =>
            $"{edge.Connections} connections: {edge.Answered} answered, {edge.Refused} refused, {edge.Unanswered} unanswered, "
            + $"seen on {string.Join('+', edge.Nodes)}, resolved {edge.SrcResolvedBy}/{edge.DstResolvedBy}"));
}
