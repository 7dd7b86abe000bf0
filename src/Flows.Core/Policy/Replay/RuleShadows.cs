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
        var byTarget = set.Policies.ToLookup(policy => (policy.Namespace, FirstOf(policy.Target)));
        foreach (var policy in set.Policies)
        {
            var above = Places(policy).SelectMany(place => byTarget[place]).Where(other => other.Tier == policy.Tier && other.Target.Covers(policy.Target)).ToList();
            foreach (var (direction, index, rule) in policy.AllRules())
            {
                if (above.Select(other => By(other, policy, direction, index, rule)).FirstOrDefault(place => place is not null) is { } found)
                {
                    shadows[rule] = found;
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

    /// <summary>A target that covers another has no condition on pods that the other has not: it stands under the first of its own.</summary>
    private static string FirstOf(Segment target) => target is PodSegment { Pods.Requirements: [var first, ..] } ? first.ToString() : "";

    /// <summary>Where policies stand whose target may cover this one's.</summary>
    private static IEnumerable<(string Namespace, string First)> Places(SegmentPolicy policy) =>
        from space in policy.Namespace.Length > 0 ? (string[])["", policy.Namespace] : [""]
        from first in AnySegment.PartsOf(policy.Target).OfType<PodSegment>().SelectMany(pods => pods.Pods.Requirements).Select(one => one.ToString()).Append("").Distinct()
        select (space, first);
}
