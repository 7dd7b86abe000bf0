using System.Globalization;

namespace Flows.Core.Policy;

/// <summary>Says which rules ask for what the ledger does not know.</summary>
internal static class ReplayNotes
{
    /// <param name="unnamed">How many pods that connections were needed to have no named port that the ledger knows of.</param>
    public static IReadOnlyList<string> Of(PolicySet set, bool namespacesKnown, int unnamed) =>
        [.. set.Policies.SelectMany(policy => Of(policy, namespacesKnown, unnamed)).Distinct().Order(StringComparer.Ordinal)];

    private static IEnumerable<string> Of(SegmentPolicy policy, bool namespacesKnown, int unnamed)
    {
        foreach (var (direction, index, rule) in policy.AllRules())
        {
            var place = RuleText.Place(policy.Id, direction, index);
            foreach (var port in rule.Ports.Where(port => port.Name is not null && unnamed > 0))
            {
                yield return string.Create(CultureInfo.InvariantCulture,
                    $"{place}: unresolved named port '{port.Name}': of {unnamed} pods that were needed the ledger knows no named port at all, and the name was taken to match nothing there.");
            }

            foreach (var key in rule.Peers.OfType<PodSegment>().SelectMany(peer => peer.Namespaces.Requirements).Select(requirement => requirement.Key)
                .Where(key => key != PodSegment.NameLabel && !namespacesKnown))
            {
                yield return $"{place}: the namespace label '{key}' is not in the ledger, which knows namespaces by name only; no namespace was taken to carry it.";
            }
        }
    }
}
