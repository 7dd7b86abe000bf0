using Flows.Core;
using Flows.Core.Policy;
using Microsoft.AspNetCore.Http;

namespace Flows.Web.Api;

/// <summary><c>GET policies/plan</c>: in which order to enforce what is suggested, and what each step changes.</summary>
internal sealed class PolicyPlanEndpoint(WebParts parts)
{
    private const int LimitUsual = 200;
    private const int LimitMost = 2_000;

    public Task AnswerAsync(HttpContext context)
    {
        var (_, found) = PoliciesQuestion.Ask(context, parts);
        var question = new Question(context.Request.Query, parts.Time);
        var steps = found.Plan().Steps;
        var offset = question.Offset();
        return WebJson.WriteAsync(
            context, new PlanAnswer(steps.Count, offset, [.. steps.Skip(offset).Take(question.Limit(LimitUsual, LimitMost))]), WebJson.Default.PlanAnswer);
    }
}

/// <summary>Steps in the order in which to take them.</summary>
/// <param name="Total">How many there are, on all pages.</param>
internal sealed record PlanAnswer(int Total, int Offset, IReadOnlyList<RolloutStep> Steps);
