using Flows.Core.Identity;
using Flows.Core.Map;

namespace Flows.Core.Policy;

/// <summary>Who stands at the ends of edges; an object that comes many times counts once.</summary>
internal static class Ends
{
    public static IReadOnlyCollection<Entity> Of(IReadOnlyList<Edge> edges) => Add(new(ReferenceEqualityComparer.Instance), edges);

    /// <summary>Everybody whom the ledger or an edge names.</summary>
    public static IReadOnlyCollection<Entity> Of(PolicyInput input)
    {
        HashSet<Entity> all = new(ReferenceEqualityComparer.Instance);
        all.UnionWith(input.Entities);
        return Add(all, input.Edges);
    }

    private static HashSet<Entity> Add(HashSet<Entity> to, IReadOnlyList<Edge> edges)
    {
        foreach (var edge in edges)
        {
            to.Add(edge.Src);
            to.Add(edge.Dst);
        }

        return to;
    }
}
