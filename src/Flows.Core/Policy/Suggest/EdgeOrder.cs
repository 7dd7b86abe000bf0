using Flows.Core.Map;

namespace Flows.Core.Policy;

/// <summary>The one order in which policy lists edges, whatever order they came in.</summary>
internal static class EdgeOrder
{
    public static IReadOnlyList<Edge> Sorted(IEnumerable<Edge> edges)
    {
        Edge[] sorted = [.. edges];
        Array.Sort(sorted, Compare);
        return sorted;
    }

    private static int Compare(Edge a, Edge b)
    {
        if (Compare(a.Src, b.Src) is var bySrc and not 0)
        {
            return bySrc;
        }

        if (Compare(a.Dst, b.Dst) is var byDst and not 0)
        {
            return byDst;
        }

        var byWords = (a.Protocol, a.DstPort, a.Src.Id, a.Dst.Id, a.Service?.Id ?? 0, a.ServicePort ?? 0, (a.FirstSeenUs, a.LastSeenUs, a.Connections))
            .CompareTo((b.Protocol, b.DstPort, b.Src.Id, b.Dst.Id, b.Service?.Id ?? 0, b.ServicePort ?? 0, (b.FirstSeenUs, b.LastSeenUs, b.Connections)));
        return byWords != 0 || ReferenceEquals(a, b) ? byWords
            : a.Answered != b.Answered ? a.Answered.CompareTo(b.Answered)
            : string.CompareOrdinal(string.Join('\n', a.Nodes), string.Join('\n', b.Nodes));
    }

    private static int Compare(Identity.Entity a, Identity.Entity b) => ReferenceEquals(a, b) ? 0
        : string.CompareOrdinal(a.Namespace, b.Namespace) is var byNamespace and not 0 ? byNamespace
        : string.CompareOrdinal(a.Name, b.Name);

    /// <summary>The public name, as in the store's <c>resolved_by</c>.</summary>
#pragma warning disable CA1308 // The public names are lower case.
    public static string TextOf(ResolvedBy resolved) => resolved == ResolvedBy.AsOf ? "as_of" : resolved.ToString().ToLowerInvariant();
#pragma warning restore CA1308
}
