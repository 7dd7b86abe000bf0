namespace Flows.Core.Policy;

/// <summary>One tier as it concerns one end in one direction.</summary>
/// <param name="Steps">In the order in which they are asked.</param>
/// <param name="ClosedBy">The policies that deny what none of the steps decides; empty: the next tier is asked.</param>
internal sealed record TierView(IReadOnlyList<PolicyStep> Steps, IReadOnlyList<string> ClosedBy);

/// <summary>What is asked at once.</summary>
/// <param name="Rules">Of one policy in order, or of all that add up.</param>
/// <param name="Together">The rules add up, and a denial outweighs; else the first that matches decides.</param>
internal sealed record PolicyStep(IReadOnlyList<CompiledRule> Rules, bool Together);

/// <summary>What a set means for one party: the policies that govern it, and the segments that it is in, each found out once.</summary>
internal sealed class PartyProfile(Party party, CompiledSet set, SegmentMatcher matcher)
{
    private readonly IReadOnlyList<TierView>?[] views = new IReadOnlyList<TierView>?[2];
    private readonly Dictionary<int, bool> holds = [];

    /// <summary>The policies whose target the party is in, in the order in which they are asked.</summary>
    public IReadOnlyList<CompiledPolicy> Governing => field ??= [.. set.Candidates(party).Where(policy => matcher.Holds(policy.Policy.Target, party, ownNode: false))];

    public IReadOnlyList<TierView> Tiers(Direction direction) => views[(int)direction] ??= View(direction);

    /// <summary>Whether the party is in the segment of this number.</summary>
    public bool IsIn(int segment, bool ownNode)
    {
        // Where the other end runs is the connection's affair and cannot be remembered.
        if (ownNode)
        {
            return matcher.Holds(set.Segments[segment], party, ownNode: true);
        }

        if (!holds.TryGetValue(segment, out var known))
        {
            holds[segment] = known = matcher.Holds(set.Segments[segment], party, ownNode: false);
        }

        return known;
    }

    private List<TierView> View(Direction direction) => [.. Governing
        .Where(policy => policy.Rules(direction) is not null)
        .GroupBy(policy => policy.Policy.Tier)
        .Select(tier => new TierView(
            [.. tier.GroupBy(policy => policy.Policy.Order is null ? -1 : policy.Rank)
                .Select(step => new PolicyStep([.. step.SelectMany(policy => policy.Rules(direction)!)], step.Key < 0))],
            [.. tier.Where(policy => policy.Policy.Closes(direction)).Select(policy => policy.Policy.Id)]))];
}
