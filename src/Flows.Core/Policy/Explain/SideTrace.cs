namespace Flows.Core.Policy;

/// <summary>Tells how one end of a connection comes to its decision: who governs it, which rules match, which nearly do.</summary>
internal sealed class SideTrace(PolicySet set, Governance governance)
{
    // Whoever has more rules reads the policy.
    private const int NearMissesMost = 8;

    private readonly Dictionary<string, SegmentPolicy> byId = set.Policies.GroupBy(policy => policy.Id).ToDictionary(same => same.Key, same => same.First(), StringComparer.Ordinal);

    public IReadOnlyList<string> Of(Direction direction, Party subject, Party peer, Connection connection, SideDecision decision)
    {
        var word = RuleText.Word(direction);
        if (decision.By.Count > 0)
        {
            return [.. decision.By.Select(rule => $"{(decision.Allowed ? "allowed" : "denied")} by {Described(direction, rule)}"), .. Ordered(direction, subject)];
        }

        var governing = governance.Of(subject, direction).ToList();
        if (decision.Allowed)
        {
            return governing.Count == 0
                ? [$"allowed: no policy speaks of {word} here, so it is open"]
                : [$"allowed: no rule matches, and none of {Names(governing)} closes {word}"];
        }

        List<string> lines = [$"denied by default: {string.Join(", ", decision.IsolatedBy)} {(decision.IsolatedBy.Count == 1 ? "closes" : "close")} {word}, and no rule matches"];
        var rules = governing.SelectMany(policy => policy.Rules(direction)!.Select((rule, index) => (policy, rule, index))).ToList();
        lines.AddRange(rules.Select(one => (one.policy, one.rule, one.index, Miss: Miss(one.rule, peer, connection))).OrderBy(one => one.Miss.Both).Take(NearMissesMost)
            .Select(one => $"{RuleText.Place(one.policy.Id, direction, one.index)} {RuleText.Of(direction, one.rule)}: {one.Miss.Text}"));
        if (rules.Count > NearMissesMost)
        {
            lines.Add($"and {rules.Count - NearMissesMost} more rules that match neither");
        }

        return lines;
    }

    /// <summary>Where tiers or orders decide, who was asked first.</summary>
    private IEnumerable<string> Ordered(Direction direction, Party subject)
    {
        var asked = governance.Of(subject, direction).ToList();
        return asked.Exists(policy => policy.Order is not null || policy.Tier != Tier.Application)
            ? [$"asked in this order: {string.Join(", ", asked.Select(policy => $"{policy.Id} ({policy.Tier}{(policy.Order is { } order ? FormattableString.Invariant($" {order}") : "")})"))}"]
            : [];
    }

    private string Described(Direction direction, RuleReference reference)
    {
        var place = RuleText.Place(reference.Policy, direction, reference.Rule);
        if (!byId.TryGetValue(reference.Policy, out var policy) || policy.Rules(direction) is not { } rules || reference.Rule >= rules.Count)
        {
            return place;
        }

        var rule = rules[reference.Rule];
        var origin = policy.Origin.Length > 0 ? $" ({policy.Origin})" : "";
        return $"{place}{origin}, which {RuleText.Of(direction, rule)}{(rule.Reason is { } reason ? $": {reason}" : "")}";
    }

    private (string Text, bool Both) Miss(Rule rule, Party peer, Connection connection)
    {
        var ports = rule.Ports.Count == 0 || rule.Ports.Any(port => port.Protocol == connection.Protocol
            && (port.Name is null ? port.First is null || (connection.Port >= port.First && connection.Port <= port.Last) : false));
        var peers = rule.Peers.Count == 0 || rule.Peers.Any(one => governance.Holds(one, peer));
        return (ports ? "the peer is another" : peers ? "the port is another" : "peer and port are others", !ports && !peers);
    }

    private static string Names(List<SegmentPolicy> policies) => string.Join(", ", policies.Select(policy => policy.Id));
}
