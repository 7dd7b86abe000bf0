using Flows.Core.Accounting;
using Flows.Store;
using Microsoft.AspNetCore.Http;

namespace Flows.Web.Api;

/// <summary><c>GET health</c>: is it up, where does the store stand, is anything unaccounted for.</summary>
internal sealed class HealthEndpoint(WebParts parts)
{
    public Task AnswerAsync(HttpContext context)
    {
        var hops = parts.Hops();
        var conservation = new ConservationAnswer(hops.All(hop => hop.Holds), hops.Sum(hop => hop.DroppedTotal), hops);
        return WebJson.WriteAsync(context, new HealthAnswer("ok", parts.Version, parts.Store(), conservation, parts.Ingest is not null), WebJson.Default.HealthAnswer);
    }
}

/// <summary>The state of this server.</summary>
/// <param name="Ingest">Whether it takes in what collectors send.</param>
internal sealed record HealthAnswer(string Status, string Version, StoreHealth Store, ConservationAnswer Conservation, bool Ingest);

/// <summary>Whether anything is unaccounted for, and the books of every hop.</summary>
internal sealed record ConservationAnswer(bool Holds, long Dropped, IReadOnlyList<HopReport> Hops);
