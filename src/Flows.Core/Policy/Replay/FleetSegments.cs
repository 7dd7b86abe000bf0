using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.Core.Map;

namespace Flows.Core.Policy;

/// <summary>A workload that lived in the span: how policies see its pods, where it answers, and what it needs.</summary>
internal sealed class FleetSegment(SegmentKey key)
{
    public SegmentKey Key { get; } = key;

    public string Name { get; } = key.ToString();

    /// <summary>The classes of its pods; several where pods differ in labels, or did over time.</summary>
    public SortedSet<int> Classes { get; } = [];

    /// <summary>Where it was seen to answer.</summary>
    public SortedSet<(byte Protocol, ushort Port)> Ports { get; } = [];

    /// <summary>Needed connections that came in, and that went out.</summary>
    public long In { get; set; }

    public long Out { get; set; }

    public long Connections(Direction direction) => direction == Direction.Ingress ? In : Out;
}

/// <summary>The workloads that lived in the span, and which pairs of them met.</summary>
internal sealed class FleetSegments
{
    private readonly Dictionary<SegmentKey, FleetSegment> byKey = [];
    private readonly HashSet<(SegmentKey Src, SegmentKey Dst, byte Protocol, ushort Port)> met = [];

    public FleetSegments(PolicyInput input, EdgeSieve sieve, PartyClasses classes, IEnumerable<Edge> needed)
    {
        foreach (var entity in input.Entities.Where(entity => sieve.Selectable(entity) && input.Addresses.ContainsKey(entity.Id)))
        {
            Of(entity).Classes.UnionWith(classes.Of(entity));
        }

        foreach (var edge in needed)
        {
            var (src, dst) = (sieve.Selectable(edge.Src) ? Of(edge.Src) : null, sieve.Selectable(edge.Dst) ? Of(edge.Dst) : null);
            if (src is not null)
            {
                src.Classes.UnionWith(classes.Of(edge.Src));
                src.Out += edge.Connections;
            }

            if (dst is not null)
            {
                dst.Classes.UnionWith(classes.Of(edge.Dst));
                dst.Ports.Add((edge.Protocol, edge.DstPort));
                dst.In += edge.Connections;
            }

            if (src is not null && dst is not null)
            {
                met.Add((src.Key, dst.Key, edge.Protocol, edge.DstPort));
            }
        }

        All = [.. byKey.Values.OrderBy(segment => segment.Key)];
    }

    public IReadOnlyList<FleetSegment> All { get; }

    public bool Met(FleetSegment src, FleetSegment dst, byte protocol, ushort port) => met.Contains((src.Key, dst.Key, protocol, port));

    private FleetSegment Of(Entity entity)
    {
        var key = SegmentKey.Of(entity, SegmentLevel.Workload);
        if (!byKey.TryGetValue(key, out var segment))
        {
            byKey[key] = segment = new FleetSegment(key);
        }

        return segment;
    }
}
