using Flows.Core.Map;

namespace Flows.Core.Policy;

/// <summary>The smallest piece of a rule: one peer on one port, and the edges that need it.</summary>
internal sealed record Grant(Segment Peer, bool Unknown, bool Baseline, string? Widened, HashSet<Edge> Edges);

/// <summary>
/// Everything that one direction of one segment needs, from pieces to the fewest rules. Rules that come out name disjoint peers or
/// disjoint ports, so that none can be taken away.
/// </summary>
internal sealed class GrantTable
{
    private readonly SortedDictionary<(byte Protocol, ushort Port), Dictionary<string, Grant>> byPort = [];

    public IEnumerable<Edge> Edges => byPort.Values.SelectMany(grants => grants.Values).SelectMany(grant => grant.Edges);

    public void Add(byte protocol, ushort port, Grant grant)
    {
        if (!byPort.TryGetValue((protocol, port), out var grants))
        {
            byPort[(protocol, port)] = grants = new(StringComparer.Ordinal);
        }

        if (grants.TryGetValue(grant.Peer.Key, out var there))
        {
            // Two entities may share an address; the rule is known, or a baseline, as soon as one of them is.
            grants[grant.Peer.Key] = there with
            {
                Unknown = there.Unknown && grant.Unknown,
                Baseline = there.Baseline || grant.Baseline,
                Widened = there.Widened ?? grant.Widened,
            };
            there.Edges.UnionWith(grant.Edges);
        }
        else
        {
            grants[grant.Peer.Key] = grant with { Edges = new(grant.Edges, ReferenceEqualityComparer.Instance) };
        }
    }

    /// <summary>
    /// Replaces more than <paramref name="max"/> unknown addresses of a port by the world without the cluster's ranges. Returns the ports whose
    /// list had to stay long, since without those ranges the world would let every pod in.
    /// </summary>
    public IReadOnlyList<(byte Protocol, ushort Port, int Addresses)> Widen(int max, IReadOnlyList<NetBlock> clusterRanges)
    {
        List<(byte, ushort, int)> kept = [];
        foreach (var (port, grants) in byPort)
        {
            foreach (var v4 in (bool[])[true, false])
            {
                var unknown = grants.Values.Where(grant => grant.Unknown && grant.Peer is RangeSegment range && range.Range.IsV4 == v4).ToList();
                var cluster = clusterRanges.Where(range => range.IsV4 == v4).ToList();
                if (unknown.Count > max && cluster.Count == 0)
                {
                    kept.Add((port.Protocol, port.Port, unknown.Count));
                }
                else if (unknown.Count > max)
                {
                    unknown.ForEach(grant => grants.Remove(grant.Peer.Key));
                    var peer = World(v4, cluster);
                    grants[peer.Key] = new Grant(peer, Unknown: false, unknown.Exists(grant => grant.Baseline),
                        $"{unknown.Count} unknown addresses were seen, more than {max}: everything outside the cluster's ranges is let through",
                        new(unknown.SelectMany(grant => grant.Edges), ReferenceEqualityComparer.Instance));
                }
            }
        }

        return kept;
    }

    /// <summary>The rules, sorted by meaning.</summary>
    public IReadOnlyList<Rule> ToRules()
    {
        foreach (var grants in byPort.Values)
        {
            DropCovered(grants);
        }

        // Ports of the same peer meet first, then peers with the same ports.
        var peers = byPort.SelectMany(port => port.Value.Values.Select(grant => (Port: PortMatch.Of(port.Key.Protocol, port.Key.Port), Grant: grant)))
            .GroupBy(piece => (piece.Grant.Peer.Key, piece.Grant.Baseline, piece.Grant.Widened));
        return [.. peers
            .GroupBy(pieces => (pieces.Key.Baseline, pieces.Key.Widened, Ports: string.Join(',', pieces.Select(piece => piece.Port))))
            .Select(alike => new Rule
            {
                Peers = [.. alike.Select(pieces => pieces.First().Grant.Peer).OrderBy(peer => peer.Key, StringComparer.Ordinal)],
                Ports = [.. alike.First().Select(piece => piece.Port)],
                Purpose = alike.Key.Baseline ? RulePurpose.Baseline : RulePurpose.Observed,
                Widened = alike.Key.Widened,
                Evidence = EvidenceOf(alike.SelectMany(pieces => pieces).SelectMany(piece => piece.Grant.Edges)),
            })
            .OrderBy(rule => rule.Key, StringComparer.Ordinal)];
    }

    private static RangeSegment World(bool v4, List<NetBlock> cluster) => new(
        NetBlock.Parse(v4 ? "0.0.0.0/0" : "::/0"),
        [.. cluster.Where(range => !cluster.Exists(wider => wider != range && wider.Contains(range))).Distinct().Order()]);

    private static void DropCovered(Dictionary<string, Grant> grants)
    {
        foreach (var grant in grants.Values.OrderBy(grant => grant.Peer.Key, StringComparer.Ordinal).ToList())
        {
            var wider = grants.Values.Where(other => other.Peer.Key != grant.Peer.Key && other.Peer.Covers(grant.Peer))
                .MinBy(other => other.Peer.Key, StringComparer.Ordinal);
            if (wider is not null)
            {
                wider.Edges.UnionWith(grant.Edges);
                grants.Remove(grant.Peer.Key);
            }
        }
    }

    private static RuleEvidence EvidenceOf(IEnumerable<Edge> needing)
    {
        var edges = EdgeOrder.Sorted(needing.Distinct<Edge>(ReferenceEqualityComparer.Instance));
        return new RuleEvidence
        {
            FirstSeenUs = edges.Min(edge => edge.FirstSeenUs),
            LastSeenUs = edges.Max(edge => edge.LastSeenUs),
            Connections = edges.Sum(edge => edge.Connections),
            DistinctSources = edges.Select(edge => edge.Src.Id).Distinct().Count(),
            DistinctDestinations = edges.Select(edge => edge.Dst.Id).Distinct().Count(),
            Nodes = [.. edges.SelectMany(edge => edge.Nodes).Distinct().Order(StringComparer.Ordinal)],
            ResolvedBy = [.. edges.SelectMany(edge => (ResolvedBy[])[edge.SrcResolvedBy, edge.DstResolvedBy]).Distinct().Order().Select(EdgeOrder.TextOf)],
            Edges = edges,
        };
    }
}
