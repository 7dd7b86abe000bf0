using Flows.Core;
using Flows.Core.Facts;
using Flows.Core.Policy;

namespace Flows.Verbs;

/// <summary>What <c>flows policy suggest</c> wrote, for programs.</summary>
/// <param name="Replay">Null for a target whose files cannot be read back.</param>
/// <param name="Losses">What the target cannot say.</param>
internal sealed record SuggestReport(
    IReadOnlyList<PolicySummary> Policies, IReadOnlyList<ReviewItem> Review, TestReport? Replay, IReadOnlyList<ReadinessEntry> Readiness, IReadOnlyList<string> Warnings,
    IReadOnlyList<string> Losses);

/// <summary>One policy, and the file that it is in.</summary>
/// <param name="IngressRules">Null where the direction stays open.</param>
/// <param name="EgressRules">As for ingress.</param>
internal sealed record PolicySummary(string Namespace, string Name, string Pods, int? IngressRules, int? EgressRules, long Connections, string File)
{
    public static PolicySummary Of(SegmentPolicy policy) => new(
        policy.Namespace,
        policy.Name,
        policy.Pods.Text,
        policy.Ingress?.Count,
        policy.Egress?.Count,
        policy.AllRules().Sum(rule => rule.Rule.Evidence?.Connections ?? 0),
        PolicyFiles.NameOf(policy));
}

/// <summary>What a set of policies would have done to what was seen, for programs.</summary>
/// <param name="OverPermitted">Let through by a rule, and never seen; the list ends at a limit, the count does not.</param>
/// <param name="Uncovered">Workloads that no policy closes in a direction.</param>
internal sealed record TestReport(
    int Needed, long NeededConnections, IReadOnlyList<TestFinding> Denied, IReadOnlyList<TestFinding> Unsure, IReadOnlyList<TestSurplus> OverPermitted, long OverPermittedCount,
    bool OverPermittedComplete, IReadOnlyList<TestUncovered> Uncovered, IReadOnlyList<TestRule> Rules, IReadOnlyList<ReviewItem> KeptOut, IReadOnlyList<string> Notes)
{
    public static TestReport Of(ReplayResult replay) => new(
        replay.Needed,
        replay.NeededConnections,
        [.. replay.Denied.Select(TestFinding.Of)],
        [.. replay.Unsure.Select(TestFinding.Of)],
        [.. replay.Surplus.Edges.Select(edge => new TestSurplus(edge.Src, edge.Dst, IpProtocol.NameOf(edge.Protocol), edge.Port, edge.By))],
        replay.Surplus.Count,
        replay.Surplus.Complete,
        [.. replay.Uncovered.Select(one => new TestUncovered(one.Segment, TestRule.Word(one.Direction), one.Connections))],
        [.. replay.Rules.Select(TestRule.Of)],
        replay.KeptOut,
        replay.Notes);
}

/// <summary>A needed edge that the set does not surely let through, and what each end says.</summary>
internal sealed record TestFinding(EdgeEvidence Edge, string Why, SideDecision Egress, SideDecision Ingress)
{
    public static TestFinding Of(ReplayFinding finding) => new(EdgeEvidence.Of(finding.Edge), finding.Sentence, finding.Decision.Egress, finding.Decision.Ingress);
}

/// <summary>What a rule lets through and nobody did.</summary>
internal sealed record TestSurplus(string Src, string Dst, string Protocol, ushort Port, IReadOnlyList<string> By);

/// <summary>What stays open.</summary>
internal sealed record TestUncovered(string Segment, string Direction, long Connections);

/// <summary>What one rule did.</summary>
internal sealed record TestRule(
    string Policy, string Direction, int Index, string Text, string State, int Edges, long Connections, long Alone, string? LastSeen, string? ShadowedBy)
{
    public static TestRule Of(RuleUse rule) => new(
        rule.Policy, Word(rule.Direction), rule.Index, rule.Text, rule.State, rule.Edges, rule.Connections, rule.Alone, rule.LastSeenUs is > 0 and var last ? UnixTime.Text(last) : null,
        rule.ShadowedBy);

    public static string Word(Direction direction) => direction == Core.Policy.Direction.Ingress ? "ingress" : "egress";
}
