using Flows.Core;
using Flows.Core.Policy;
using Microsoft.AspNetCore.Http;

namespace Flows.Web.Api;

/// <summary>What all questions about policies have in common: <c>since, until, level, target, segment, cluster, fresh</c>.</summary>
internal static class PoliciesQuestion
{
    /// <summary>The words for levels; the first is meant where none is given.</summary>
    public static string[] Levels { get; } = [.. Enum.GetNames<SegmentLevel>().Select(name => name.ToLowerInvariant())];

    /// <summary>Reads the question and asks it.</summary>
    /// <exception cref="FlowsException">A word is not known, or the question cannot be answered.</exception>
    public static (PolicyQuestion Question, SuggestedPolicies Answer) Ask(HttpContext context, WebParts parts)
    {
        var given = new Question(context.Request.Query, parts.Time);
        _ = given.Span();
        var question = new PolicyQuestion(
            given.Text("since"),
            given.Text("until"),
            Enum.Parse<SegmentLevel>(given.OneOf("level", Levels), ignoreCase: true),
            SuggestTarget.Named(given.OneOf("target", [.. SuggestTarget.All.Select(target => target.Name)])),
            given.Text("segment") is { } segment ? SegmentFilter.Parse(segment) : null,
            given.Text("cluster"));
        return (question, parts.Policies(question, given.OneOf("fresh", "false", "true") == "true"));
    }
}
