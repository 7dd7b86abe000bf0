using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using Flows.Core;

namespace Flows.Transport;

/// <summary>
/// Takes batches from the spool to the server, in order and one at a time, until each is acknowledged. A retry carries the same name and the
/// same bytes, so the server stores one copy.
/// </summary>
public sealed class Sender : IDisposable
{
    private static readonly HttpStatusCode[] Refusals = [HttpStatusCode.BadRequest, HttpStatusCode.RequestEntityTooLarge, HttpStatusCode.UnprocessableEntity];

    private readonly Spool spool;
    private readonly SenderOptions options;
    private readonly TimeProvider time;
    private readonly HttpClient client;
    private readonly Backoff backoff;
    private ulong? refusedPosition;
    private int refusals;

    public Sender(Spool spool, SenderOptions options, TimeProvider time)
        : this(spool, options, time, options.Server.CreateHandler(), Random.Shared)
    {
    }

    internal Sender(Spool spool, SenderOptions options, TimeProvider time, HttpMessageHandler handler, Random random)
    {
        (this.spool, this.options, this.time) = (spool, options, time);
        client = new HttpClient(handler) { BaseAddress = options.Server.Uri, Timeout = Timeout.InfiniteTimeSpan };
        backoff = new Backoff(random);
    }

    private enum Verdict
    {
        Acknowledged,
        Refused,
        TryAgain,
    }

    /// <summary>How sending goes; swapped whole, so any thread may read it.</summary>
    public SenderStatus Status { get; private set; } = new(0, 0, 0, null, null);

    /// <summary>Sends until cancelled. What is not acknowledged by then stays in the spool.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        try
        {
            while (true)
            {
                await SendAllAsync(cancellation).ConfigureAwait(false);
                await spool.WaitAsync(cancellation).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // Expected during shutdown.
        }
    }

    /// <summary>
    /// Sends what the spool holds, for at most this long; called after <see cref="RunAsync"/> has returned.
    /// </summary>
    /// <returns>True when the spool is empty; false when batches stay for the next start.</returns>
    public async Task<bool> DrainAsync(TimeSpan grace, CancellationToken cancellation)
    {
        using var deadline = new CancellationTokenSource(grace, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellation);
        try
        {
            await SendAllAsync(either.Token).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            return spool.Peek() is null;
        }
    }

    public void Dispose() => client.Dispose();

    private async Task SendAllAsync(CancellationToken cancellation)
    {
        while (spool.Peek() is { } oldest)
        {
            var (verdict, problem, retryAfter) = await SendAsync(oldest.Batch, cancellation).ConfigureAwait(false);
            if (verdict == Verdict.Acknowledged)
            {
                spool.Acknowledge(oldest.Position);
                backoff.Reset();
                Status = Status with { Acknowledged = Status.Acknowledged + 1, LastAcknowledgedUs = time.NowUs(), Problem = null };
            }
            else if (verdict == Verdict.Refused && RefusedTooOften(oldest.Position))
            {
                spool.Reject(oldest.Position, oldest.Batch, problem);
                Status = Status with { Rejected = Status.Rejected + 1, Problem = problem };
            }
            else
            {
                Status = Status with { Failures = Status.Failures + 1, Problem = problem };
                await Task.Delay(backoff.Next(retryAfter), time, cancellation).ConfigureAwait(false);
            }
        }
    }

    private bool RefusedTooOften(ulong position)
    {
        refusals = refusedPosition == position ? refusals + 1 : 1;
        refusedPosition = position;
        return refusals >= options.RejectionsMax;
    }

    private async Task<(Verdict Verdict, string Problem, TimeSpan? RetryAfter)> SendAsync(Envelope batch, CancellationToken cancellation)
    {
        using var deadline = new CancellationTokenSource(options.RequestTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellation);
        try
        {
            using var request = Request(batch);
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token).ConfigureAwait(false);
            if (response.IsSuccessStatusCode)
            {
                return (Verdict.Acknowledged, "", null);
            }

            var text = await ReadStartAsync(response, either.Token).ConfigureAwait(false);
            var problem = $"server {options.Server} answered {(int)response.StatusCode}: {text}";

            // Only an answer that speaks of the batch itself condemns it. A wrong path or a missing right would otherwise
            // set the whole spool aside.
            return Refusals.Contains(response.StatusCode) ? (Verdict.Refused, problem, null) : (Verdict.TryAgain, problem, RetryAfter(response));
        }
        catch (Exception fault) when (fault is HttpRequestException or IOException)
        {
            return (Verdict.TryAgain, $"cannot reach server {options.Server}: {fault.Message}", null);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return (Verdict.TryAgain, $"server {options.Server} did not answer within {options.RequestTimeout.TotalSeconds:0} s", null);
        }
    }

    private static HttpRequestMessage Request(Envelope batch)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "api/v1/ingest")
        {
            // No upgrade dance: a collector speaks to a flows server, which speaks HTTP/2 in the clear (RFC 9113 3.3).
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ReadOnlyMemoryContent(batch.Body),
        };
        request.Headers.Add(BatchHeader.CollectorName, batch.Id.Collector.ToString("N"));
        request.Headers.Add(BatchHeader.EpochName, batch.Id.Epoch.ToString(CultureInfo.InvariantCulture));
        request.Headers.Add(BatchHeader.SequenceName, batch.Id.Sequence.ToString(CultureInfo.InvariantCulture));
        request.Headers.Add(BatchHeader.NodeName, Uri.EscapeDataString(batch.Node));
        request.Headers.Add(BatchHeader.ScopeName, Uri.EscapeDataString(batch.Scope));
        request.Content.Headers.ContentType = new MediaTypeHeaderValue(batch.Kind == BatchKind.Flows ? FlowIpc.MediaType : TransportJson.MediaType);
        return request;
    }

    private TimeSpan? RetryAfter(HttpResponseMessage response) => response.Headers.RetryAfter switch
    {
        { Delta: { } delta } => delta,
        { Date: { } date } => date - time.GetUtcNow(),
        _ => null,
    };

    /// <summary>The beginning of the answer's text, on one line; what a stranger sends is not read to its end.</summary>
    private static async Task<string> ReadStartAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        var stream = await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
        await using (stream.ConfigureAwait(false))
        {
            var bytes = new byte[512];
            var length = await stream.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellation).ConfigureAwait(false);
            return string.Concat(System.Text.Encoding.UTF8.GetString(bytes, 0, length).Select(c => char.IsControl(c) ? ' ' : c)).Trim();
        }
    }
}
