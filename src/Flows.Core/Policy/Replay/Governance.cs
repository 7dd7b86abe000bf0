namespace Flows.Core.Policy;

/// <summary>Says which policies govern a party.</summary>
internal sealed class Governance(PolicySet set, IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>>? namespaceLabels, Dialect dialect)
{
    private readonly CompiledSet compiled = new(set);
    private readonly SegmentMatcher matcher = new(namespaceLabels, dialect);

    /// <summary>The policies that speak of this direction of the party, in the order in which they are asked.</summary>
    public IEnumerable<SegmentPolicy> Of(Party party, Direction direction) => compiled.Candidates(party.Namespace)
        .Where(policy => policy.Rules(direction) is not null && matcher.Holds(policy.Policy.Target, party, ownNode: false)).Select(policy => policy.Policy);

    /// <summary>The policies that close this direction to what no rule allows; none: it is open by default.</summary>
    public IEnumerable<SegmentPolicy> Closing(Party party, Direction direction) => Of(party, direction).Where(policy => policy.Closes(direction));

    /// <summary>Whether the party is in the segment.</summary>
    public bool Holds(Segment segment, Party party) => matcher.Holds(segment, party, ownNode: false);
}
