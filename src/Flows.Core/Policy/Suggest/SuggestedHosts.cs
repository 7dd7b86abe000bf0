using Flows.Core.Identity;

namespace Flows.Core.Policy;

/// <summary>The hosts of an observation as those that nftables rules are written for: what segments stand for in the addresses that the ledger knows.</summary>
public static class SuggestedHosts
{
    /// <param name="name">The host, as the policy calls it.</param>
    public static NftablesHost Of(PolicyInput input, string name)
    {
        var sieve = new EdgeSieve(input with { Edges = [] });
        var matcher = new SegmentMatcher(null, Dialect.Kubernetes);
        var parties = input.Entities.Where(entity => !input.EndedUs.ContainsKey(entity.Id)).DistinctBy(entity => entity.Id)
            .Select(entity => (Party: PartyOf(entity, sieve), Addresses: sieve.AddressesOf(entity))).ToList();
        return new NftablesHost(
            new Party { Id = name, HostLabels = HostLabels(name) },
            segment => segment switch
            {
                RangeSegment range => Blocks.Of(range),
                NameSegment or BoundarySegment => null,
                _ => [.. parties.Where(party => matcher.Holds(segment, party.Party, ownNode: false)).SelectMany(party => party.Addresses).Distinct().Order()],
            });
    }

    private static Party PartyOf(Entity entity, EdgeSieve sieve) => new()
    {
        Id = entity.Uid,
        Selectable = sieve.Selectable(entity),
        Namespace = entity.Namespace,
        Labels = entity.Labels,
        HostLabels = PeerNamer.NodeOf(entity) is { } node ? HostLabels(node) : entity.Kind is EntityKind.Vm or EntityKind.Host ? HostLabels(entity.Name) : null,
    };

    private static Dictionary<string, string> HostLabels(string name) => new(StringComparer.Ordinal) { [HostSegment.NameLabel] = name };
}
