using Flows.Core.Identity;
using Flows.Core.Map;

namespace Flows.Core.Policy;

/// <summary>
/// Whether an edge is vouched for by whoever must have seen it. Each end's own node is a witness; a node that nobody can contradict must not widen
/// policy. What a node says of its own pods alone has to be believed, up to a number that its pods explain.
/// </summary>
internal sealed class Corroboration
{
    // What one node alone may tell: a pod has a handful of peers. What a busy node with many clients outside tells counts once a port.
    private const int SoloBase = 100;
    private const int SoloPerWorkload = 20;

    // Distinct edges of one node's own within an hour from which on that hour is a flood, if the node tells too much in all.
    private const int FloodPerHour = 100;

    // Fewer disputed edges of a node are what a lossy day leaves; they stand in the review alone.
    private const int WarnFrom = 20;

    private readonly Dictionary<string, Witness> witnesses;
    private readonly ILookup<string, ObservationGap> gaps;
    private readonly bool podNodesCollect;
    private readonly Dictionary<Edge, ReviewReason> faults = new(ReferenceEqualityComparer.Instance);

    private Corroboration(PolicyInput input)
    {
        gaps = input.Gaps.ToLookup(gap => gap.Node, StringComparer.Ordinal);
        witnesses = Witness.Of(input);
        podNodesCollect = input.Entities.Concat(input.Edges.SelectMany(edge => (Entity[])[edge.Src, edge.Dst]))
            .Any(entity => entity is { Kind: EntityKind.Pod, Node.Length: > 0 } && witnesses.ContainsKey(entity.Node));
    }

    /// <summary>What to tell whoever reads the suggestion, sorted.</summary>
    public IReadOnlyList<string> Warnings { get; private set; } = [];

    public static Corroboration Of(PolicyInput input)
    {
        var corroboration = new Corroboration(input);
        corroboration.Judge(input);
        return corroboration;
    }

    /// <summary>Why the edge is not believed; null where it is.</summary>
    public ReviewReason? Fault(Edge edge) => faults.TryGetValue(edge, out var reason) ? reason : null;

    private void Judge(PolicyInput input)
    {
        Dictionary<string, List<Edge>> solo = new(StringComparer.Ordinal);
        Dictionary<string, HashSet<(string, string, byte, ushort)>> disputed = new(StringComparer.Ordinal);
        foreach (var edge in input.Edges)
        {
            if (IsDisputed(edge))
            {
                faults[edge] = ReviewReason.Uncorroborated;
                edge.Nodes.ToList().ForEach(node => Of(disputed, node).Add(MeaningOf(edge)));
            }
            else if (edge.Nodes.Count == 1)
            {
                Of(solo, edge.Nodes[0]).Add(edge);
            }
        }

        List<string> warnings = [.. disputed.Where(node => node.Value.Count >= WarnFrom).Select(node =>
            $"node '{node.Key}' vouches for {node.Value.Count} edges that no node of their ends confirms: none of them became a rule, see the review")];
        var workloads = input.Entities.Where(entity => entity.Kind == EntityKind.Pod)
            .GroupBy(pod => pod.Node).ToDictionary(pods => pods.Key, pods => pods.Select(pod => SegmentKey.Of(pod, SegmentLevel.Workload)).Distinct().Count());
        foreach (var (node, told) in solo)
        {
            var meanings = told.GroupBy(MeaningOf).ToList();
            var most = SoloBase + (SoloPerWorkload * workloads.GetValueOrDefault(node));
            if (meanings.Count <= most)
            {
                continue;
            }

            var floods = meanings.GroupBy(same => HourSet.HourOf(same.Min(edge => edge.FirstSeenUs))).Where(hour => hour.Count() > FloodPerHour).SelectMany(hour => hour).ToList();
            floods.SelectMany(same => same).ToList().ForEach(edge => faults[edge] = ReviewReason.Flood);
            if (floods.Count > 0)
            {
                warnings.Add($"node '{node}' alone vouches for {meanings.Count} edges, more than its pods explain ({most}): the {floods.Count} that came in floods became no rule, see the review");
            }
        }

        Warnings = [.. warnings.Order(StringComparer.Ordinal)];
    }

    private bool IsDisputed(Edge edge)
    {
        var (src, dst) = (HomeOf(edge.Src), HomeOf(edge.Dst));
        if (edge.Nodes.Count == 0 || (src is null && dst is null))
        {
            return false;
        }

        var atSrc = src is not null && edge.Nodes.Contains(src, StringComparer.Ordinal);
        var atDst = dst is not null && edge.Nodes.Contains(dst, StringComparer.Ordinal);
        if (!atSrc && !atDst)
        {
            // Where no collector runs on any node with pods, a tap somewhere on the way is all there is.
            return podNodesCollect;
        }

        return src != dst && ((!atSrc && src is not null && MustHaveSeen(src, Direction.Egress, edge)) || (!atDst && dst is not null && MustHaveSeen(dst, Direction.Ingress, edge)));
    }

    /// <summary>The node saw others of this kind, reported in the same hours, and lost nothing then.</summary>
    private bool MustHaveSeen(string node, Direction direction, Edge edge) =>
        witnesses.TryGetValue(node, out var witness) && witness.Sees(direction) && witness.WasUp(edge)
        && !gaps[node].Any(gap => gap.Touches(edge.FirstSeenUs, edge.LastSeenUs));

    /// <summary>
    /// The node that sees whatever the entity does; null where there is none. A node as a client may stand for anybody behind its masquerade, so it is no
    /// witness of its own.
    /// </summary>
    private string? HomeOf(Entity entity) => entity.Kind switch
    {
        EntityKind.Pod when entity.Node.Length > 0 => entity.Node,
        EntityKind.Vm or EntityKind.Host when witnesses.ContainsKey(entity.Name) => entity.Name,
        _ => null,
    };

    private static T Of<T>(Dictionary<string, T> map, string key) where T : new() => map.TryGetValue(key, out var there) ? there : map[key] = new T();

    /// <summary>What the edge would come to as a rule; addresses that nobody knows count as one.</summary>
    private static (string Src, string Dst, byte Protocol, ushort Port) MeaningOf(Edge edge) => (EndOf(edge.Src), EndOf(edge.Dst), edge.Protocol, edge.DstPort);

    private static string EndOf(Entity end) => end.Kind == EntityKind.Unknown ? "" : SegmentKey.TextOf(end, SegmentLevel.Workload);
}
