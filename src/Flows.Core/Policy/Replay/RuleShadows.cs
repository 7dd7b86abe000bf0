namespace Flows.Core.Policy;

/// <summary>
/// Finds rules that another one makes needless, from the text alone: it speaks of the same ends, peers and ports or more, is asked no later, and says
/// the same, or says it finally before.
/// </summary>
internal static class RuleShadows
{
    /// <summary>By rule, the place of the first rule that shadows it.</summary>
    public static IReadOnlyDictionary<Rule, string> Of(PolicySet set)
    {
        Dictionary<Rule, string> shadows = new(ReferenceEqualityComparer.Instance);
        var wide = set.Policies.Where(policy => NamespaceOf(policy) is null).ToList();
        foreach (var together in set.Policies.GroupBy(NamespaceOf))
        {
            foreach (var policy in together)
            {
                var above = (together.Key is null ? wide : wide.Concat(together)).Where(other => other.Tier == policy.Tier && other.Target.Covers(policy.Target)).ToList();
                foreach (var (direction, index, rule) in policy.AllRules())
                {
                    if (above.Select(other => By(other, policy, direction, index, rule)).FirstOrDefault(place => place is not null) is { } found)
                    {
                        shadows[rule] = found;
                    }
                }
            }
        }

        return shadows;
    }

    private static string? By(SegmentPolicy other, SegmentPolicy policy, Direction direction, int index, Rule rule)
    {
        var same = ReferenceEquals(other, policy);
        foreach (var (its, number, wider) in other.AllRules())
        {
            if (its == direction && !(same && number == index) && Outweighs(other, number, wider, policy, index, rule) && Covers(wider, rule)
                && !(Covers(rule, wider) && rule.Action == wider.Action && IsBefore(policy, index, other, number)))
            {
                return RuleText.Place(other.Id, direction, number);
            }
        }

        return null;
    }

    /// <summary>Whether the other rule has its say wherever both match, with the same outcome as without this one.</summary>
    private static bool Outweighs(SegmentPolicy other, int number, Rule wider, SegmentPolicy policy, int index, Rule rule) => (other.Order, policy.Order) switch
    {
        (null, null) => wider.Action == rule.Action || wider.Action == RuleAction.Deny || (wider.Action == RuleAction.Allow && rule.Action == RuleAction.Pass),
        ({ } its, { } own) => its < own || (its.Equals(own) && (ReferenceEquals(other, policy) ? number < index : string.CompareOrdinal(other.Name, policy.Name) < 0)),
        _ => false,
    };

    private static bool Covers(Rule wider, Rule rule) =>
        (wider.Peers.Count == 0 || (rule.Peers.Count > 0 && rule.Peers.All(peer => wider.Peers.Any(its => its.Covers(peer)))))
        && (wider.Ports.Count == 0 || (rule.Ports.Count > 0 && rule.Ports.All(port => wider.Ports.Any(its => its.Covers(port)))));

    /// <summary>Of two rules that say exactly the same, only the later one is shadowed.</summary>
    private static bool IsBefore(SegmentPolicy a, int indexA, SegmentPolicy b, int indexB)
    {
        var byName = string.CompareOrdinal(a.Id, b.Id);
        return byName < 0 || (byName == 0 && indexA < indexB);
    }

    private static string? NamespaceOf(SegmentPolicy policy) => policy.Namespace.Length > 0 ? policy.Namespace : null;
}
