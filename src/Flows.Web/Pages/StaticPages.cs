using System.Reflection;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Flows.Web.Pages;

/// <summary>Serves what is embedded in the assembly, and nothing else: there is no path to a file system to climb out of.</summary>
internal static class StaticPages
{
    private const string Prefix = "www/";

    public static void Map(WebApplication app)
    {
        var assembly = Assembly.GetExecutingAssembly();
        foreach (var name in assembly.GetManifestResourceNames().Where(name => name.StartsWith(Prefix, StringComparison.Ordinal)))
        {
            var body = Read(assembly, name);
            var tag = $"\"{Convert.ToHexStringLower(SHA256.HashData(body))[..16]}\"";
            var path = name[Prefix.Length..].Replace('\\', '/');
            app.MapMethods(path == "index.html" ? "/" : "/" + path, ["GET", "HEAD"], context => AnswerAsync(context, path, body, tag));
        }
    }

    private static async Task AnswerAsync(HttpContext context, string path, byte[] body, string tag)
    {
        // The browser keeps a copy but asks each time whether it is still the one: a new version of the server shows at once.
        context.Response.Headers.CacheControl = "no-cache";
        context.Response.Headers.ETag = tag;
        if (context.Request.Headers.IfNoneMatch == tag)
        {
            context.Response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        context.Response.ContentType = ContentTypeOf(path);
        context.Response.ContentLength = body.Length;
        if (HttpMethods.IsGet(context.Request.Method))
        {
            await context.Response.Body.WriteAsync(body, context.RequestAborted).ConfigureAwait(false);
        }
    }

    private static string ContentTypeOf(string path) => Path.GetExtension(path) switch
    {
        ".html" => "text/html; charset=utf-8",
        ".js" => "text/javascript; charset=utf-8",
        ".css" => "text/css; charset=utf-8",
        ".svg" => "image/svg+xml",
        _ => "text/plain; charset=utf-8",
    };

    private static byte[] Read(Assembly assembly, string name)
    {
        using var stream = assembly.GetManifestResourceStream(name)!;
        var body = new byte[stream.Length];
        stream.ReadExactly(body);
        return body;
    }
}
