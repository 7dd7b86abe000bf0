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
        return WebJson.WriteAsync(context, Drawn(parts.Edges(since, until), level, limit), WebJson.Default.MapAnswer);
    }

    /// <summary>The busiest links up to the limit, and the nodes at their ends.</summary>
    private static MapAnswer Drawn(IReadOnlyList<Edge> edges, MapLevel level, int limit)
    {
        var graph = EdgeGraph.Of(edges, level);
        var services = new DialledServices(edges, level);
        var shown = graph.Links.OrderByDescending(link => link.Connections).Take(limit).ToArray();
        var links = graph.Links.Where(shown.ToHashSet(ReferenceEqualityComparer.Instance).Contains).ToArray();
        var keys = links.SelectMany(link => new[] { link.From.Key, link.To.Key }).ToHashSet(StringComparer.Ordinal);
        var nodes = graph.Nodes.Where(node => keys.Contains(node.Key)).ToArray();
        return new MapAnswer(
            MapGraph.TextOf(level),
            [.. nodes.Select(MapGroup.Of).OfType<MapGroup>().Distinct().OrderBy(group => group.Id, StringComparer.Ordinal)],
            [.. nodes.Select(Node)],
            [.. links.Select(link => Link(link, services))],
            new HiddenAnswer(graph.Nodes.Count - nodes.Length, graph.Links.Count - links.Length));
    }

    private static NodeAnswer Node(MapNode node) => new(
        IdOf(node),
        node.Kind,
        node.Label,
        MapGroup.NameWithin(node),
        MapGroup.Of(node)?.Id,
        node.Cluster,
        node.Scope,
        node.Namespace,
        node.Entities,
        node.Addresses,
        node.AddressCount,
        MapGraph.TextOf(node.Flags));

    private static LinkAnswer Link(MapLink link, DialledServices services) => new(
        $"{IdOf(link.From)}-{IdOf(link.To)}",
        IdOf(link.From),
        IdOf(link.To),
        [.. link.Ports.Select(port => new PortAnswer(IpProtocol.NameOf(port.Protocol), port.Port, port.Connections))],
        services.Of(link),
        link.Backends,
        link.Connections,
        link.Answered,
        link.Refused,
        link.Unanswered,
        link.DirectionTrusted,
        link.FwdBytes,
        link.RevBytes,
        UnixTime.Text(link.FirstSeenUs),
        UnixTime.Text(link.LastSeenUs),
        link.Witnesses,
        MapGraph.TextOf(link.Flags));

    /// <summary>Short, and the same from one request to the next, so that the page's address can name what is selected.</summary>
    private static string IdOf(MapNode node) => StableId.Of("map", node.Key).ToString("x16", System.Globalization.CultureInfo.InvariantCulture);
}
