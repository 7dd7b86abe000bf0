using Flows.Core.Map;

namespace Flows.Core.Policy;

/// <summary>The smallest piece of a rule: one peer on one port, and the edges that need it, by number.</summary>
internal sealed class Grant(Peer peer, string? baseline, string? widened, IEnumerable<int> edges)
{
    public Peer Peer { get; } = peer;

    /// <summary>What infrastructure it is for; null for traffic of applications.</summary>
    public string? Baseline { get; set; } = baseline;

    public string? Widened { get; set; } = widened;

    /// <summary>In no order, some of them twice.</summary>
    public List<int> Edges { get; } = [.. edges];
}

/// <summary>
/// Everything that one direction of one segment needs, from pieces to the fewest rules. Rules that come out name disjoint peers or
/// disjoint ports, so that none can be taken away.
/// </summary>
internal sealed class GrantTable
{
    private readonly SortedDictionary<(byte Protocol, ushort Port), Dictionary<string, Grant>> byPort = [];

    public IEnumerable<Grant> Grants => byPort.Values.SelectMany(grants => grants.Values);

    public IEnumerable<int> Edges => Grants.SelectMany(grant => grant.Edges).Distinct();

    public void Add(byte protocol, ushort port, Peer peer, string? baseline, int edge)
    {
        if (!byPort.TryGetValue((protocol, port), out var grants))
        {
            byPort[(protocol, port)] = grants = new(StringComparer.Ordinal);
        }

        if (!grants.TryGetValue(peer.Key, out var there))
        {
            grants[peer.Key] = new Grant(peer, baseline, peer.Widened, [edge]);
            return;
        }

        // Two entities may share an address; the rule is known, or a baseline, as soon as one of them is.
        if (there.Peer.Class == PeerClass.Unknown && peer.Class != PeerClass.Unknown)
        {
            grants[peer.Key] = there = new Grant(peer, there.Baseline, there.Widened, there.Edges);
        }

        there.Baseline ??= baseline;
        there.Widened ??= peer.Widened;
        there.Edges.Add(edge);
    }

    /// <summary>
    /// Replaces several nodes by all nodes, and more outside addresses of a port than may be listed by known ranges, then by the world without the
    /// cluster's ranges. Returns the ports whose list had to stay long, since without those ranges the world would let every pod in.
    /// </summary>
    public IReadOnlyList<(byte Protocol, ushort Port, int Addresses)> Widen(Widening to)
    {
        List<(byte, ushort, int)> kept = [];
        foreach (var (port, grants) in byPort)
        {
            WidenNodes(grants, to);
            foreach (var v4 in (bool[])[true, false])
            {
                if (WidenOutside(grants, to, v4) is var left and > 0)
                {
                    kept.Add((port.Protocol, port.Port, left));
                }
            }
        }

        return kept;
    }

    /// <summary>Lets every pod of the cluster do what several segments do; for a service that all need.</summary>
    public void OpenToPods(byte protocol, ushort port, int clientsLeast)
    {
        if (byPort.TryGetValue((protocol, port), out var grants) && grants.Values.Where(grant => grant.Peer.Class == PeerClass.Pods).ToList() is var pods && pods.Count >= clientsLeast)
        {
            Replace(grants, pods, [new Peer(PodSegment.All, PeerClass.Pods)], "every pod of the cluster may ask, since all need it sooner or later");
        }
    }

