using System.IO.Compression;
using System.Text;
using Flows.Core;
using Flows.Core.Policy;
using Microsoft.AspNetCore.Http;

namespace Flows.Web.Api;

/// <summary><c>GET policies/archive</c>: the suggestion as the directory that <c>flows policy suggest</c> writes, in a zip. The same files give the same bytes.</summary>
internal sealed class PolicyArchiveEndpoint(WebParts parts)
{
    // Of text; an archive is a tenth of it. Larger estates have the verb, which needs no browser.
    private const long CharactersMost = 256 << 20;

    // The first time that a zip can hold: the files have none of their own.
    private static readonly DateTimeOffset NoTime = new(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public async Task AnswerAsync(HttpContext context)
    {
        var (asked, found) = PoliciesQuestion.Ask(context, parts);
        var files = found.Files();
        if (files.Sum(file => (long)file.Text.Length) > CharactersMost)
        {
            throw new FlowsException(ExitCode.Usage, "That is too much for one archive: choose a segment with segment=NAMESPACE, or write it with flows policy suggest --out DIR.");
        }

        var body = Zipped(files);
        context.Response.ContentType = "application/zip";
        context.Response.ContentLength = body.Length;
        context.Response.Headers.ContentDisposition = $"attachment; filename=\"policies-{asked.Target.Name}.zip\"";
        await context.Response.Body.WriteAsync(body, context.RequestAborted).ConfigureAwait(false);
    }

    private static byte[] Zipped(IReadOnlyList<RenderedFile> files)
    {
        using var memory = new MemoryStream();
        using (var archive = new ZipArchive(memory, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var file in files)
            {
                var entry = archive.CreateEntry($"policies/{file.Name}", CompressionLevel.Fastest);
                entry.LastWriteTime = NoTime;
                using var into = entry.Open();
                into.Write(Encoding.UTF8.GetBytes(file.Text));
            }
        }

        return memory.ToArray();
    }
}
