using Flows.Core.Identity;

namespace Flows.Core.Policy;

/// <summary>What lists of peers may be widened to.</summary>
/// <param name="ExternalPeersMax">Outside addresses that one port of one segment may list.</param>
/// <param name="ClusterRanges">Taken out of the world; found by all addresses of the cluster once a list is widened so far.</param>
/// <param name="KnownRanges">The catalogue: ranges with their names, by range.</param>
/// <param name="Nodes">Every node of the cluster, as peers.</param>
internal sealed record Widening(int ExternalPeersMax, Lazy<IReadOnlyList<NetBlock>> ClusterRanges, IReadOnlyList<(NetBlock Range, string Name)> KnownRanges, IReadOnlyList<Peer> Nodes)
{
    public static Widening Of(PolicyInput input, EdgeSieve sieve)
    {
        var nodes = input.Entities.Where(entity => entity.Kind == EntityKind.Node && (input.Cluster is null || entity.Cluster == input.Cluster)).ToList();
        return new(
            input.ExternalPeersMax,
            new(() => Policy.ClusterRanges.Of(input, sieve)),
            [.. input.Entities.Where(entity => entity.Kind == EntityKind.Cidr).SelectMany(entity => sieve.AddressesOf(entity).Select(range => (range, entity.Name)))
                .Distinct().OrderByDescending(known => known.range.PrefixLength).ThenBy(known => known.range).ThenBy(known => known.Name, StringComparer.Ordinal)],
            input.Target.Hosts
                ? [new Peer(new HostSegment(LabelSelector.Everything), PeerClass.Node)]
                : [.. nodes.SelectMany(sieve.AddressesOf).Distinct().Order().Select(range => new Peer(new RangeSegment(range, []), PeerClass.Node))]);
    }

    /// <summary>The narrowest known range around an address; null where there is none.</summary>
    public Peer? KnownRangeOf(NetBlock address)
    {
        var known = KnownRanges.FirstOrDefault(known => known.Range.Contains(address));
        return known.Name is null ? null : new Peer(new RangeSegment(known.Range, []), PeerClass.KnownRange, $"all of the known range '{VisibleText.Of(known.Name)}' is let through");
    }
}
