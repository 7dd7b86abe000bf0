namespace Flows.Core.Policy;

/// <summary>A rule with its peers as numbers of segments.</summary>
internal sealed record CompiledRule(RuleAction Action, int[] Peers, IReadOnlyList<PortMatch> Ports, RuleReference Reference);

/// <summary>A policy with its place in the order of decision.</summary>
internal sealed record CompiledPolicy(int Rank, SegmentPolicy Policy, CompiledRule[]? Ingress, CompiledRule[]? Egress)
{
    public CompiledRule[]? Rules(Direction direction) => direction == Direction.Ingress ? Ingress : Egress;
}

/// <summary>
/// A set made ready for many questions: policies in the order in which they are asked, each segment that rules name once, and an index of targets by a label that they ask
/// for, since a namespace may have as many policies as workloads, and each is asked about each.
/// </summary>
internal sealed class CompiledSet
{
    private readonly Dictionary<string, int> numbers = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Namespace, string Label), List<CompiledPolicy>> byPlace = [];

    public CompiledSet(PolicySet set)
    {
        var ordered = set.Policies
            .OrderBy(policy => policy.Tier).ThenBy(policy => policy.Order ?? SegmentPolicy.OrderOfUnordered).ThenBy(policy => policy.Order is null)
            .ThenBy(policy => policy.Name, StringComparer.Ordinal).ThenBy(policy => policy.Namespace, StringComparer.Ordinal).ThenBy(policy => policy.Kind, StringComparer.Ordinal);
        foreach (var policy in ordered)
        {
            var compiled = new CompiledPolicy(Policies, policy, Compile(policy, policy.Ingress), Compile(policy, policy.Egress));
            Policies++;
            foreach (var place in Places(policy.Target).Distinct())
            {
                if (!byPlace.TryGetValue(place, out var there))
                {
                    byPlace[place] = there = [];
                }

                there.Add(compiled);
            }
        }
    }

    /// <summary>The distinct segments that rules name, by number.</summary>
    public List<Segment> Segments { get; } = [];

    public int Policies { get; }

    /// <summary>Every policy whose target may hold the party, in the order in which they are asked.</summary>
    public IReadOnlyList<CompiledPolicy> Candidates(Party party)
    {
        SortedDictionary<int, CompiledPolicy> found = [];
        AddAt("", party, found);
        AddAt(party.Namespace, party, found);
        return [.. found.Values];
    }

    private void AddAt(string space, Party party, SortedDictionary<int, CompiledPolicy> found)
    {
        Add(byPlace.GetValueOrDefault((space, "")));
        foreach (var label in party.Labels)
        {
            Add(byPlace.GetValueOrDefault((space, $"{label.Key}={label.Value}")));
        }

        void Add(List<CompiledPolicy>? there) => there?.ForEach(policy => found[policy.Rank] = policy);
    }

    /// <summary>For each part of a target the namespace and the label without which nobody is in it; empty where it asks for none.</summary>
    private static IEnumerable<(string Namespace, string Label)> Places(Segment target) =>
        from part in AnySegment.PartsOf(target)
        let pods = part as PodSegment
        let spaces = pods?.Namespaces.Requirements.FirstOrDefault(one => one is { Key: PodSegment.NameLabel, Operator: LabelOperator.In })?.Values ?? [""]
        let asked = pods?.Pods.Requirements.FirstOrDefault(one => one is { Operator: LabelOperator.In, Values.Count: 1 })
        from space in spaces
        select (space, asked is null ? "" : $"{asked.Key}={asked.Values[0]}");

    private CompiledRule[]? Compile(SegmentPolicy policy, IReadOnlyList<Rule>? rules) => rules is null
        ? null
        : [.. rules.Select((rule, index) => new CompiledRule(rule.Action, [.. rule.Peers.Select(NumberOf)], rule.Ports, new RuleReference(policy.Id, index)))];

    private int NumberOf(Segment segment)
    {
        if (!numbers.TryGetValue(segment.Key, out var number))
        {
            numbers[segment.Key] = number = Segments.Count;
            Segments.Add(segment);
        }

        return number;
    }
}
