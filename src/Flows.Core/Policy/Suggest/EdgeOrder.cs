using Flows.Core.Map;

namespace Flows.Core.Policy;

/// <summary>The one order in which policy lists edges, whatever order they came in.</summary>
internal static class EdgeOrder
{
    public static IReadOnlyList<Edge> Sorted(IEnumerable<Edge> edges) => [.. edges
        .OrderBy(edge => edge.Src.Namespace, StringComparer.Ordinal).ThenBy(edge => edge.Src.Name, StringComparer.Ordinal)
        .ThenBy(edge => edge.Dst.Namespace, StringComparer.Ordinal).ThenBy(edge => edge.Dst.Name, StringComparer.Ordinal)
        .ThenBy(edge => edge.Protocol).ThenBy(edge => edge.DstPort)
        .ThenBy(edge => edge.Src.Id).ThenBy(edge => edge.Dst.Id).ThenBy(edge => edge.Service?.Id).ThenBy(edge => edge.ServicePort)
        .ThenBy(edge => edge.FirstSeenUs).ThenBy(edge => edge.LastSeenUs).ThenBy(edge => edge.Connections)];

    /// <summary>The public name, as in the store's <c>resolved_by</c>.</summary>
#pragma warning disable CA1308 // The public names are lower case.
    public static string TextOf(ResolvedBy resolved) => resolved == ResolvedBy.AsOf ? "as_of" : resolved.ToString().ToLowerInvariant();
#pragma warning restore CA1308
}
