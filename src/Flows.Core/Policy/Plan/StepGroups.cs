namespace Flows.Core.Policy;

/// <summary>Policies that must take effect together: one alone would cut off what the others of the same workload allow.</summary>
internal sealed record StepGroup(IReadOnlyList<SegmentPolicy> Policies, IReadOnlyList<FleetSegment> Segments, bool IsLast);

/// <summary>
/// Splits a draft into such groups. Policies that share a workload go together, with one exception: a policy that only closes, such as a namespace's default
/// deny, adds nothing that others need and comes after those that it would otherwise tie into one big step.
/// </summary>
internal static class StepGroups
{
    public static IReadOnlyList<StepGroup> Of(PolicySet draft, FleetSegments fleet, PartyClasses classes, Governance governance)
    {
        var number = draft.Policies.Select((policy, index) => (policy, index)).ToDictionary(one => one.policy, one => one.index, (IEqualityComparer<SegmentPolicy>)ReferenceEqualityComparer.Instance);
        var parent = Enumerable.Range(0, draft.Policies.Count).ToArray();
        var governed = draft.Policies.Select(_ => new List<FleetSegment>()).ToArray();
        foreach (var segment in fleet.All)
        {
            var its = segment.Classes.SelectMany(one => governance.Of(classes[one], Direction.Ingress).Concat(governance.Of(classes[one], Direction.Egress)))
                .Select(policy => number.TryGetValue(policy, out var index) ? index : -1).Where(index => index >= 0).Distinct().ToList();
            its.Where(index => !OnlyCloses(draft.Policies[index]) || ClosesAlone(segment, draft.Policies[index], classes, governance)).ToList()
                .ForEach(index => governed[index].Add(segment));
            var tied = its.Where(index => !OnlyCloses(draft.Policies[index])).ToList();
            tied.Skip(1).ToList().ForEach(index => parent[Root(parent, index)] = Root(parent, tied[0]));
        }

        return
        [
            .. Enumerable.Range(0, parent.Length).GroupBy(index => Root(parent, index)).Select(group => new StepGroup(
                [.. group.Select(index => draft.Policies[index])],
                [.. group.SelectMany(index => governed[index]).Distinct().OrderBy(segment => segment.Key)],
                group.All(index => OnlyCloses(draft.Policies[index])))),
        ];
    }

    private static bool OnlyCloses(SegmentPolicy policy) => !policy.AllRules().Any();

    /// <summary>Whether a direction of the workload stays open without the policy: else it changes nothing there.</summary>
    private static bool ClosesAlone(FleetSegment segment, SegmentPolicy policy, PartyClasses classes, Governance governance) =>
        ((Direction[])[Direction.Ingress, Direction.Egress]).Any(direction => policy.Rules(direction) is not null && policy.Closes(direction)
            && segment.Classes.Any(number => !governance.Closing(classes[number], direction).Any(other => !ReferenceEquals(other, policy))));

    private static int Root(int[] parent, int index)
    {
        while (parent[index] != index)
        {
            index = parent[index] = parent[parent[index]];
        }

        return index;
    }
}
