using Flows.Core;
using Flows.Core.Facts;
using Flows.Core.Map;
using Microsoft.AspNetCore.Http;

namespace Flows.Web.Api;

/// <summary><c>GET edges</c>: who talked to whom, one row per edge, the busiest first.</summary>
internal sealed class EdgesEndpoint(WebParts parts)
{
    private const int LimitUsual = 500;
    private const int LimitMost = 5_000;

    public Task AnswerAsync(HttpContext context)
    {
        var question = new Question(context.Request.Query, parts.Time);
        var (since, until) = question.Span();
        var limit = question.Limit(LimitUsual, LimitMost);
        var edges = parts.Edges(since, until);
        return WebJson.WriteAsync(
            context, new EdgesAnswer([.. edges.OrderByDescending(edge => edge.Connections).Take(limit).Select(EdgeRow.Of)], edges.Count), WebJson.Default.EdgesAnswer);
    }
}

/// <summary>Edges, the busiest first.</summary>
/// <param name="Total">How many there are, with those beyond the limit.</param>
internal sealed record EdgesAnswer(IReadOnlyList<EdgeRow> Edges, int Total);

/// <summary>One edge.</summary>
internal sealed record EdgeRow(
    EntityAnswer Src, EntityAnswer Dst, EntityAnswer? Service, ResolvedBy SrcResolvedBy, ResolvedBy DstResolvedBy, string Protocol, ushort DstPort, ushort? ServicePort,
    long Connections, long Answered, long Refused, long Unanswered, long DirectionTrusted, long FwdBytes, long RevBytes, string FirstSeen, string LastSeen, IReadOnlyList<string> Nodes)
{
    public static EdgeRow Of(Edge edge) => new(
        EntityAnswer.Of(edge.Src),
        EntityAnswer.Of(edge.Dst),
        edge.Service is null ? null : EntityAnswer.Of(edge.Service),
        edge.SrcResolvedBy,
        edge.DstResolvedBy,
        IpProtocol.NameOf(edge.Protocol),
        edge.DstPort,
        edge.ServicePort,
        edge.Connections,
        edge.Answered,
        edge.Refused,
        edge.Unanswered,
        edge.DirectionTrusted,
        edge.FwdBytes,
        edge.RevBytes,
        UnixTime.Text(edge.FirstSeenUs),
        UnixTime.Text(edge.LastSeenUs),
        edge.Nodes);
}
