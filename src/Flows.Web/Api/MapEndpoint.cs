using Flows.Core;
using Flows.Core.Facts;
using Flows.Core.Map;
using Microsoft.AspNetCore.Http;

namespace Flows.Web.Api;

/// <summary><c>GET map</c>: the graph as the page draws it, already grouped and bounded; what does not fit is counted.</summary>
internal sealed class MapEndpoint(WebParts parts)
{
    // A browser draws some 300 elements without effort (Cytoscape on canvas); beyond that nobody reads the picture anyway.
    private const int LimitUsual = 300;
    private const int LimitMost = 2_000;

    public Task AnswerAsync(HttpContext context)
    {
        var question = new Question(context.Request.Query, parts.Time);
        var (since, until) = question.Span();
        var level = question.OneOf("level", "workload", "pod", "service", "namespace") switch
        {
            "pod" => MapLevel.Pod,
            "service" => MapLevel.Service,
            "namespace" => MapLevel.Namespace,
            _ => MapLevel.Workload,
        };
        var limit = question.Limit(LimitUsual, LimitMost);
        return WebJson.WriteAsync(context, Drawn(parts.Edges(since, until), level, limit));
    }

    /// <summary>The busiest links up to the limit, and the nodes at their ends.</summary>
    internal static object Drawn(IReadOnlyList<Edge> edges, MapLevel level, int limit)
    {
        var graph = EdgeGraph.Of(edges, level);
        var services = new DialledServices(edges, level);
        var shown = graph.Links.OrderByDescending(link => link.Connections).Take(limit).ToArray();
        var links = graph.Links.Where(shown.ToHashSet(ReferenceEqualityComparer.Instance).Contains).ToArray();
        var keys = links.SelectMany(link => new[] { link.From.Key, link.To.Key }).ToHashSet(StringComparer.Ordinal);
        var nodes = graph.Nodes.Where(node => keys.Contains(node.Key)).ToArray();
        return new
        {
            level = MapGraph.TextOf(level),
            groups = nodes.Select(MapGroup.Of).OfType<MapGroup>().Distinct().OrderBy(group => group.Id, StringComparer.Ordinal),
            nodes = nodes.Select(Node),
            links = links.Select(link => Link(link, services)),
            hidden = new { nodes = graph.Nodes.Count - nodes.Length, links = graph.Links.Count - links.Length },
        };
    }

    private static object Node(MapNode node) => new
    {
        id = IdOf(node),
        node.Kind,
        node.Label,
        name = MapGroup.NameWithin(node),
        group = MapGroup.Of(node)?.Id,
        node.Cluster,
        node.Scope,
        node.Namespace,
        node.Entities,
        node.Addresses,
        node.AddressCount,
        flags = MapGraph.TextOf(node.Flags),
    };

    private static object Link(MapLink link, DialledServices services) => new
    {
        id = $"{IdOf(link.From)}-{IdOf(link.To)}",
        from = IdOf(link.From),
        to = IdOf(link.To),
        ports = link.Ports.Select(port => new { protocol = IpProtocol.NameOf(port.Protocol), port.Port, port.Connections }),
        services = services.Of(link),
        link.Backends,
        link.Connections,
        link.Answered,
        link.Refused,
        link.Unanswered,
        link.DirectionTrusted,
        link.FwdBytes,
        link.RevBytes,
        first_seen = UnixTime.Text(link.FirstSeenUs),
        last_seen = UnixTime.Text(link.LastSeenUs),
        link.Witnesses,
        flags = MapGraph.TextOf(link.Flags),
    };

    /// <summary>Short, and the same from one request to the next, so that the page's address can name what is selected.</summary>
    private static string IdOf(MapNode node) => StableId.Of("map", node.Key).ToString("x16", System.Globalization.CultureInfo.InvariantCulture);
}
