using Flows.Core;
using Flows.Core.Policy;
using Microsoft.AspNetCore.Http;

namespace Flows.Web.Api;

/// <summary>
/// <c>GET policies</c>: what the policy engine suggests for what was observed. A list in pages; with <c>policy</c> one of it, with <c>detail=full</c> all of a
/// page with rules, evidence and text.
/// </summary>
internal sealed class PoliciesEndpoint(WebParts parts)
{
    private const int LimitUsual = 200;
    private const int SummariesMost = 1_000;
    private const int WarningsMost = 100;

    // A policy with its evidence and text is some 10 kB.
    private const int PoliciesMost = 200;

    public Task AnswerAsync(HttpContext context)
    {
        var (asked, found) = PoliciesQuestion.Ask(context, parts);
        var question = new Question(context.Request.Query, parts.Time);
        var wanted = question.Text("policy");
        var full = question.OneOf("detail", "summary", "full") == "full" || wanted is not null;
        var policies = Sorted(found, question.OneOf("sort", "readiness", "risk", "connections", "name"))
            .Where(Chosen(found, wanted, question.OneOf("state", "any", "learning", "stabilising", "stable"), question.Text("q") ?? "")).ToList();
        if (wanted is not null && policies.Count == 0)
        {
            return Problem.WriteAsync(context, StatusCodes.Status404NotFound, $"No policy '{wanted}' is suggested for that question.");
        }

        var offset = question.Offset();
        var page = policies.Skip(offset).Take(question.Limit(LimitUsual, full ? PoliciesMost : SummariesMost));
        return WebJson.WriteAsync(
            context,
            new PoliciesAnswer(
                question.OneOf("level", PoliciesQuestion.Levels),
                asked.Target.Name,
                found.Cluster,
                UnixTime.Text(found.DerivedUs),
                policies.Count,
                offset,
                [.. page.Select(policy => PolicyAnswer.Of(policy, found, full))],
                StateCounts.Of(found.Suggestion.Readiness),
                found.Suggestion.Review.Count,
                [.. found.Suggestion.Warnings.Take(WarningsMost)],
                found.Suggestion.Warnings.Count,
                LossesAnswer.Of(found.Losses),
                found.Replay is { } replay ? ReplayAnswer.Of(replay) : null),
            WebJson.Default.PoliciesAnswer);
    }

    private static Func<SegmentPolicy, bool> Chosen(SuggestedPolicies found, string? id, string state, string text) => policy =>
        (id is null || policy.Id == id)
        && (state == "any" || (found.ReadinessOf(policy) is { } ready && string.Equals(ready.State.ToString(), state, StringComparison.OrdinalIgnoreCase)))
        && text.Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .All(word => policy.Id.Contains(word, StringComparison.OrdinalIgnoreCase) || policy.Subject.Contains(word, StringComparison.OrdinalIgnoreCase));

    /// <summary>By readiness: what can be enforced first. By risk: what is most likely to deny something that was never seen.</summary>
    private static IEnumerable<SegmentPolicy> Sorted(SuggestedPolicies found, string by)
    {
        var policies = found.Suggestion.Set.Policies;
        return by switch
        {
            "name" => policies.OrderBy(policy => policy.Id, StringComparer.Ordinal),
            "connections" => policies.OrderByDescending(PolicyAnswer.ConnectionsOf).ThenBy(policy => policy.Id, StringComparer.Ordinal),
            "risk" => policies.OrderByDescending(policy => found.ReadinessOf(policy)?.NextHour.High ?? -1).ThenByDescending(PolicyAnswer.ConnectionsOf)
                .ThenBy(policy => policy.Id, StringComparer.Ordinal),
            _ => policies.OrderByDescending(policy => found.ReadinessOf(policy) is { } ready ? (int)ready.State : -1)
                .ThenBy(policy => found.ReadinessOf(policy)?.NextHour.High).ThenBy(policy => policy.Id, StringComparer.Ordinal),
        };
    }
}
