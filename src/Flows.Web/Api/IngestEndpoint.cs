using System.Globalization;
using Flows.Web.Metrics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Flows.Web.Api;

/// <summary><c>POST ingest</c>: hands a collector's batch to the intake and tells the collector what became of it.</summary>
internal sealed class IngestEndpoint(WebParts parts, WebOptions options, FlowMetrics metrics)
{
    public async Task AnswerAsync(HttpContext context)
    {
        if (parts.Ingest is null)
        {
            await Problem.WriteAsync(context, StatusCodes.Status403Forbidden, "This server shows a store and takes in nothing.").ConfigureAwait(false);
            return;
        }

        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = options.IngestBytesMax;
        }

        var begun = parts.Time.GetTimestamp();
        var answer = await parts.Ingest(context.Request.Headers, context.Request.Body, context.RequestAborted).ConfigureAwait(false);
        metrics.Ingested(parts.Time.GetElapsedTime(begun), answer.Status);

        if (answer.RetryAfter is { } later)
        {
            // RFC 9110 section 10.2.3 counts whole seconds; 0 would mean "at once".
            context.Response.Headers.RetryAfter = Math.Max(1, (long)Math.Ceiling(later.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        }

        if (answer.Problem is null)
        {
            context.Response.StatusCode = answer.Status;
            context.Response.ContentLength = 0;
        }
        else
        {
            await Problem.WriteAsync(context, answer.Status, answer.Problem).ConfigureAwait(false);
        }
    }
}
