namespace Flows.Core.Policy;

/// <summary>What one rule did to what was seen.</summary>
/// <param name="Connections">Needed connections that it decided, alone or with others.</param>
/// <param name="Alone">Of these: connections that no other rule of that end decides, so that they hang on this one.</param>
/// <param name="ShadowedBy">A rule that says the same wherever this one speaks, as far as the text shows; null: none.</param>
public sealed record RuleUse(
    string Policy, string Kind, Direction Direction, int Index, string Text, RuleAction Action, int Edges, long Connections, long Alone, long? LastSeenUs, string? ShadowedBy)
{
    /// <summary>Nothing that was seen and needed is decided by it.</summary>
    public bool IsUnused => Connections == 0;

    /// <summary>Others decide all that it decides: without it the same connections pass.</summary>
    public bool IsRedundant => Connections > 0 && Alone == 0;

    /// <summary>What there is to say about it, in one word.</summary>
    public string State => ShadowedBy is not null ? "shadowed" : IsUnused ? "unused" : IsRedundant ? "redundant" : "used";
}

/// <summary>Adds up what each rule decided.</summary>
internal sealed class RuleTally
{
    private sealed class Sum
    {
        public int Edges { get; set; }

        public long Connections { get; set; }

        public long Alone { get; set; }

        public long LastSeenUs { get; set; }
    }

    private readonly Dictionary<(string Policy, Direction Direction, int Index), Sum> sums = [];

    public void Add(Verdict verdict)
    {
        Add(verdict, Direction.Egress, verdict.Decision.Egress);
        Add(verdict, Direction.Ingress, verdict.Decision.Ingress);
    }

    public IReadOnlyList<RuleUse> Of(PolicySet set)
    {
        var shadows = RuleShadows.Of(set);
        return [.. set.Policies.SelectMany(policy => policy.AllRules().Select(rule =>
        {
            var sum = sums.GetValueOrDefault((policy.Id, rule.Direction, rule.Index));
            return new RuleUse(
                policy.Id, policy.Kind, rule.Direction, rule.Index, RuleText.Of(rule.Direction, rule.Rule), rule.Rule.Action, sum?.Edges ?? 0, sum?.Connections ?? 0, sum?.Alone ?? 0,
                sum?.LastSeenUs, shadows.GetValueOrDefault(rule.Rule));
        }))];
    }

    private void Add(Verdict verdict, Direction direction, SideDecision side)
    {
        foreach (var rule in side.By)
        {
            var key = (rule.Policy, direction, rule.Rule);
            if (!sums.TryGetValue(key, out var sum))
            {
                sums[key] = sum = new Sum();
            }

            sum.Edges += verdict.Edges;
            sum.Connections += verdict.Connections;
            sum.Alone += side.By.Count == 1 ? verdict.Connections : 0;
            sum.LastSeenUs = Math.Max(sum.LastSeenUs, verdict.LastSeenUs);
        }
    }
}