    /// <summary>The rules, sorted by meaning.</summary>
    /// <param name="edges">By number.</param>
    public IReadOnlyList<Rule> ToRules(IReadOnlyList<Edge> edges)
    {
        foreach (var grants in byPort.Values)
        {
            Covering.Drop(grants);
        }

        // Ports of the same peer meet first, then peers with the same ports.
        var peers = byPort.SelectMany(port => port.Value.Values.Select(grant => (Port: PortMatch.Of(port.Key.Protocol, port.Key.Port), Grant: grant)))
            .GroupBy(piece => (piece.Grant.Peer.Key, piece.Grant.Baseline, piece.Grant.Widened));
        return [.. peers
            .GroupBy(pieces => (pieces.Key.Baseline, pieces.Key.Widened, Ports: string.Join(',', pieces.Select(piece => piece.Port))))
            .Select(alike => new Rule
            {
                Peers = [.. alike.Select(pieces => pieces.First().Grant.Peer).OrderBy(peer => peer.Key, StringComparer.Ordinal).Select(peer => peer.Segment)],
                Ports = [.. alike.First().Select(piece => piece.Port)],
                Purpose = alike.Key.Baseline is null ? RulePurpose.Observed : RulePurpose.Baseline,
                Reason = alike.Key.Baseline,
                Widened = alike.Key.Widened,
                Evidence = EvidenceOf.Edges([.. alike.SelectMany(pieces => pieces).SelectMany(piece => piece.Grant.Edges).Distinct().Order().Select(number => edges[number])]),
            })
            .Select(rule => (rule.Key, Rule: rule)).OrderBy(rule => rule.Key, StringComparer.Ordinal).Select(rule => rule.Rule)];
    }

    private static void WidenNodes(Dictionary<string, Grant> grants, Widening to)
    {
        var nodes = grants.Values.Where(grant => grant.Peer.Class == PeerClass.Node).ToList();
        if (to.Nodes.Count > 0 && nodes.Select(grant => grant.Peer.Origin).Distinct(StringComparer.Ordinal).Skip(1).Any())
        {
            // Nodes that the inventory does not list stay.
            var listed = to.Nodes.Select(node => node.Key).ToHashSet(StringComparer.Ordinal);
            var everyHost = to.Nodes is [{ Segment: HostSegment }];
            Replace(grants, [.. nodes.Where(grant => everyHost || listed.Contains(grant.Peer.Key))], to.Nodes,
                "several nodes were seen: every node of the cluster is let through, since what runs there moves");
        }
    }

    /// <summary>The number of addresses that are left where the list stays too long; else 0.</summary>
    private static int WidenOutside(Dictionary<string, Grant> grants, Widening to, bool v4)
    {
        List<Grant> Outside() => [.. grants.Values.Where(grant => grant.Peer is { Class: PeerClass.Unknown or PeerClass.Named, Segment: RangeSegment range } && range.Range.IsV4 == v4)];
        var outside = Outside();
        if (outside.Count <= to.ExternalPeersMax)
        {
            return 0;
        }

        foreach (var grant in outside)
        {
            if (to.KnownRangeOf(((RangeSegment)grant.Peer.Segment).Range) is { } range)
            {
                Replace(grants, [grant], [range], range.Widened);
            }
        }

        outside = Outside();
        var cluster = to.ClusterRanges.Value.Where(range => range.IsV4 == v4).ToList();
        if (outside.Count <= to.ExternalPeersMax || cluster.Count == 0)
        {
            return outside.Count <= to.ExternalPeersMax ? 0 : outside.Count;
        }

        // No number in the words: it would change with every further address.
        Replace(grants, outside, [new Peer(World(v4, cluster), PeerClass.Unknown)],
            $"more than {to.ExternalPeersMax} outside addresses were seen: everything outside the cluster's ranges is let through");
        return 0;
    }

    private static void Replace(Dictionary<string, Grant> grants, List<Grant> old, IReadOnlyList<Peer> by, string? widened)
    {
        var edges = old.SelectMany(grant => grant.Edges).Distinct().ToList();
        var baseline = old.Select(grant => grant.Baseline).OfType<string>().Order(StringComparer.Ordinal).FirstOrDefault();
        old.ForEach(grant => grants.Remove(grant.Peer.Key));
        foreach (var peer in by)
        {
            if (grants.TryGetValue(peer.Key, out var there))
            {
                there.Edges.AddRange(edges);
                there.Baseline ??= baseline;
                there.Widened ??= widened;
            }
            else
            {
                grants[peer.Key] = new Grant(peer, baseline, widened, edges);
            }
        }
    }

    private static RangeSegment World(bool v4, List<NetBlock> cluster) => new(
        NetBlock.Parse(v4 ? "0.0.0.0/0" : "::/0"),
        [.. cluster.Where(range => !cluster.Exists(wider => wider != range && wider.Contains(range))).Distinct().Order()]);
}
