using System.Globalization;
using System.Text.Json;
using Flows.Core;
using Flows.Inventory.Kubernetes.Connecting;
using Flows.Inventory.Kubernetes.Reading;

namespace Flows.Inventory.Kubernetes.Watching;

/// <summary>
/// Keeps the feed up to date with one resource: lists it, watches it from there on, and lists it again only where the watch cannot be taken up
/// where it ended. Never ends by itself.
/// </summary>
internal sealed class Reflector(
    Resource resource, ApiAccess access, ClusterFeed feed, TextPool pool, ResourceMeter meter, KubernetesOptions options, TimeProvider time)
{
    /// <summary>Bytes of an answer that tells why not.</summary>
    private const int RefusalBytesMax = 16 * 1024;

    /// <summary>Pages can expire while they are read; after so many tries the list is asked for in one piece.</summary>
    private const int PagedTriesMax = 3;

    /// <summary>A watch that ends sooner and brought nothing is no success.</summary>
    private static readonly TimeSpan ShortWatch = TimeSpan.FromSeconds(1);

    private readonly Backoff backoff = new(options.BackoffMin, options.BackoffMax, new Random());
    private readonly TaskCompletionSource tried = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Where the next watch begins; empty where only a list will do.</summary>
    private string version = "";
    private int expiredLists;

    public Resource Resource => resource;

    public ResourceMeter Meter => meter;

    /// <summary>Completes when the first list was read or failed, so that those who prefer to wait for it do not wait for ever.</summary>
    public Task Tried => tried.Task;

    public async Task RunAsync(CancellationToken cancellation)
    {
        while (!cancellation.IsCancellationRequested)
        {
            TimeSpan? pause = null;
            try
            {
                using var connection = await ApiConnection.OpenAsync(access, options.AnswerTimeout, time, cancellation).ConfigureAwait(false);
                await UseAsync(connection, cancellation).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                return;
            }
            catch (ApiFault fault)
            {
                meter.Failed(fault.Reason, fault.Message);
                pause = fault.IsExpired && expiredLists == 0 ? TimeSpan.Zero : backoff.Next(fault.RetryAfter);
                Forget(fault);
            }
            catch (OperationCanceledException)
            {
                // Not ours, so one of our deadlines.
                meter.Failed("silent", $"{resource.Name}: the API server at {access.Server} says nothing; trying again");
                pause = backoff.Next();
            }
            catch (Exception fault) when (fault is HttpRequestException or IOException or InvalidDataException or JsonException or FormatException or InvalidOperationException)
            {
                meter.Failed("connection", $"{resource.Name}: {access.Server}: {fault.GetBaseException().Message}");
                pause = backoff.Next();

                // Of a body that is no JSON nobody knows what was lost.
                version = fault is JsonException or FormatException ? "" : version;
            }

            tried.TrySetResult();
            await Task.Delay(pause ?? TimeSpan.Zero, time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>A version that the server refuses is of no use; one that it could not serve just now is.</summary>
    private void Forget(ApiFault fault)
    {
        if (fault.Code is 400 or 410 or 504)
        {
            version = "";
        }
    }

    /// <summary>Lists and watches until something is wrong, or the watch was quiet for too long and a new connection is due.</summary>
    private async Task UseAsync(ApiConnection connection, CancellationToken cancellation)
    {
        while (connection.ExpiresUs is null || time.NowUs() < connection.ExpiresUs)
        {
            if (version.Length == 0)
            {
                await ListAsync(connection, cancellation).ConfigureAwait(false);
                tried.TrySetResult();
                backoff.Reset();
            }

            var begun = time.GetTimestamp();
            var (events, quiet) = await WatchAsync(connection, cancellation).ConfigureAwait(false);
            if (quiet)
            {
                meter.Noted("quiet");
                return;
            }

            if (events == 0 && time.GetElapsedTime(begun) < ShortWatch)
            {
                await Task.Delay(backoff.Next(), time, cancellation).ConfigureAwait(false);
            }
            else
            {
                backoff.Reset();
            }
        }
    }

    private async Task ListAsync(ApiConnection connection, CancellationToken cancellation)
    {
        var paged = expiredLists < PagedTriesMax;
        PageEnd? first = null;
        var (next, seenUs) = ("", 0L);
        var frames = new JsonFrames(isList: true);
        feed.BeginList(resource.Kind);
        do
        {
            using var quiet = new CancellationTokenSource(options.ListTimeout, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(quiet.Token, cancellation);
            var query = paged ? $"?limit={options.PageSize.ToString(CultureInfo.InvariantCulture)}{(next.Length > 0 ? $"&continue={Uri.EscapeDataString(next)}" : "")}" : "";
            using var answer = await connection.GetAsync(resource.Path + query, resource.Accept(list: true), either.Token).ConfigureAwait(false);
            await EnsureAsync(answer, () => expiredLists++, either.Token).ConfigureAwait(false);

            // Later pages are of the same moment as the first: what is missing in the list was gone by then.
            seenUs = first is null ? time.NowUs() : seenUs;
            var atUs = seenUs;
            var body = await answer.Content.ReadAsStreamAsync(either.Token).ConfigureAwait(false);
            await using (body.ConfigureAwait(false))
            {
                var page = await ListReader.ReadAsync(frames, body, item => Take(item, gone: false, listed: true, atUs), quiet, options.ListTimeout, either.Token).ConfigureAwait(false);
                first ??= page;
                next = page.Continue;
            }

            meter.Heard();
            await feed.RoomAsync(cancellation).ConfigureAwait(false);
        }
        while (next.Length > 0);

        feed.EndList(resource.Kind, seenUs);
        meter.Listed();
        expiredLists = 0;
        version = first!.ResourceVersion;
    }

    /// <summary>Watches until the server ends it, or nothing came for too long.</summary>
    private async Task<(long Events, bool Quiet)> WatchAsync(ApiConnection connection, CancellationToken cancellation)
    {
        var timeout = options.WatchTimeout * (1 + (Random.Shared.NextDouble() / 10));
        using var deadline = new CancellationTokenSource(timeout + options.WatchGrace, time);
        using var quiet = new CancellationTokenSource(options.AnswerTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(quiet.Token, deadline.Token, cancellation);
        var seconds = Math.Max(1, (long)timeout.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        var path = $"{resource.Path}?watch=1&allowWatchBookmarks=true&timeoutSeconds={seconds}&resourceVersion={Uri.EscapeDataString(version)}";
        using var answer = await connection.GetAsync(path, resource.Accept(list: false), either.Token).ConfigureAwait(false);
        await EnsureAsync(answer, () => { }, either.Token).ConfigureAwait(false);
        meter.WatchBegun();

        var events = 0L;
        void Event(FrameKind kind, ReadOnlySpan<byte> utf8) => events += Handle(utf8) ? 1 : 0;

        var frames = new JsonFrames(isList: false);
        var body = await answer.Content.ReadAsStreamAsync(either.Token).ConfigureAwait(false);
        await using (body.ConfigureAwait(false))
        {
            try
            {
                do
                {
                    await feed.RoomAsync(cancellation).ConfigureAwait(false);
                    quiet.CancelAfter(options.QuietLimit);
                }
                while (await frames.ReadAsync(body, Event, either.Token).ConfigureAwait(false));
            }
            catch (OperationCanceledException) when (quiet.IsCancellationRequested && !cancellation.IsCancellationRequested)
            {
                return (events, true);
            }
        }

        return (events, false);
    }

    /// <summary>Takes in one event; true where it was a change.</summary>
    private bool Handle(ReadOnlySpan<byte> utf8)
    {
        meter.Heard();
        var change = WatchEvent.Read(utf8);
        switch (change.Type)
        {
            case "ADDED" or "MODIFIED" or "DELETED":
                meter.Event();
                Take(change.Object, gone: change.Type == "DELETED", listed: false, time.NowUs());
                return true;
            case "BOOKMARK":
                Advance(MetaReader.Peek(change.Object).ResourceVersion);
                return false;
            case "ERROR":
                throw ApiFault.Of(0, change.Object, resource, null);
            default:
                meter.BadObject("event", $"its type '{(change.Type.Length <= 32 ? change.Type : change.Type[..32])}' is unknown");
                return false;
        }
    }

    /// <summary>Reads an object and tells the feed. One that cannot be read costs itself only.</summary>
    private void Take(ReadOnlySpan<byte> utf8, bool gone, bool listed, long atUs)
    {
        try
        {
            var one = resource.Read(utf8, pool);
            feed.Apply(resource.Kind, one, gone, listed, atUs);
            Advance(listed ? "" : one.Meta.ResourceVersion);
        }
        catch (Exception fault) when (fault is FormatException or JsonException or InvalidOperationException or FlowsException)
        {
            var (name, uid, at) = MetaReader.Peek(utf8);
            meter.BadObject(name.Length > 0 ? name : "an object without a name", fault.Message);
            feed.Unread(resource.Kind, uid);
            Advance(listed ? "" : at);
        }
    }

    private void Advance(string seen) => version = seen.Length > 0 ? seen : version;

    private async Task EnsureAsync(HttpResponseMessage answer, Action expired, CancellationToken cancellation)
    {
        if (answer.IsSuccessStatusCode)
        {
            return;
        }

        var body = new byte[RefusalBytesMax];
        var stream = await answer.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
        await using (stream.ConfigureAwait(false))
        {
            var length = await stream.ReadAtLeastAsync(body, body.Length, throwOnEndOfStream: false, cancellation).ConfigureAwait(false);
            var fault = ApiFault.Of((int)answer.StatusCode, body.AsSpan(0, length), resource, answer.Headers.RetryAfter?.Delta);
            if (fault.IsExpired)
            {
                expired();
            }

            throw fault;
        }
    }
}
