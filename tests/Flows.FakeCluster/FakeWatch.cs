using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.AspNetCore.Http;

namespace Flows.FakeCluster;

/// <summary>One watch as the fake API server answers it.</summary>
internal sealed class FakeWatch(FakeShelf collection, FakeFaults faults, bool partial)
{
    public async Task AnswerAsync(HttpContext http)
    {
        var since = long.Parse(http.Request.Query["resourceVersion"].ToString() is { Length: > 0 } given ? given : "0", CultureInfo.InvariantCulture);
        var asked = TimeSpan.FromSeconds(int.TryParse(http.Request.Query["timeoutSeconds"], NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) ? seconds : 1800);
        http.Response.ContentType = "application/json";
        var events = collection.Watch(since == 0 ? collection.Version : since, out var leave);
        if (events is null || faults.Take(one => one.ExpireWatches, (one, left) => one.ExpireWatches = left))
        {
            leave();
            await WriteAsync(http, "ERROR", Encoding.UTF8.GetBytes(Status(410, "Expired")));
            return;
        }

        using var end = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted);
        end.CancelAfter(faults.CloseWatchAfter ?? asked);
        try
        {
            await http.Response.BodyWriter.FlushAsync(end.Token);
            await TellAsync(http, events, end.Token);
        }
        catch (OperationCanceledException)
        {
            // The watch's time is over, or the client is gone.
        }
        finally
        {
            leave();
        }
    }

    /// <summary>A v1 Status.</summary>
    public static string Status(int code, string reason) => string.Create(CultureInfo.InvariantCulture,
        $$"""{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"the fake cluster says {{reason}}","reason":"{{reason}}","code":{{code}}}""");

    /// <summary>The object cut down to its metadata.</summary>
    public static byte[] Partial(byte[] json)
    {
        using var whole = JsonDocument.Parse(json);
        return Encoding.UTF8.GetBytes($$$"""{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":{{{whole.RootElement.GetProperty("metadata").GetRawText()}}}}""");
    }

    private async Task TellAsync(HttpContext http, ChannelReader<FakeEvent> events, CancellationToken cancellation)
    {
        var bookmark = Task.Delay(faults.BookmarkEvery, cancellation);
        var more = events.WaitToReadAsync(cancellation).AsTask();
        while (true)
        {
            await Task.WhenAny(more, bookmark);
            cancellation.ThrowIfCancellationRequested();
            await faults.Hole.WaitAsync(cancellation);
            var version = collection.Version;
            if (events.Completion.IsCompleted)
            {
                // Something was missed: a bookmark would say that it was not.
                return;
            }

            while (events.TryRead(out var one))
            {
                for (var times = 0; times <= faults.Duplicates; times++)
                {
                    await WriteAsync(http, one.Type, partial ? Partial(one.Json) : one.Json, flush: false);
                }
            }

            await http.Response.BodyWriter.FlushAsync(cancellation);
            if (bookmark.IsCompleted)
            {
                await WriteAsync(http, "BOOKMARK", Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture,
                    $$$"""{"kind":"{{{collection.Resource.Kind}}}","apiVersion":"{{{collection.Resource.ApiVersion}}}","metadata":{"resourceVersion":"{{{version}}}","creationTimestamp":null},"spec":{}}""")));
                bookmark = Task.Delay(faults.BookmarkEvery, cancellation);
            }

            if (more.IsCompleted)
            {
                more = events.WaitToReadAsync(cancellation).AsTask();
            }
        }
    }

    private static async Task WriteAsync(HttpContext http, string type, ReadOnlyMemory<byte> json, bool flush = true)
    {
        var body = http.Response.BodyWriter;
        body.Write(Encoding.UTF8.GetBytes($$"""{"type":"{{type}}","object":"""));
        body.Write(json.Span);
        body.Write("}\n"u8);
        if (flush)
        {
            await body.FlushAsync(http.RequestAborted);
        }
    }
}
