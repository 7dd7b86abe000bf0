using Microsoft.AspNetCore.Http;

namespace Flows.Web.Api;

/// <summary>Lets a few questions be answered at once and a bounded number wait; whoever comes then is told to come back.</summary>
internal sealed class QuestionGate(int atOnce, int waitingMax) : IDisposable
{
    private readonly SemaphoreSlim places = new(atOnce);
    private int inside;

    public RequestDelegate Guard(RequestDelegate answer) => async context =>
    {
        try
        {
            if (Interlocked.Increment(ref inside) > atOnce + waitingMax)
            {
                context.Response.Headers.RetryAfter = "1";
                await Problem.WriteAsync(context, StatusCodes.Status503ServiceUnavailable, "Too many questions are waiting; ask again in a moment.").ConfigureAwait(false);
                return;
            }

            await places.WaitAsync(context.RequestAborted).ConfigureAwait(false);
            try
            {
                await answer(context).ConfigureAwait(false);
            }
            finally
            {
                places.Release();
            }
        }
        finally
        {
            Interlocked.Decrement(ref inside);
        }
    };

    public void Dispose() => places.Dispose();
}
