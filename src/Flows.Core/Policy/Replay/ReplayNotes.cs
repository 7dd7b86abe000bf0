namespace Flows.Core.Policy;

/// <summary>Says which rules ask for what the ledger does not know.</summary>
internal static class ReplayNotes
{
    public static IReadOnlyList<string> Of(PolicySet set, bool namespacesKnown) =>
        [.. set.Policies.SelectMany(policy => Of(policy, namespacesKnown)).Distinct().Order(StringComparer.Ordinal)];

    private static IEnumerable<string> Of(SegmentPolicy policy, bool namespacesKnown)
    {
        foreach (var (direction, index, rule) in policy.AllRules())
        {
            var place = RuleText.Place(policy.Id, direction, index);
            foreach (var port in rule.Ports.Where(port => port.Name is not null))
            {
                yield return $"{place}: the named port '{port.Name}' needs the ports of containers, which the ledger does not know; it was taken to match nothing.";
            }

            foreach (var key in rule.Peers.OfType<PodSegment>().SelectMany(peer => peer.Namespaces.Requirements).Select(requirement => requirement.Key)
                .Where(key => key != PodSegment.NameLabel && !namespacesKnown))
            {
                yield return $"{place}: the namespace label '{key}' is not in the ledger, which knows namespaces by name only; no namespace was taken to carry it.";
            }
        }
    }
}
