using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.Core.Map;

namespace Flows.Core.Policy;

/// <summary>Judges recorded edges by a set.</summary>
public static class PolicyReplay
{
    /// <summary>Replays every edge of the input, and no more; its level only decides how workloads are called in <see cref="ReplayResult.KeptOut"/>.</summary>
    public static ReplayResult Run(PolicyInput input, PolicySet set) => Run(input, set, new JudgeOptions { Whole = false });

    /// <summary>As the other, of the input that a suggestion was made from; its edges need not be sifted again.</summary>
    /// <param name="input">The suggestion's.</param>
    /// <param name="set">The suggestion's set as it was read back.</param>
    /// <param name="suggestion">Tells which edges are needed.</param>
    public static ReplayResult Run(PolicyInput input, PolicySet set, Suggestion suggestion) => Run(input, set, new JudgeOptions { Whole = false }, suggestion.Sieve ?? new EdgeSieve(input));

    /// <summary>As the first, with what else is known, and what the set does beyond the edges.</summary>
    public static ReplayResult Run(PolicyInput input, PolicySet set, JudgeOptions options) => Run(input, set, options, new EdgeSieve(input));

    private static ReplayResult Run(PolicyInput input, PolicySet set, JudgeOptions options, EdgeSieve sieve)
    {
        var judge = new EdgeJudge(sieve, set, options.NamespaceLabels, options.DialectFor(set));
        List<ReviewItem> keptOut = [];
        List<Edge> needed = [];
        List<(Edge Edge, PolicyDecision Refusal)> denied = [];
        List<(Edge Edge, PolicyDecision Refusal)> unsure = [];
        foreach (var edge in input.Edges)
        {
            if (sieve.WhyNot(edge) is { } reason)
            {
                keptOut.Add(sieve.Item(edge, reason));
                continue;
            }

            needed.Add(edge);
            var answers = judge.Judge(edge);
            EdgeJudge.Count(edge, answers);
            if (answers.FirstOrDefault(answer => !answer.Decision.Allowed) is { } refusal)
            {
                (answers.Any(answer => answer.Decision.Allowed) ? unsure : denied).Add((edge, refusal.Decision));
            }
        }

        var result = new ReplayResult
        {
            Needed = needed.Count,
            NeededConnections = needed.Sum(edge => edge.Connections),
            Denied = Findings(denied),
            Unsure = Findings(unsure),
            KeptOut = ReviewItem.Merge(keptOut),
            Notes = ReplayNotes.Of(set, options.NamespaceLabels is not null, PodsWithoutPorts(needed, sieve)),
        };
        return options.Whole ? Whole(result, input, sieve, judge, needed, set, options) : result;
    }

    /// <summary>Which end refuses, what isolates it, and which rule is missing.</summary>
    internal static string Sentence(Edge edge, PolicyDecision decision)
    {
        var src = SegmentKey.TextOf(edge.Src, SegmentLevel.Workload);
        var dst = SegmentKey.TextOf(edge.Dst, SegmentLevel.Workload);
        var port = $"{IpProtocol.NameOf(edge.Protocol).ToUpperInvariant()} {edge.DstPort}";
        var egress = decision.Egress.Allowed ? null : $"{No(decision.Egress, src)} egress to {dst} on {port} ({By(decision.Egress, Direction.Egress)})";
        var ingress = decision.Ingress.Allowed ? null : $"{No(decision.Ingress, dst)} ingress from {src} on {port} ({By(decision.Ingress, Direction.Ingress)})";
        return string.Join("; ", ((string?[])[egress, ingress]).OfType<string>());
    }

    private static ReplayResult Whole(
        ReplayResult result, PolicyInput input, EdgeSieve sieve, EdgeJudge judge, List<Edge> needed, PolicySet set, JudgeOptions options)
    {
        // Before anything else is asked: only what was seen counts as use.
        var tally = new RuleTally();
        foreach (var verdict in judge.Verdicts)
        {
            tally.Add(verdict);
        }

        var fleet = new FleetSegments(input, sieve, judge.Classes, needed);
        return result with
        {
            Rules = tally.Of(set),
            Uncovered = UncoveredSegment.Of(fleet, judge.Classes, judge.Governance),
            Surplus = new Surplus(fleet, judge, options.Limits).Find(),
        };
    }

    private static int PodsWithoutPorts(List<Edge> needed, EdgeSieve sieve) =>
        needed.Select(edge => edge.Dst).Distinct<Entity>(ReferenceEqualityComparer.Instance).Count(dst => dst.Ports.Count == 0 && sieve.Selectable(dst));

    private static IReadOnlyList<ReplayFinding> Findings(List<(Edge Edge, PolicyDecision Refusal)> refused)
    {
        var byEdge = new Dictionary<Edge, PolicyDecision>(ReferenceEqualityComparer.Instance);
        refused.ForEach(one => byEdge[one.Edge] = one.Refusal);
        return [.. EdgeOrder.Sorted(refused.Select(one => one.Edge)).Select(edge => new ReplayFinding(edge, byEdge[edge], Sentence(edge, byEdge[edge])))];
    }

    private static string No(SideDecision side, string segment) => side.By.Count > 0 ? $"a rule denies {segment}'s" : $"no rule of {segment} allows";

    private static string By(SideDecision side, Direction direction) => side.By.Count > 0
        ? string.Join(", ", side.By.Select(rule => RuleText.Place(rule.Policy, direction, rule.Rule)))
        : $"isolated by {string.Join(", ", side.IsolatedBy)}";
}
