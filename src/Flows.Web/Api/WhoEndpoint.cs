using Flows.Core;
using Flows.Core.Facts;
using Microsoft.AspNetCore.Http;

namespace Flows.Web.Api;

/// <summary><c>GET who?addr&amp;at</c>: who held an address at a time.</summary>
internal sealed class WhoEndpoint(WebParts parts)
{
    private const int LimitMost = 100;

    public Task AnswerAsync(HttpContext context)
    {
        var question = new Question(context.Request.Query, parts.Time);
        var address = NetAddress.Parse(question.Text("addr") ?? throw new FlowsException(ExitCode.Usage, "addr is missing: who?addr=10.0.0.1&at=2026-01-31T10:00:00Z."));
        var at = question.At();
        var claims = parts.Who(address, at);
        return WebJson.WriteAsync(context, new
        {
            address = address.ToString(),
            at = UnixTime.Text(at),
            ambiguous = claims.Count > 1,
            claims = claims.Take(LimitMost).Select(claim => new
            {
                entity = EdgesEndpoint.End(claim.Entity),
                claim.Range,
                valid_from = UnixTime.Text(claim.FromUs),
                valid_to = claim.ToUs is { } to ? UnixTime.Text(to) : null,
            }),
        });
    }
}
