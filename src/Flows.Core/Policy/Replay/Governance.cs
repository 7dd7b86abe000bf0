namespace Flows.Core.Policy;

/// <summary>Says which policies govern a party, and remembers it.</summary>
internal sealed class Governance(PolicyEvaluator evaluator)
{
    private readonly Dictionary<Party, SegmentPolicy[]> known = new(ReferenceEqualityComparer.Instance);

    /// <summary>The policies that speak of this direction of the party, in the order in which they are asked.</summary>
    public IEnumerable<SegmentPolicy> Of(Party party, Direction direction) => Of(party).Where(policy => policy.Rules(direction) is not null);

    /// <summary>The policies that close this direction to what no rule allows; none: it is open by default.</summary>
    public IEnumerable<SegmentPolicy> Closing(Party party, Direction direction) => Of(party, direction).Where(policy => policy.Closes(direction));

    /// <summary>Whether the party is in the segment.</summary>
    public bool Holds(Segment segment, Party party) => evaluator.Holds(segment, party);

    private SegmentPolicy[] Of(Party party)
    {
        if (!known.TryGetValue(party, out var governing))
        {
            known[party] = governing = [.. evaluator.Governing(party)];
        }

        return governing;
    }
}
