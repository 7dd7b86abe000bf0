using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.Core.Map;

namespace Flows.Core.Policy;

/// <summary>Says by what a rule names the other end of an edge: labels, a host, a DNS name or addresses, as the target can.</summary>
internal sealed class PeerNamer
{
    private readonly PolicyInput input;
    private readonly EdgeSieve sieve;
    private readonly Segmentation segmentation;
    private readonly Dictionary<SegmentKey, IReadOnlyList<Peer>> pods = [];
    private readonly Dictionary<(ulong Id, bool Named), IReadOnlyList<Peer>> others = [];
    private readonly List<Entity> apiServers;

    public PeerNamer(PolicyInput input, EdgeSieve sieve, Segmentation segmentation, IReadOnlyList<Edge> needed)
    {
        (this.input, this.sieve, this.segmentation) = (input, sieve, segmentation);

        // Whoever was seen with one API server meets the others the day that one is away.
        apiServers = [.. needed.Where(Infrastructure.IsApiServer).Select(edge => edge.Dst).DistinctBy(server => server.Id).OrderBy(server => server.Id)];
    }

    public IReadOnlyList<Peer> PeersOf(Edge edge, Direction direction)
    {
        var peer = direction == Direction.Egress ? edge.Dst : edge.Src;
        if (direction == Direction.Egress && Infrastructure.IsApiServer(edge))
        {
            return [.. apiServers.SelectMany(server => sieve.Selectable(server) ? PodsOf(server) : Addresses(server, PeerClass.ApiServer)).DistinctBy(one => one.Key)];
        }

        return sieve.Selectable(peer) ? PodsOf(peer) : Others(peer, direction);
    }

    /// <summary>The name of the node that the entity is, or whose network it shares; null where it is neither.</summary>
    public static string? NodeOf(Entity entity) => entity switch
    {
        { Kind: EntityKind.Node } => entity.Name,
        { Kind: EntityKind.Pod, HostNetwork: true, Node.Length: > 0 } => entity.Node,
        _ => null,
    };

    private IReadOnlyList<Peer> PodsOf(Entity pod)
    {
        var key = segmentation.Naming(pod);
        if (!pods.TryGetValue(key, out var peer))
        {
            var finding = segmentation.Find(key);
            var widened = finding.Fault is null ? null : $"{key} cannot be picked alone: {finding.Fault}";
            pods[key] = peer = [new Peer(PodSegment.In(pod.Namespace, finding.Exact ?? finding.Widest), PeerClass.Pods, widened)];
        }

        return peer;
    }

    private IReadOnlyList<Peer> Others(Entity entity, Direction direction)
    {
        var named = direction == Direction.Egress && input.Target.Names && entity.Kind == EntityKind.External && ClusterPolicyReader.IsDomainName(entity.Name);
        if (!others.TryGetValue((entity.Id, named), out var peers))
        {
            others[(entity.Id, named)] = peers = named ? [new Peer(new NameSegment(Lower(entity.Name)), PeerClass.Machine)] : Find(entity);
        }

        return peers;
    }

    private IReadOnlyList<Peer> Find(Entity entity)
    {
        if (NodeOf(entity) is { } node)
        {
            return input.Target.Hosts && KubernetesGrammar.IsLabelValue(node)
                ? [new Peer(HostSegment.Named(node), PeerClass.Node, origin: node)]
                : Addresses(entity, PeerClass.Node, origin: node);
        }

        return entity.Kind switch
        {
            EntityKind.External => Addresses(entity, PeerClass.Named, origin: entity.Name),
            EntityKind.Cidr => Addresses(entity, PeerClass.KnownRange, $"all of the known range '{VisibleText.Of(entity.Name)}' is let through"),
            EntityKind.Unknown => [.. sieve.AddressesOf(entity).Select(range => new Peer(
                new RangeSegment(range, []), WellKnownAddresses.Metadata.Contains(range) ? PeerClass.Metadata : WellKnownAddresses.Holds(range) ? PeerClass.Machine : PeerClass.Unknown))],
            _ => Addresses(entity, PeerClass.Machine),
        };
    }

    private IReadOnlyList<Peer> Addresses(Entity entity, PeerClass peerClass, string? widened = null, string? origin = null) =>
        [.. sieve.AddressesOf(entity).Select(range => new Peer(new RangeSegment(range, []), peerClass, widened, origin))];

#pragma warning disable CA1308 // DNS names are compared without case; ours are lower case.
    private static string Lower(string name) => name.TrimEnd('.').ToLowerInvariant();
#pragma warning restore CA1308
}
