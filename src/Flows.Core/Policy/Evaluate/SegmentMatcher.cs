namespace Flows.Core.Policy;

/// <summary>Says who is in a segment.</summary>
/// <param name="namespaceLabels">Labels of namespaces by name; one that is missing has only its <see cref="PodSegment.NameLabel"/>.</param>
internal sealed class SegmentMatcher(IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>>? namespaceLabels, Dialect dialect)
{
    private readonly Dictionary<string, IReadOnlyDictionary<string, string>> labels = new(
        namespaceLabels ?? new Dictionary<string, IReadOnlyDictionary<string, string>>(), StringComparer.Ordinal);

    /// <param name="ownNode">The other end runs on this party.</param>
    public bool Holds(Segment segment, Party party, bool ownNode) => segment switch
    {
        PodSegment pods => party.Selectable && pods.Pods.Matches(party.Labels) && pods.Namespaces.Matches(LabelsOf(party.Namespace)),
        RangeSegment range => party.Address is { } address && MayBeInRange(party) && range.Contains(address),
        HostSegment hosts => party.HostLabels is { } its && hosts.Labels.Matches(its),
        ServiceSegment service => party.Services.Contains($"{service.Namespace}/{service.Name}", StringComparer.Ordinal),
        NameSegment name => party.Names.Any(name.Matches),
        BoundarySegment boundary => Holds(boundary.Side, party, ownNode),
        AnySegment any => any.Segments.Any(part => Holds(part, party, ownNode)),
        _ => throw new System.Diagnostics.UnreachableException($"{segment.GetType().Name} is no segment."),
    };

    private bool MayBeInRange(Party party) => (dialect.RangesHoldPods || !party.Selectable) && (dialect.RangesHoldHosts || !party.IsHost);

    private static bool Holds(Boundary side, Party party, bool ownNode) => side switch
    {
        Boundary.Outside => !party.Selectable && !party.IsHost,
        Boundary.Inside => party.Selectable || party.IsHost,
        Boundary.OwnHost => party.IsHost && ownNode,
        _ => party.IsHost && !ownNode,
    };

    private IReadOnlyDictionary<string, string> LabelsOf(string name)
    {
        if (!labels.TryGetValue(name, out var known))
        {
            labels[name] = known = new Dictionary<string, string>(StringComparer.Ordinal) { [PodSegment.NameLabel] = name };
        }

        return known;
    }
}
