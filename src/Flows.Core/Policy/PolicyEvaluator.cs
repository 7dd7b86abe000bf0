namespace Flows.Core.Policy;

/// <summary>
/// Says what a whole set does to a connection, as the Kubernetes API defines NetworkPolicy: policies add up; an end that no policy selects in
/// a direction is open in it; an ipBlock matches the addresses of pods too, as the Kubernetes end-to-end tests have it. A pod always reaches
/// itself, and its own node.
/// </summary>
/// <param name="set">The policies.</param>
/// <param name="namespaceLabels">Labels of namespaces by name; one that is missing has only its <see cref="PodSegment.NameLabel"/>.</param>
public sealed class PolicyEvaluator(PolicySet set, IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>>? namespaceLabels = null)
{
    private static readonly SideDecision Open = new(Allowed: true, [], []);

    private readonly ILookup<string, SegmentPolicy> byNamespace = set.Policies.ToLookup(policy => policy.Namespace, StringComparer.Ordinal);
    private readonly Dictionary<string, IReadOnlyDictionary<string, string>> labels = new(
        namespaceLabels ?? new Dictionary<string, IReadOnlyDictionary<string, string>>(), StringComparer.Ordinal);

    /// <summary>The decision of both ends, with the rules that allow and the policies that isolate.</summary>
    public PolicyDecision Evaluate(Connection connection) => connection.OwnNode || connection.Src.Id == connection.Dst.Id
        ? new PolicyDecision(Open, Open)
        : new PolicyDecision(
            Side(connection, Direction.Egress, connection.Src, connection.Dst),
            Side(connection, Direction.Ingress, connection.Dst, connection.Src));

    private SideDecision Side(Connection connection, Direction direction, Party subject, Party peer)
    {
        if (!subject.Selectable)
        {
            return Open;
        }

        List<string>? isolating = null;
        List<RuleReference>? allowing = null;
        foreach (var policy in byNamespace[subject.Namespace])
        {
            if (policy.Rules(direction) is not { } rules || !policy.Pods.Matches(subject.Labels))
            {
                continue;
            }

            (isolating ??= []).Add(policy.Id);
            for (var i = 0; i < rules.Count; i++)
            {
                if (Allows(rules[i], connection, peer))
                {
                    (allowing ??= []).Add(new RuleReference(policy.Id, i));
                }
            }
        }

        return isolating is null ? Open : new SideDecision(allowing is not null, allowing ?? [], isolating);
    }

    private bool Allows(Rule rule, Connection connection, Party peer) =>
        (rule.Peers.Count == 0 || rule.Peers.Any(segment => Holds(segment, peer)))
        && (rule.Ports.Count == 0 || rule.Ports.Any(port => Matches(port, connection)));

    private bool Holds(Segment segment, Party peer) => segment switch
    {
        PodSegment pods => peer.Selectable && pods.Namespaces.Matches(LabelsOf(peer.Namespace)) && pods.Pods.Matches(peer.Labels),
        RangeSegment range => peer.Address is { } address && range.Covers(new RangeSegment(address, [])),
        _ => false,
    };

    /// <summary>A name is resolved at the destination, and there only for its own protocol.</summary>
    private static bool Matches(PortMatch port, Connection connection) => port.Protocol == connection.Protocol
        && (port.Name is null
            ? port.First is null || (connection.Port >= port.First && connection.Port <= port.Last)
            : connection.Dst.Ports.Any(named => named.Name == port.Name && named.Protocol == port.Protocol && named.Port == connection.Port));

    private IReadOnlyDictionary<string, string> LabelsOf(string name)
    {
        if (!labels.TryGetValue(name, out var known))
        {
            labels[name] = known = new Dictionary<string, string>(StringComparer.Ordinal) { [PodSegment.NameLabel] = name };
        }

        return known;
    }
}
