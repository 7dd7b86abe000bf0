using Flows.Core.Map;

namespace Flows.Core.Policy;

/// <summary>The edges that concern a cluster, where several are seen.</summary>
public static class ClusterEdges
{
    /// <summary>Edges with an end in the cluster, and those whose ends belong to no cluster. All of them where none is named.</summary>
    public static IReadOnlyList<Edge> Of(IReadOnlyList<Edge> edges, string? cluster) => cluster is null ? edges : [.. edges.Where(edge => Concerns(edge, cluster))];

    private static bool Concerns(Edge edge, string cluster) =>
        edge.Src.Cluster == cluster || edge.Dst.Cluster == cluster || (edge.Src.Cluster.Length == 0 && edge.Dst.Cluster.Length == 0);
}
