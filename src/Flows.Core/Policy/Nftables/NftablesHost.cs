namespace Flows.Core.Policy;

/// <summary>The host that rules are written for, and what its peers' segments stand for in addresses.</summary>
/// <param name="Host">As policies see it.</param>
/// <param name="Addresses">The addresses of a segment at the time of writing; null where they are not known.</param>
public sealed record NftablesHost(Party Host, Func<Segment, IReadOnlyList<NetBlock>?> Addresses)
{
    /// <summary>A host of a fleet, whose other pods and hosts are its peers.</summary>
    public static NftablesHost In(FleetView fleet, Party host, Dialect? dialect = null)
    {
        var matcher = new SegmentMatcher(fleet.NamespaceLabels, dialect ?? Dialect.Kubernetes);
        return new NftablesHost(host, segment => segment switch
        {
            RangeSegment range => Blocks.Of(range),
            NameSegment or BoundarySegment => null,
            _ => [.. fleet.Pods.Where(pod => matcher.Holds(segment, pod.Party, ownNode: false)).SelectMany(pod => pod.Addresses)
                .Concat(fleet.Hosts.Where(one => matcher.Holds(segment, one.Party, ownNode: false)).SelectMany(one => one.Addresses))
                .Distinct().Select(NetBlock.Of).Order()],
        });
    }

    internal bool IsGovernedBy(SegmentPolicy policy) => new SegmentMatcher(null, Dialect.Kubernetes).Holds(policy.Target, Host, ownNode: false);
}
