namespace Flows.Core.Policy;

/// <summary>
/// Says which policies govern a party. They are found by a label that the target asks for: a namespace may have as many policies as workloads, and each is
/// asked about each.
/// </summary>
internal sealed class Governance
{
    private readonly SegmentMatcher matcher;
    private readonly Dictionary<(string Namespace, string Label), List<CompiledPolicy>> byLabel = [];
    private readonly Dictionary<Party, SegmentPolicy[]> known = new(ReferenceEqualityComparer.Instance);

    public Governance(PolicySet set, IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>>? namespaceLabels, Dialect dialect)
    {
        matcher = new SegmentMatcher(namespaceLabels, dialect);
        foreach (var policy in new CompiledSet(set).InOrder)
        {
            foreach (var place in Places(policy.Policy.Target).Distinct())
            {
                if (!byLabel.TryGetValue(place, out var policies))
                {
                    byLabel[place] = policies = [];
                }

                policies.Add(policy);
            }
        }
    }

    /// <summary>The policies that speak of this direction of the party, in the order in which they are asked.</summary>
    public IEnumerable<SegmentPolicy> Of(Party party, Direction direction) => Of(party).Where(policy => policy.Rules(direction) is not null);

    /// <summary>The policies that close this direction to what no rule allows; none: it is open by default.</summary>
    public IEnumerable<SegmentPolicy> Closing(Party party, Direction direction) => Of(party, direction).Where(policy => policy.Closes(direction));

    /// <summary>Whether the party is in the segment.</summary>
    public bool Holds(Segment segment, Party party) => matcher.Holds(segment, party, ownNode: false);

    private SegmentPolicy[] Of(Party party)
    {
        if (!known.TryGetValue(party, out var governing))
        {
            var labels = party.Labels.Select(label => $"{label.Key}={label.Value}").Append("").ToList();
            known[party] = governing =
            [
                .. labels.SelectMany(label => At(party.Namespace, label)).Concat(party.Namespace.Length > 0 ? labels.SelectMany(label => At("", label)) : []).Distinct()
                    .Where(policy => Holds(policy.Policy.Target, party)).OrderBy(policy => policy.Rank).Select(policy => policy.Policy),
            ];
        }

        return governing;
    }

    private List<CompiledPolicy> At(string space, string label) => byLabel.GetValueOrDefault((space, label), []);

    /// <summary>For each part of the target a namespace and a label without which nobody is in it; empty where it asks for none.</summary>
    private static IEnumerable<(string Namespace, string Label)> Places(Segment target) =>
        from part in AnySegment.PartsOf(target)
        let pods = part as PodSegment
        let spaces = pods?.Namespaces.Requirements.FirstOrDefault(one => one is { Key: PodSegment.NameLabel, Operator: LabelOperator.In })?.Values ?? [""]
        let asked = pods?.Pods.Requirements.FirstOrDefault(one => one is { Operator: LabelOperator.In, Values.Count: 1 })
        from space in spaces
        select (space, asked is null ? "" : $"{asked.Key}={asked.Values[0]}");
}
