namespace Flows.Core.Policy;

/// <summary>A rule with its peers as numbers of segments.</summary>
internal sealed record CompiledRule(RuleAction Action, int[] Peers, IReadOnlyList<PortMatch> Ports, RuleReference Reference);

/// <summary>A policy with its place in the order of decision.</summary>
internal sealed record CompiledPolicy(int Rank, SegmentPolicy Policy, CompiledRule[]? Ingress, CompiledRule[]? Egress)
{
    public CompiledRule[]? Rules(Direction direction) => direction == Direction.Ingress ? Ingress : Egress;
}

/// <summary>A set made ready for many questions: policies in the order in which they are asked, each segment that rules name once, an index by the namespace of the target.</summary>
internal sealed class CompiledSet
{
    private readonly Dictionary<string, int> numbers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<CompiledPolicy>> byNamespace = new(StringComparer.Ordinal);
    private readonly List<CompiledPolicy> anywhere = [];
    private readonly Dictionary<string, List<CompiledPolicy>> candidates = new(StringComparer.Ordinal);

    public CompiledSet(PolicySet set)
    {
        var ordered = set.Policies
            .OrderBy(policy => policy.Tier).ThenBy(policy => policy.Order ?? SegmentPolicy.OrderOfUnordered).ThenBy(policy => policy.Order is null)
            .ThenBy(policy => policy.Name, StringComparer.Ordinal).ThenBy(policy => policy.Namespace, StringComparer.Ordinal).ThenBy(policy => policy.Kind, StringComparer.Ordinal);
        foreach (var policy in ordered)
        {
            var compiled = new CompiledPolicy(Policies, policy, Compile(policy, policy.Ingress), Compile(policy, policy.Egress));
            Policies++;
            InOrder.Add(compiled);
            if (NamespacesOf(policy.Target) is { } names)
            {
                names.ForEach(name => Bucket(name).Add(compiled));
            }
            else
            {
                anywhere.Add(compiled);
            }
        }
    }

    /// <summary>The distinct segments that rules name, by number.</summary>
    public List<Segment> Segments { get; } = [];

    public int Policies { get; }

    /// <summary>Every policy, in the order in which they are asked.</summary>
    public List<CompiledPolicy> InOrder { get; } = [];

    /// <summary>Every policy that may govern a party of this namespace, in the order in which they are asked.</summary>
    public IReadOnlyList<CompiledPolicy> Candidates(string inNamespace)
    {
        if (!byNamespace.TryGetValue(inNamespace, out var there))
        {
            return anywhere;
        }

        if (!candidates.TryGetValue(inNamespace, out var all))
        {
            candidates[inNamespace] = all = [.. there.Concat(anywhere).OrderBy(policy => policy.Rank)];
        }

        return all;
    }

    /// <summary>The namespaces that a target is confined to by name; null where it is not.</summary>
    private static List<string>? NamespacesOf(Segment target)
    {
        HashSet<string> names = new(StringComparer.Ordinal);
        foreach (var part in AnySegment.PartsOf(target))
        {
            var named = (part as PodSegment)?.Namespaces.Requirements
                .FirstOrDefault(requirement => requirement is { Key: PodSegment.NameLabel, Operator: LabelOperator.In });
            if (named is null)
            {
                return null;
            }

            names.UnionWith(named.Values);
        }

        return [.. names];
    }

    private List<CompiledPolicy> Bucket(string name)
    {
        if (!byNamespace.TryGetValue(name, out var bucket))
        {
            byNamespace[name] = bucket = [];
        }

        return bucket;
    }

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
