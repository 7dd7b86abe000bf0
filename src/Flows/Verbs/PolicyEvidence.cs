using Flows.Core.Policy;

namespace Flows.Verbs;

/// <summary>Why the rules of a policy are there, as <c>evidence.json</c> tells it.</summary>
/// <param name="File">Where the policy itself is.</param>
internal sealed record PolicyEvidence(string File, string Pods, IReadOnlyList<RuleReasons> Rules)
{
    private const int EdgesMost = 200;

    public static PolicyEvidence Of(SegmentPolicy policy) =>
        new(PolicyFiles.NameOf(policy), policy.Pods.Text, [.. policy.AllRules().Select(rule => RuleReasons.Of(rule.Direction, rule.Index, rule.Rule, EdgesMost))]);
}
