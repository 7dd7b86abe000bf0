using System.Text.Json;
using Flows.Core;
using Flows.Core.Policy;
using Microsoft.AspNetCore.Http;

namespace Flows.Web.Api;

/// <summary><c>GET policies/review</c>: what was left out of the rules, or should be checked in them, with reasons.</summary>
internal sealed class PolicyReviewEndpoint(WebParts parts)
{
    private const int LimitUsual = 200;
    private const int LimitMost = 2_000;

    public Task AnswerAsync(HttpContext context)
    {
        var (_, found) = PoliciesQuestion.Ask(context, parts);
        var question = new Question(context.Request.Query, parts.Time);
        var reason = question.OneOf("reason", ["any", .. Enum.GetValues<ReviewReason>().Select(Word)]);
        var words = (question.Text("q") ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var review = found.Suggestion.Review;
        var items = review.Where(item => (reason == "any" || Word(item.Reason) == reason) && words.All(word => Holds(item, word))).ToList();
        var offset = question.Offset();
        return WebJson.WriteAsync(
            context,
            new ReviewAnswer(
                items.Count,
                offset,
                [.. review.GroupBy(item => item.Reason).OrderBy(same => same.Key).Select(same => new ReasonCount(same.Key, same.Count()))],
                [.. items.Skip(offset).Take(question.Limit(LimitUsual, LimitMost)).Select(ReviewEntry.Of)]),
            WebJson.Default.ReviewAnswer);
    }

    private static bool Holds(ReviewItem item, string word) => ((string[])[item.Src, item.Dst, item.Detail]).Any(text => text.Contains(word, StringComparison.OrdinalIgnoreCase));

    private static string Word(ReviewReason reason) => JsonNamingPolicy.SnakeCaseLower.ConvertName(reason.ToString());
}

/// <summary>A page of what is for review.</summary>
/// <param name="Total">How much was asked for, on all pages.</param>
/// <param name="Reasons">How much there is of each, whatever was asked for.</param>
internal sealed record ReviewAnswer(int Total, int Offset, IReadOnlyList<ReasonCount> Reasons, IReadOnlyList<ReviewEntry> Items);

/// <summary>How much is for review for one reason.</summary>
internal sealed record ReasonCount(ReviewReason Reason, int Count);
