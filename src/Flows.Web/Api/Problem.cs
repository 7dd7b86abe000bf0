using System.Text.Json;
using Flows.Core;
using Microsoft.AspNetCore.Http;

namespace Flows.Web.Api;

/// <summary>Faults as <c>application/problem+json</c> (RFC 9457) with one sentence for a person.</summary>
internal static class Problem
{
    public static async Task AnswerFaultsAsync(HttpContext context, RequestDelegate next)
    {
        try
        {
            await next(context).ConfigureAwait(false);
            if (context.Response is { StatusCode: StatusCodes.Status404NotFound or StatusCodes.Status405MethodNotAllowed, HasStarted: false, ContentLength: null })
            {
                await WriteAsync(context, context.Response.StatusCode, context.Response.StatusCode == StatusCodes.Status404NotFound
                    ? "There is nothing at this path; the API is under /api/v1/."
                    : "This path does not take that method.").ConfigureAwait(false);
            }
        }
        catch (FlowsException fault) when (!context.Response.HasStarted)
        {
            await WriteAsync(context, fault.ExitCode == ExitCode.Usage ? StatusCodes.Status400BadRequest : StatusCodes.Status503ServiceUnavailable, fault.Message).ConfigureAwait(false);
        }
        catch (BadHttpRequestException fault) when (!context.Response.HasStarted)
        {
            await WriteAsync(context, fault.StatusCode, fault.Message).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client has gone; there is nobody to answer.
        }
    }

    public static async Task WriteAsync(HttpContext context, int status, string sentence)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/problem+json";
        var body = JsonSerializer.SerializeToUtf8Bytes(new ProblemAnswer(status, sentence), WebJson.Default.ProblemAnswer);
        await context.Response.Body.WriteAsync(body, context.RequestAborted).ConfigureAwait(false);
    }
}

/// <summary>A fault: its HTTP status, and one sentence.</summary>
internal sealed record ProblemAnswer(int Status, string Detail);
