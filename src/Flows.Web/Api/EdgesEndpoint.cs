using Flows.Core;
using Flows.Core.Facts;
using Flows.Core.Identity;
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
        return WebJson.WriteAsync(context, new
        {
            edges = edges.OrderByDescending(edge => edge.Connections).Take(limit).Select(Row),
            total = edges.Count,
        });
    }

    private static object Row(Edge edge) => new
    {
        src = End(edge.Src),
        dst = End(edge.Dst),
        service = edge.Service is null ? null : End(edge.Service),
        src_resolved_by = edge.SrcResolvedBy,
        dst_resolved_by = edge.DstResolvedBy,
        protocol = IpProtocol.NameOf(edge.Protocol),
        edge.DstPort,
        edge.ServicePort,
        edge.Connections,
        edge.Answered,
        edge.Refused,
        edge.Unanswered,
        edge.DirectionTrusted,
        edge.FwdBytes,
        edge.RevBytes,
        first_seen = UnixTime.Text(edge.FirstSeenUs),
        last_seen = UnixTime.Text(edge.LastSeenUs),
        edge.Nodes,
    };

    internal static object End(Entity entity) => new
    {
        kind = Entity.TextOf(entity.Kind),
        entity.Cluster,
        entity.Namespace,
        entity.Name,
        entity.WorkloadKind,
        entity.Workload,
        entity.Node,
        entity.HostNetwork,
    };
}
