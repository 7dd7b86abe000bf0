using System.Text.Json;
using Flows.Core.Map;

namespace Flows.Core.Policy;

/// <summary>What a draft would have done to one edge of one hour.</summary>
/// <param name="Verdict"><c>allowed</c>, <c>denied</c>, <c>unsure</c> where it depends on which of an end's addresses was used, or <c>not_needed</c>.</param>
/// <param name="Why">Of a denial which end refuses and for want of what; of what is not needed the reason; else empty.</param>
/// <param name="Rules">The rules that decided, as <c>shop/api ingress[0]</c>, joined by commas.</param>
public sealed record DraftDecision(long HourUs, Edge Edge, string Verdict, string Why, string Rules)
{
    /// <summary>One for each edge, so that their connections add up to those of the hour.</summary>
    public static IReadOnlyList<DraftDecision> Of(long hourUs, PolicyInput hour, PolicySet draft, JudgeOptions options)
    {
        var sieve = new EdgeSieve(hour);
        var judge = new EdgeJudge(sieve, draft, options.NamespaceLabels, options.DialectFor(draft));
        return [.. hour.Edges.Select(edge => Of(hourUs, edge, sieve, judge))];
    }

    private static DraftDecision Of(long hourUs, Edge edge, EdgeSieve sieve, EdgeJudge judge)
    {
        if (sieve.WhyNot(edge) is { } reason)
        {
            return new DraftDecision(hourUs, edge, "not_needed", JsonNamingPolicy.SnakeCaseLower.ConvertName(reason.ToString()), "");
        }

        var answers = judge.Judge(edge);
        var refusal = answers.FirstOrDefault(answer => !answer.Decision.Allowed)?.Decision;
        var decision = refusal ?? answers[0].Decision;
        var rules = decision.Egress.By.Select(rule => RuleText.Place(rule.Policy, Direction.Egress, rule.Rule))
            .Concat(decision.Ingress.By.Select(rule => RuleText.Place(rule.Policy, Direction.Ingress, rule.Rule)));
        var verdict = refusal is null ? "allowed" : answers.Any(answer => answer.Decision.Allowed) ? "unsure" : "denied";
        return new DraftDecision(hourUs, edge, verdict, refusal is null ? "" : PolicyReplay.Sentence(edge, refusal), string.Join(", ", rules));
    }
}
