using Microsoft.AspNetCore.Http;

namespace Flows.Web.Api;

/// <summary><c>GET policies</c>: what the policy engine suggests for what was observed, with the reasons.</summary>
internal sealed class PoliciesEndpoint(WebParts parts)
{
    private const int LimitUsual = 200;
    private const int LimitMost = 1_000;

    public Task AnswerAsync(HttpContext context)
    {
        var question = new Question(context.Request.Query, parts.Time);
        var (since, until) = question.Span();
        var level = question.OneOf("level", "workload", "namespace");
        var limit = question.Limit(LimitUsual, LimitMost);
        var (policies, review) = parts.Policies(level, since, until);
        return WebJson.WriteAsync(context, new PoliciesAnswer(level, [.. policies.Take(limit)], policies.Count, review), WebJson.Default.PoliciesAnswer);
    }
}

/// <summary>Suggested policies.</summary>
/// <param name="Total">How many there are, with those beyond the limit.</param>
/// <param name="Review">What concerns none of them.</param>
internal sealed record PoliciesAnswer(string Level, IReadOnlyList<SuggestedPolicy> Policies, int Total, IReadOnlyList<string> Review);
