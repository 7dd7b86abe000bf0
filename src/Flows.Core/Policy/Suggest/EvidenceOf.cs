using System.Collections.Concurrent;
using Flows.Core.Map;

namespace Flows.Core.Policy;

/// <summary>Sums up the edges behind a rule.</summary>
internal static class EvidenceOf
{
    private static readonly ConcurrentDictionary<int, IReadOnlyList<string>> Known = new();

    /// <param name="edges">Distinct, in the order of <see cref="EdgeOrder"/>; null comes out where there are none.</param>
    public static RuleEvidence? Edges(IReadOnlyList<Edge> edges) => edges.Count == 0 ? null : new RuleEvidence
    {
        FirstSeenUs = edges.Min(edge => edge.FirstSeenUs),
        LastSeenUs = edges.Max(edge => edge.LastSeenUs),
        Connections = edges.Sum(edge => edge.Connections),
        DistinctSources = edges.Select(edge => edge.Src.Id).Distinct().Count(),
        DistinctDestinations = edges.Select(edge => edge.Dst.Id).Distinct().Count(),
        Nodes = [.. edges.SelectMany(edge => edge.Nodes).Distinct().Order(StringComparer.Ordinal)],
        ResolvedBy = Words(edges),
        Hours = HourSet.Union(edges.Select(edge => edge.Hours).OfType<HourSet>()),
        Edges = edges,
    };

    /// <summary>How the ends were named: one of few sets, which nearly all rules share.</summary>
    private static IReadOnlyList<string> Words(IReadOnlyList<Edge> edges)
    {
        var bits = 0;
        foreach (var edge in edges)
        {
            bits |= (1 << (int)edge.SrcResolvedBy) | (1 << (int)edge.DstResolvedBy);
        }

        return Known.GetOrAdd(bits, set => [.. Enum.GetValues<ResolvedBy>().Where(by => (set >> (int)by & 1) != 0).Order().Select(EdgeOrder.TextOf)]);
    }
}
