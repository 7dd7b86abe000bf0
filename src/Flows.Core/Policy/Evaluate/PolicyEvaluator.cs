namespace Flows.Core.Policy;

/// <summary>
/// Says what a whole set does to a connection. Each end judges for itself: tier after tier, the policies that govern it are asked, and a
/// connection passes where both ends let it. A pod always reaches itself, and what no policy governs is open.
/// One evaluator remembers what it found out about the parties it met; it is for one thread at a time.
/// </summary>
/// <param name="set">The policies.</param>
/// <param name="namespaceLabels">Labels of namespaces by name; one that is missing has only its <see cref="PodSegment.NameLabel"/>.</param>
/// <param name="dialect">Whose reading of the API is meant; <see cref="Dialect.Kubernetes"/> unless given.</param>
public sealed class PolicyEvaluator(
    PolicySet set, IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>>? namespaceLabels = null, Dialect? dialect = null)
{
    // A profile takes about a kilobyte. Whoever judges more ends than that meets most of them once.
    private const int ProfilesMax = 50_000;

    private static readonly SideDecision Open = new(Allowed: true, [], []);

    private readonly Dialect dialect = dialect ?? Dialect.Kubernetes;
    private readonly CompiledSet compiled = new(set);
    private readonly SegmentMatcher matcher = new(namespaceLabels, dialect ?? Dialect.Kubernetes);
    private readonly Dictionary<Party, PartyProfile> profiles = new(ReferenceEqualityComparer.Instance);

    /// <summary>The decision of both ends, with the rules that decided and the policies that isolate.</summary>
    public PolicyDecision Evaluate(Connection connection) => connection.Src.Id == connection.Dst.Id
        ? new PolicyDecision(Open, Open)
        : new PolicyDecision(Egress(connection), Ingress(connection));

    /// <summary>The policies whose target the party is in, in the order in which they are asked.</summary>
    internal IEnumerable<SegmentPolicy> Governing(Party party) => Profile(party).Governing.Select(policy => policy.Policy);

    /// <summary>Whether the party is in the segment.</summary>
    internal bool Holds(Segment segment, Party party) => matcher.Holds(segment, party, ownNode: false);

    private SideDecision Egress(Connection connection)
    {
        if (connection.OwnNode && dialect.OwnNodeFromPod && connection.Dst.IsHost)
        {
            return Open;
        }

        if (connection.Dialled is { } dialled && dialect.EgressBeforeDnat)
        {
            var met = connection.Dst with { Address = NetBlock.Of(dialled.Address) };
            return Decide(Direction.Egress, connection.Src, met, connection with { Port = dialled.Port });
        }

        return Decide(Direction.Egress, connection.Src, connection.Dst, connection);
    }

    private SideDecision Ingress(Connection connection) => connection.OwnNode && dialect.OwnNodeToPod && connection.Src.IsHost
        ? Open
        : Decide(Direction.Ingress, connection.Dst, connection.Src, connection);

    private SideDecision Decide(Direction direction, Party subject, Party peer, Connection connection)
    {
        PartyProfile? other = null;
        foreach (var tier in Profile(subject).Tiers(direction))
        {
            other ??= Profile(peer);
            var passed = false;
            foreach (var step in tier.Steps)
            {
                var action = step.Together ? Weigh(step, other, connection, out var by) : First(step, other, connection, out by);
                if (action is RuleAction.Allow or RuleAction.Deny)
                {
                    return new SideDecision(action == RuleAction.Allow, by, tier.ClosedBy);
                }

                if (action == RuleAction.Pass)
                {
                    passed = true;
                    break;
                }
            }

            if (!passed && tier.ClosedBy.Count > 0)
            {
                return new SideDecision(Allowed: false, [], tier.ClosedBy);
            }
        }

        return Open;
    }

    /// <summary>What the rules that match say together: deny before allow before pass. Null where none matches.</summary>
    private static RuleAction? Weigh(PolicyStep step, PartyProfile peer, Connection connection, out IReadOnlyList<RuleReference> by)
    {
        RuleAction? strongest = null;
        List<RuleReference> deciding = [];
        foreach (var rule in step.Rules)
        {
            if (strongest is { } so && Weight(rule.Action) < Weight(so))
            {
                continue;
            }

            if (Matches(rule, peer, connection))
            {
                if (rule.Action != strongest)
                {
                    deciding.Clear();
                    strongest = rule.Action;
                }

                deciding.Add(rule.Reference);
            }
        }

        by = deciding;
        return strongest;
    }

    private static RuleAction? First(PolicyStep step, PartyProfile peer, Connection connection, out IReadOnlyList<RuleReference> by)
    {
        foreach (var rule in step.Rules)
        {
            if (Matches(rule, peer, connection))
            {
                by = [rule.Reference];
                return rule.Action;
            }
        }

        by = [];
        return null;
    }

    private static int Weight(RuleAction action) => action switch { RuleAction.Deny => 2, RuleAction.Allow => 1, _ => 0 };

    private static bool Matches(CompiledRule rule, PartyProfile peer, Connection connection) => MatchesPorts(rule, connection) && MatchesPeers(rule, peer, connection);

    private static bool MatchesPeers(CompiledRule rule, PartyProfile peer, Connection connection)
    {
        foreach (var segment in rule.Peers)
        {
            if (peer.IsIn(segment, connection.OwnNode))
            {
                return true;
            }
        }

        return rule.Peers.Length == 0;
    }

    private static bool MatchesPorts(CompiledRule rule, Connection connection)
    {
        for (var i = 0; i < rule.Ports.Count; i++)
        {
            if (Matches(rule.Ports[i], connection))
            {
                return true;
            }
        }

        return rule.Ports.Count == 0;
    }

    /// <summary>A name is resolved at the destination, and there only for its own protocol.</summary>
    private static bool Matches(PortMatch port, Connection connection) => port.Protocol == connection.Protocol
        && (port.Name is null
            ? port.First is null || (connection.Port >= port.First && connection.Port <= port.Last)
            : connection.Dst.Ports.Any(named => named.Name == port.Name && named.Protocol == port.Protocol && named.Port == connection.Port));

    private PartyProfile Profile(Party party)
    {
        if (!profiles.TryGetValue(party, out var profile))
        {
            if (profiles.Count == ProfilesMax)
            {
                profiles.Clear();
            }

            profiles[party] = profile = new PartyProfile(party, compiled, matcher);
        }

        return profile;
    }
}
