namespace Flows.Core.Policy;

/// <summary>
/// Finds the workloads that are in a segment. What a rule asks of labels is looked up: to try each rule on each workload would take hours in a
/// fleet of a hundred thousand.
/// </summary>
internal sealed class SegmentMembers
{
    private readonly IReadOnlyList<FleetSegment> all;
    private readonly PartyClasses classes;
    private readonly Governance governance;
    private readonly Dictionary<string, List<FleetSegment>> byNamespace = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Namespace, string Label), List<FleetSegment>> byLabel = [];
    private readonly Dictionary<string, IReadOnlyList<FleetSegment>> known = new(StringComparer.Ordinal);

    public SegmentMembers(IReadOnlyList<FleetSegment> all, PartyClasses classes, Governance governance)
    {
        (this.all, this.classes, this.governance) = (all, classes, governance);
        foreach (var segment in all)
        {
            Put(byNamespace, segment.Key.Namespace, segment);
            foreach (var label in segment.Classes.SelectMany(number => classes[number].Labels).Select(label => $"{label.Key}={label.Value}").Distinct())
            {
                Put(byLabel, (segment.Key.Namespace, label), segment);
            }
        }
    }

    /// <summary>The workloads of which a pod is in the segment.</summary>
    public IReadOnlyList<FleetSegment> Of(Segment segment)
    {
        if (!known.TryGetValue(segment.Key, out var members))
        {
            known[segment.Key] = members = [.. Candidates(segment).Where(one => one.Classes.Any(number => governance.Holds(segment, classes[number])))];
        }

        return members;
    }

    /// <summary>The workloads that a rule names; everybody where it names none.</summary>
    public IEnumerable<FleetSegment> Named(Rule rule) => rule.Peers.Count == 0 ? all : rule.Peers.Count == 1 ? Of(rule.Peers[0]) : rule.Peers.SelectMany(Of).Distinct();

    private IEnumerable<FleetSegment> Candidates(Segment segment)
    {
        if (segment is not PodSegment pods)
        {
            return segment is HostSegment or NameSegment ? [] : all;
        }

        if (pods.Namespaces.Requirements.FirstOrDefault(one => one is { Key: PodSegment.NameLabel, Operator: LabelOperator.In }) is not { } named)
        {
            return all;
        }

        var label = pods.Pods.Requirements.FirstOrDefault(one => one is { Operator: LabelOperator.In, Values.Count: 1 });
        return named.Values.SelectMany(name => label is null
            ? byNamespace.GetValueOrDefault(name, [])
            : byLabel.GetValueOrDefault((name, $"{label.Key}={label.Values[0]}"), []));
    }

    private static void Put<T>(Dictionary<T, List<FleetSegment>> into, T key, FleetSegment segment) where T : notnull
    {
        if (!into.TryGetValue(key, out var list))
        {
            into[key] = list = [];
        }

        list.Add(segment);
    }
}
