using Flows.Core.Map;

namespace Flows.Core.Policy;

/// <summary>
/// Orders a draft for roll-out: first what takes away most reach at no known risk, last what would deny what is needed. Each end of a connection is judged
/// by the policies that govern it alone, so a step can be judged as if all others stood already, whatever their order.
/// </summary>
public sealed class RolloutPlanner
{
    private const int SentencesMost = 5;

    private readonly IReadinessSource readiness;
    private readonly FleetSegments fleet;
    private readonly EdgeJudge judge;
    private readonly Governance governance;
    private readonly ReachCounter before;
    private readonly ReachCounter after;
    private readonly PolicySet draft;
    private readonly Dictionary<string, (long Connections, List<string> Sentences)> denied = new(StringComparer.Ordinal);

    private RolloutPlanner(PolicyInput input, PolicySet current, PolicySet draft, JudgeOptions options, IReadinessSource readiness)
    {
        (this.draft, this.readiness) = (draft, readiness);
        var sieve = new EdgeSieve(input);
        var final = Together(current, draft);

        // Classes are those of the final set in all questions, since that tells more ends apart than the current one.
        judge = new EdgeJudge(sieve, final, options.NamespaceLabels, options.DialectFor(final));
        var today = new EdgeJudge(sieve, current, options.NamespaceLabels, options.DialectFor(current));
        var needed = input.Edges.Where(edge => sieve.WhyNot(edge) is null).ToList();
        fleet = new FleetSegments(input, sieve, judge.Classes, needed);
        governance = judge.Governance;
        after = new ReachCounter(fleet, judge, governance);
        before = new ReachCounter(new FleetSegments(input, sieve, today.Classes, needed), today, today.Governance);
        Today = new FleetSegments(input, sieve, today.Classes, needed).All.ToDictionary(segment => segment.Name, StringComparer.Ordinal);
        Deny(needed, today);
    }

    private Dictionary<string, FleetSegment> Today { get; }

    /// <param name="input">What was seen.</param>
    /// <param name="current">What is enforced today.</param>
    /// <param name="draft">What shall be: policies of the same name and kind replace those of today.</param>
    /// <param name="options">As for a replay.</param>
    /// <param name="readiness">How far what was seen can be relied on.</param>
    public static RolloutPlan Plan(PolicyInput input, PolicySet current, PolicySet draft, JudgeOptions options, IReadinessSource readiness) =>
        new RolloutPlanner(input, current, draft, options, readiness).Run();

    private static PolicySet Together(PolicySet current, PolicySet draft)
    {
        var replaced = draft.Policies.Select(policy => (policy.Kind, policy.Id)).ToHashSet();
        return PolicySet.Of(current.Policies.Where(policy => !replaced.Contains((policy.Kind, policy.Id))).Concat(draft.Policies));
    }

    private RolloutPlan Run()
    {
        var steps = StepGroups.Of(draft, fleet, judge.Classes, governance).Select(group => (group.IsLast, Step: StepOf(group))).ToList();
        return new RolloutPlan(
        [
            .. steps.OrderBy(one => one.Step.Advice).ThenBy(one => one.IsLast).ThenByDescending(one => Worth(one.Step)).ThenBy(one => one.Step.Denied)
                .ThenBy(one => one.Step.Policies[0], StringComparer.Ordinal).Select((one, index) => one.Step with { Number = index + 1 }),
        ]);
    }

    /// <summary>Reach that is taken away, less what the unseen may turn out to need of it.</summary>
    private static double Worth(RolloutStep step) => step.Removed * (1 - (step.Readiness?.UnseenProbability ?? 1));

    private RolloutStep StepOf(StepGroup group)
    {
        var refusals = group.Segments.Where(segment => denied.ContainsKey(segment.Name)).Select(segment => denied[segment.Name]).ToList();
        var least = group.Segments.Select(segment => readiness.Of(segment.Name)).OfType<StepReadiness>()
            .OrderBy(one => one.State).ThenByDescending(one => one.UnseenProbability).FirstOrDefault();
        var reach = group.Segments.Select(segment => (Segment: segment, In: (Before: before.In(Today[segment.Name]), After: after.In(segment)),
            Out: (Before: before.Out(Today[segment.Name]), After: after.Out(segment)))).ToList();
        var advice = group.Segments.Count == 0 ? StepAdvice.Idle
            : refusals.Count > 0 ? StepAdvice.Mend
            : least is null or { State: StepState.Learning } ? StepAdvice.Watch
            : StepAdvice.Enforce;
        return new RolloutStep(
            0,
            advice,
            [.. group.Policies.Select(policy => policy.Id).Order(StringComparer.Ordinal)],
            [.. group.Segments.Select(segment => segment.Name)],
            reach.Sum(one => one.In.Before + one.Out.Before),
            reach.Sum(one => one.In.After + one.Out.After),
            refusals.Sum(refusal => refusal.Connections),
            [.. refusals.SelectMany(refusal => refusal.Sentences).Take(SentencesMost)],
            least,
            [.. reach.SelectMany(one => Changes(one.Segment, one.In, one.Out))]);
    }

    private IEnumerable<string> Changes(FleetSegment segment, (long Before, long After) into, (long Before, long After) from)
    {
        foreach (var (direction, reach, what) in ((Direction, (long Before, long After), string)[])[(Direction.Ingress, into, "ways in"), (Direction.Egress, from, "ways out")])
        {
            var closed = segment.Classes.All(number => governance.Closing(judge.Classes[number], direction).Any());
            yield return closed
                ? $"{segment.Name}: {RuleText.Word(direction)} closes, {reach.After} of {reach.Before} {what} stay"
                : $"{segment.Name}: {RuleText.Word(direction)} stays open";
        }
    }

    /// <summary>Whom a denial is put down to: the end that refuses, and only what today does not refuse already.</summary>
    private void Deny(List<Edge> needed, EdgeJudge today)
    {
        foreach (var edge in needed)
        {
            if (judge.Judge(edge).FirstOrDefault(answer => !answer.Decision.Allowed)?.Decision is { } refusal && today.Judge(edge).Any(answer => answer.Decision.Allowed))
            {
                var refusing = refusal.Egress.Allowed ? edge.Dst : edge.Src;
                var name = SegmentKey.TextOf(refusing, SegmentLevel.Workload);
                var (connections, sentences) = denied.GetValueOrDefault(name, (0, []));
                if (sentences.Count < SentencesMost)
                {
                    sentences.Add(PolicyReplay.Sentence(edge, refusal));
                }

                denied[name] = (connections + edge.Connections, sentences);
            }
        }
    }
}
