using Microsoft.AspNetCore.Http;

namespace Flows.Web;

/// <summary>
/// What the browser may do with an answer: run and load only what this server sent, tell nobody where it came from, show it in no
/// frame. There are no inline scripts or styles; Cytoscape sets styles through the CSSOM, which the policy does not concern.
/// </summary>
internal static class SecurityHeaders
{
    private const string Policy =
        "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; img-src 'self' data:";

    public static Task AddAsync(HttpContext context, RequestDelegate next)
    {
        var headers = context.Response.Headers;
        headers.ContentSecurityPolicy = Policy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers.CacheControl = "no-store";
        return next(context);
    }
}
