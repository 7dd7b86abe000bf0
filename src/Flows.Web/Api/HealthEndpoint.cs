using Microsoft.AspNetCore.Http;

namespace Flows.Web.Api;

/// <summary><c>GET health</c>: is it up, where does the store stand, is anything unaccounted for.</summary>
internal sealed class HealthEndpoint(WebParts parts)
{
    public Task AnswerAsync(HttpContext context)
    {
        var hops = parts.Hops();
        var store = parts.Store();
        return WebJson.WriteAsync(context, new
        {
            status = "ok",
            parts.Version,
            store,
            conservation = new
            {
                holds = hops.All(hop => hop.Holds),
                dropped = hops.Sum(hop => hop.DroppedTotal),
                hops,
            },
            ingest = parts.Ingest is not null,
        });
    }
}
