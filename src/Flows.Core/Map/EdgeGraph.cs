using Flows.Core.Identity;

namespace Flows.Core.Map;

/// <summary>Draws a map from edges: pure, and the same for the same edges in any order.</summary>
public static class EdgeGraph
{
    /// <summary>How many addresses a node of unknown ends shows: a few to look up, before the label becomes a list.</summary>
    public const int AddressesMax = 8;

    /// <summary>Groups edges into nodes and links. Every edge goes into exactly one link.</summary>
    public static MapGraph Of(IReadOnlyList<Edge> edges, MapLevel level)
    {
        var scanners = Noise.Scanners(edges);
        var ends = edges.Select(edge => (Edge: edge, From: MapPlace.Of(edge.Src, level), To: MapPlace.Of(Target(edge, level), level))).ToArray();
        var several = new MapPlace.Several(
            ends.SelectMany(end => new[] { end.From.Cluster, end.To.Cluster }).Where(cluster => cluster.Length > 0).Distinct().Count() > 1,
            ends.SelectMany(end => new[] { end.From.Scope, end.To.Scope }).Where(scope => scope.Length > 0).Distinct().Count() > 1);

        MapNode[] nodes =
        [
            .. ends.Select(end => (Place: end.From, Entity: end.Edge.Src))
                .Concat(ends.Select(end => (Place: end.To, Entity: Target(end.Edge, level))))
                .GroupBy(one => one.Place.Key)
                .Select(node => NodeOf([.. node], several, scanners))
                .OrderBy(node => node.Label, StringComparer.Ordinal)
                .ThenBy(node => node.Key, StringComparer.Ordinal),
        ];
        var order = nodes.Index().ToDictionary(node => node.Item.Key, node => node.Index);
        var links = ends.GroupBy(end => (From: order[end.From.Key], To: order[end.To.Key]))
            .OrderBy(link => link.Key)
            .Select(link => LinkOf(nodes[link.Key.From], nodes[link.Key.To], [.. link.Select(end => end.Edge)], level, scanners));
        return new(level, nodes, [.. links]);
    }

    /// <summary>Where the link of an edge ends: at the dialled service, where the level asks for it and there is one, else at who answered.</summary>
    private static Entity Target(Edge edge, MapLevel level) => level == MapLevel.Service ? edge.Service ?? edge.Dst : edge.Dst;

    private static MapNode NodeOf((MapPlace Place, Entity Entity)[] members, MapPlace.Several several, IReadOnlySet<ulong> scanners)
    {
        var place = members.Select(member => member.Place).OrderBy(one => one.Scope, StringComparer.Ordinal).ThenBy(one => one.Label, StringComparer.Ordinal).First();
        var entities = members.Select(member => member.Entity).DistinctBy(entity => entity.Id).ToArray();
        var addresses = place.Kind == MapPlace.UnknownKind ? MapPlace.AddressesOf(entities) : [];
        var flags = (place.Kind == MapPlace.UnknownKind ? MapMarks.UnknownEnd : MapMarks.None)
            | (entities.Any(entity => entity.Kind == EntityKind.Ambiguous) ? MapMarks.AmbiguousEnd : MapMarks.None)
            | (entities.Any(entity => scanners.Contains(entity.Id)) ? MapMarks.Scanner : MapMarks.None);
        return new(
            place.Key, place.Kind, place.LabelAmong(several), place.Cluster, place.Scope, place.Namespace, entities.Length,
            [.. addresses.Take(AddressesMax)], addresses.Count, flags);
    }

    private static MapLink LinkOf(MapNode from, MapNode to, Edge[] edges, MapLevel level, IReadOnlySet<ulong> scanners) => new()
    {
        From = from,
        To = to,
        Ports =
        [
            .. edges.GroupBy(edge => (edge.Protocol, Port: level == MapLevel.Service && edge.Service is not null ? edge.ServicePort ?? edge.DstPort : edge.DstPort))
                .OrderBy(port => port.Key)
                .Select(port => new MapPort(port.Key.Protocol, port.Key.Port, port.Sum(edge => edge.Connections))),
        ],
        Connections = edges.Sum(edge => edge.Connections),
        Answered = edges.Sum(edge => edge.Answered),
        Refused = edges.Sum(edge => edge.Refused),
        Unanswered = edges.Sum(edge => edge.Unanswered),
        DirectionTrusted = edges.Sum(edge => edge.DirectionTrusted),
        FwdBytes = edges.Sum(edge => edge.FwdBytes),
        RevBytes = edges.Sum(edge => edge.RevBytes),
        FwdPackets = edges.Sum(edge => edge.FwdPackets),
        RevPackets = edges.Sum(edge => edge.RevPackets),
        FirstSeenUs = edges.Min(edge => edge.FirstSeenUs),
        LastSeenUs = edges.Max(edge => edge.LastSeenUs),
        Witnesses = [.. edges.SelectMany(edge => edge.Nodes).Distinct().Order(StringComparer.Ordinal)],
        Backends = level == MapLevel.Service
            ? [.. edges.Where(edge => edge.Service is not null).Select(edge => MapPlace.Of(edge.Dst, MapLevel.Pod).Label).Distinct().Order(StringComparer.Ordinal)]
            : [],
        Flags = FlagsOf(edges, scanners),
    };

    private static MapMarks FlagsOf(Edge[] edges, IReadOnlySet<ulong> scanners)
    {
        var refused = edges.Sum(edge => edge.Refused);
        var unanswered = edges.Sum(edge => edge.Unanswered);
        var failed = edges.Any(edge => edge.Answered > 0) ? MapMarks.None : (refused > 0, unanswered > 0) switch
        {
            (true, false) => MapMarks.RefusedOnly,
            (false, true) => MapMarks.UnansweredOnly,
            (true, true) => MapMarks.FailedOnly,
            _ => MapMarks.None,
        };
        return failed
            | When(edges.All(edge => edge.DirectionTrusted == 0), MapMarks.UntrustedDirection)
            | When(edges.Any(edge => edge.SrcResolvedBy == ResolvedBy.Ambiguous || edge.DstResolvedBy == ResolvedBy.Ambiguous), MapMarks.AmbiguousEnd)
            | When(edges.Any(edge => edge.SrcResolvedBy == ResolvedBy.Unknown || edge.DstResolvedBy == ResolvedBy.Unknown), MapMarks.UnknownEnd)
            | When(edges.Any(edge => scanners.Contains(edge.Src.Id)), MapMarks.Scanner);
    }

    private static MapMarks When(bool holds, MapMarks flag) => holds ? flag : MapMarks.None;
}
