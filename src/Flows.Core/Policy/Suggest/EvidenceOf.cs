using Flows.Core.Map;

namespace Flows.Core.Policy;

/// <summary>Sums up the edges behind a rule.</summary>
internal static class EvidenceOf
{
    /// <param name="edges">Distinct, in the order of <see cref="EdgeOrder"/>; null comes out where there are none.</param>
    public static RuleEvidence? Edges(IReadOnlyList<Edge> edges) => edges.Count == 0 ? null : new RuleEvidence
    {
        FirstSeenUs = edges.Min(edge => edge.FirstSeenUs),
        LastSeenUs = edges.Max(edge => edge.LastSeenUs),
        Connections = edges.Sum(edge => edge.Connections),
        DistinctSources = edges.Select(edge => edge.Src.Id).Distinct().Count(),
        DistinctDestinations = edges.Select(edge => edge.Dst.Id).Distinct().Count(),
        Nodes = [.. edges.SelectMany(edge => edge.Nodes).Distinct().Order(StringComparer.Ordinal)],
        ResolvedBy = [.. edges.SelectMany(edge => (ResolvedBy[])[edge.SrcResolvedBy, edge.DstResolvedBy]).Distinct().Order().Select(EdgeOrder.TextOf)],
        Hours = HourSet.Union(edges.Select(edge => edge.Hours).OfType<HourSet>()),
        Edges = edges,
    };
}
