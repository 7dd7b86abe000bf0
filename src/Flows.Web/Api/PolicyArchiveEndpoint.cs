using System.IO.Compression;
using Flows.Core;
using Flows.Core.Policy;
using Microsoft.AspNetCore.Http;

namespace Flows.Web.Api;

/// <summary><c>GET policies/archive</c>: the suggestion as the directory that <c>flows policy suggest</c> writes, in a zip. The same files give the same bytes.</summary>
internal sealed class PolicyArchiveEndpoint(WebParts parts)
{
    // A tenth of what is in it. Larger estates have the verb, which needs no browser.
    private const long BytesMost = 32 << 20;

    // The first time that a zip can hold: the files have none of their own.
    private static readonly DateTimeOffset NoTime = new(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public async Task AnswerAsync(HttpContext context)
    {
        var (asked, found) = PoliciesQuestion.Ask(context, parts);
        var body = Zipped(found.Files());
        context.Response.ContentType = "application/zip";
        context.Response.ContentLength = body.Length;
        context.Response.Headers.ContentDisposition = $"attachment; filename=\"policies-{asked.Target.Name}.zip\"";
        await context.Response.Body.WriteAsync(body, context.RequestAborted).ConfigureAwait(false);
    }

    private static byte[] Zipped(IReadOnlyList<SuggestedFile> files)
    {
        using var memory = new Bounded();
        using (var archive = new ZipArchive(memory, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var file in files)
            {
                var entry = archive.CreateEntry($"policies/{file.Name}", CompressionLevel.Fastest);
                entry.LastWriteTime = NoTime;
                using var into = entry.Open();
                file.WriteTo(into);
            }
        }

        return memory.ToArray();
    }

    /// <summary>An archive in memory, up to a limit: how large the files are is known only when they have been written.</summary>
    private sealed class Bounded : MemoryStream
    {
        public override void Write(ReadOnlySpan<byte> buffer)
        {
            Check(buffer.Length);
            base.Write(buffer);
        }

        public override void Write(byte[] buffer, int offset, int count)
        {
            Check(count);
            base.Write(buffer, offset, count);
        }

        private void Check(int count)
        {
            if (Length + count > BytesMost)
            {
                throw new FlowsException(
                    ExitCode.Usage, "That is too much for one archive: choose a segment with segment=NAMESPACE, or write it with flows policy suggest --out DIR.");
            }
        }
    }
}
