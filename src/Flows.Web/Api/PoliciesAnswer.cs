using Flows.Core.Policy;

namespace Flows.Web.Api;

/// <summary>A page of suggested policies, and what holds for all of them.</summary>
/// <param name="Cluster">Null where the store knows pods of none.</param>
/// <param name="Derived">When it was derived: the same question within the next minutes gets the same answer.</param>
/// <param name="Total">How many there are that were asked for, on all pages.</param>
/// <param name="States">How many segments are how far known.</param>
/// <param name="Review">How much is left for review.</param>
/// <param name="Warnings">Evidence that looks made up: the first of it.</param>
/// <param name="WarningCount">How much there is.</param>
/// <param name="Losses">What the target cannot say.</param>
/// <param name="Replay">The written policies over what was seen; null for a target that no reader takes.</param>
internal sealed record PoliciesAnswer(
    string Level, string Target, string? Cluster, string Derived, int Total, int Offset, IReadOnlyList<PolicyAnswer> Policies, StateCounts States, int Review,
    IReadOnlyList<string> Warnings, int WarningCount, LossesAnswer Losses, ReplayAnswer? Replay);

/// <summary>One policy.</summary>
/// <param name="Segment">The segment that it was made for, as review and readiness call it.</param>
/// <param name="Governs">Whom it governs.</param>
/// <param name="IngressRules">Null where the direction stays open.</param>
/// <param name="EgressRules">As for ingress.</param>
/// <param name="Connections">Connections behind its rules.</param>
/// <param name="Readiness">Null where it governs no segment of its own, as a default deny does.</param>
/// <param name="Detail">Null in a summary.</param>
internal sealed record PolicyAnswer(
    string Id, string Namespace, string Name, string Segment, string Governs, int? IngressRules, int? EgressRules, long Connections, int Review, int Losses,
    ReadinessEntry? Readiness, PolicyDetail? Detail)
{
    public static PolicyAnswer Of(SegmentPolicy policy, SuggestedPolicies found, bool full) => new(
        policy.Id,
        policy.Namespace,
        policy.Name,
        policy.Subject,
        policy.Target.ToString(),
        policy.Ingress?.Count,
        policy.Egress?.Count,
        ConnectionsOf(policy),
        found.ReviewOf(policy).Count(),
        found.LossesOf(policy).Count(),
        found.ReadinessOf(policy) is { } ready ? ReadinessEntry.Of(ready) : null,
        full ? PolicyDetail.Of(policy, found) : null);

    public static long ConnectionsOf(SegmentPolicy policy) => policy.AllRules().Sum(rule => rule.Rule.Evidence?.Connections ?? 0);
}

/// <summary>Why a policy says what it says, and what it says. Long lists end at a limit, which the counts beside them do not.</summary>
internal sealed record PolicyDetail(IReadOnlyList<RuleReasons> Rules, int RuleCount, IReadOnlyList<ReviewEntry> Review, IReadOnlyList<LossAnswer> Losses, IReadOnlyList<FileAnswer> Files)
{
    private const int RulesMost = 200;
    private const int EdgesMost = 10;
    private const int ItemsMost = 100;

    public static PolicyDetail Of(SegmentPolicy policy, SuggestedPolicies found)
    {
        var rules = policy.AllRules().ToList();
        return new(
            [.. rules.Take(RulesMost).Select(rule => RuleReasons.Of(rule.Direction, rule.Index, rule.Rule, EdgesMost))],
            rules.Count,
            [.. found.ReviewOf(policy).Take(ItemsMost).Select(ReviewEntry.Of)],
            [.. found.LossesOf(policy).Take(ItemsMost).Select(LossAnswer.Of)],
            [.. found.TextOf(policy).Select(file => new FileAnswer(file.Name, file.Text))]);
    }
}

/// <summary>A file in the words of the target.</summary>
internal sealed record FileAnswer(string Name, string Text);

/// <summary>How many segments are how far known.</summary>
internal sealed record StateCounts(int Learning, int Stabilising, int Stable)
{
    public static StateCounts Of(IReadOnlyList<SegmentReadiness> readiness) => new(
        readiness.Count(ready => ready.State == ReadinessState.Learning),
        readiness.Count(ready => ready.State == ReadinessState.Stabilising),
        readiness.Count(ready => ready.State == ReadinessState.Stable));
}

/// <summary>Something that the target cannot say.</summary>
/// <param name="Effect">What that does to traffic, in words.</param>
internal sealed record LossAnswer(string Policy, string Place, string Effect, string What)
{
    public static LossAnswer Of(Loss loss) => new(loss.Policy, loss.Place, loss.EffectText, loss.What);
}

/// <summary>What the target cannot say, the first of it.</summary>
/// <param name="Exact">Whether the target means what the model means.</param>
internal sealed record LossesAnswer(int Total, bool Exact, IReadOnlyList<LossAnswer> Items)
{
    private const int ItemsMost = 100;

    public static LossesAnswer Of(IReadOnlyList<Loss> losses) =>
        new(losses.Count, losses.All(loss => loss.Effect == LossEffect.Note), [.. losses.Take(ItemsMost).Select(LossAnswer.Of)]);
}

/// <summary>What the written policies would have done to what was seen.</summary>
/// <param name="Needed">Edges that are needed.</param>
/// <param name="Denied">How many of them would have been denied: none, unless something is wrong.</param>
/// <param name="Because">A sentence for each of the first of them.</param>
internal sealed record ReplayAnswer(int Needed, long NeededConnections, int Denied, int Unsure, IReadOnlyList<string> Because)
{
    private const int SentencesMost = 20;

    public static ReplayAnswer Of(ReplayResult replay) =>
        new(replay.Needed, replay.NeededConnections, replay.Denied.Count, replay.Unsure.Count, [.. replay.Denied.Take(SentencesMost).Select(finding => finding.Sentence)]);
}
