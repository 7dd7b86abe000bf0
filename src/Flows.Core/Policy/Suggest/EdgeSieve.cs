using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.Core.Map;

namespace Flows.Core.Policy;

/// <summary>
/// Tells the edges that somebody needs from all others. The suggestion and the replay ask the same sieve, so that what a suggestion left out is
/// not held against it.
/// </summary>
internal sealed class EdgeSieve
{
    private readonly PolicyInput input;
    private readonly Corroboration corroboration;
    private readonly NoiseFilter noise;
    private readonly HashSet<NetBlock> clusterAddresses;

    public EdgeSieve(PolicyInput input)
    {
        this.input = input;
        corroboration = Corroboration.Of(input);

        clusterAddresses = [.. input.Entities.Where(entity => entity is { Kind: EntityKind.Pod, HostNetwork: false } or { Kind: EntityKind.Service })
            .SelectMany(entity => input.Addresses.TryGetValue(entity.Id, out var held) ? held : [])];

        // What nobody confirms must not make a scanner of anybody either.
        noise = new NoiseFilter(input, [.. input.Edges.Where(edge => corroboration.Fault(edge) is null)]);
    }

    /// <summary>What to tell whoever reads the suggestion, sorted.</summary>
    public IReadOnlyList<string> Warnings => corroboration.Warnings;

    /// <summary>Why the edge is no evidence for a rule; null where it is.</summary>
    public ReviewReason? WhyNot(Edge edge) => corroboration.Fault(edge) ?? WhyNotNeeded(edge) ?? WhyNotNameable(edge);

    /// <summary>True for pods that a policy of the cluster can select.</summary>
    public bool Selectable(Entity entity) => input.Selectable(entity);

    /// <summary>The addresses by which a rule could name the entity: without loopback, link-local, multicast and unspecified ones.</summary>
    public IReadOnlyList<NetBlock> AddressesOf(Entity entity)
    {
        if (input.Addresses.TryGetValue(entity.Id, out var known))
        {
            return [.. known.Where(IsRoutable)];
        }

        // An unknown peer is not in the ledger: its name is its address.
        return entity.Kind == EntityKind.Unknown && NetAddress.TryParse(entity.Name, out var address) && IsRoutable(NetBlock.Of(address)) ? [NetBlock.Of(address)] : [];
    }

    /// <summary>
    /// True for somebody unknown at an address that a pod or service held at another time. Pods come and go, clocks are apart and news of them is late, so it is one of
    /// theirs; whoever has the address next must not inherit a rule.
    /// </summary>
    public bool HasClusterAddress(Entity entity) => entity.Kind == EntityKind.Unknown && AddressesOf(entity).Any(clusterAddresses.Contains);

    /// <summary>The edge as an item for review.</summary>
    public ReviewItem Item(Edge edge, ReviewReason reason) => new()
    {
        Reason = reason,
        Src = SegmentKey.TextOf(edge.Src, input.Level),
        Dst = reason == ReviewReason.Scanner ? "" : SegmentKey.TextOf(edge.Dst, input.Level),
        Protocol = reason == ReviewReason.Scanner ? "" : IpProtocol.NameOf(edge.Protocol),
        Port = reason == ReviewReason.Scanner ? null : edge.DstPort,
        Connections = edge.Connections,
        FirstSeenUs = edge.FirstSeenUs,
        LastSeenUs = edge.LastSeenUs,
        Nodes = edge.Nodes,
        Detail = Detail(reason),
    };

    /// <summary>Kubernetes always lets a pod and its own node talk: kubelet probes need no rule.</summary>
    public static bool OwnNode(Entity a, Entity b) => IsNodeOf(a, b) || IsNodeOf(b, a);

    private static readonly NetBlock[] Unroutable =
    [
        .. ((string[])["127.0.0.0/8", "::1/128", "169.254.0.0/16", "fe80::/10", "224.0.0.0/4", "ff00::/8", "0.0.0.0/32", "::/128", "255.255.255.255/32"])
        .Select(NetBlock.Parse),
    ];

    /// <summary>Link-local addresses mean something else on each machine, but for two that clouds and clusters have made known: metadata and the node's own resolver.</summary>
    private static bool IsRoutable(NetBlock range) => WellKnownAddresses.Holds(range) || !Unroutable.Any(local => local.Contains(range));

    private static bool IsNodeOf(Entity host, Entity pod) => pod.Kind == EntityKind.Pod && !pod.HostNetwork && pod.Node.Length > 0 && pod.Cluster == host.Cluster
        && ((host.Kind == EntityKind.Node && host.Name == pod.Node) || (host.Kind == EntityKind.Pod && host.HostNetwork && host.Node == pod.Node));

    private ReviewReason? WhyNotNeeded(Edge edge) => edge switch
    {
        _ when noise.IsScanner(edge.Src) => ReviewReason.Scanner,
        _ when edge.Protocol is not (IpProtocol.Tcp or IpProtocol.Udp or IpProtocol.Sctp) || edge.DstPort == 0 => ReviewReason.Protocol,
        _ when edge.Src.Id == edge.Dst.Id => ReviewReason.Loopback,
        { Answered: 0, Refused: > 0 } => ReviewReason.Refused,
        { Answered: 0 } => ReviewReason.Unanswered,
        { DirectionTrusted: 0 } => ReviewReason.UntrustedDirection,
        _ when noise.IsOneOff(edge.Src) => ReviewReason.OneOff,
        _ when noise.IsGone(edge.Src) || noise.IsGone(edge.Dst) => ReviewReason.Gone,
        _ => null,
    };

    private ReviewReason? WhyNotNameable(Edge edge)
    {
        Entity[] ends = [edge.Src, edge.Dst];
        if (edge.SrcResolvedBy == ResolvedBy.Ambiguous || edge.DstResolvedBy == ResolvedBy.Ambiguous || ends.Any(end => end.Kind == EntityKind.Ambiguous))
        {
            return ReviewReason.Ambiguous;
        }

        if (ends.Any(end => end.Kind == EntityKind.Service))
        {
            return ReviewReason.ServiceAddress;
        }

        if (OwnNode(edge.Src, edge.Dst))
        {
            return ReviewReason.OwnNode;
        }

        if (edge.SnatUnresolved > 0 && edge.SnatUnresolved >= edge.Connections)
        {
            return ReviewReason.BehindNode;
        }

        return ends.Select(WhyNotNameable).FirstOrDefault(reason => reason is not null);
    }

    private ReviewReason? WhyNotNameable(Entity end)
    {
        if (Selectable(end))
        {
            return null;
        }

        if (end is { Kind: EntityKind.Pod, HostNetwork: false })
        {
            return input.InCluster(end) ? ReviewReason.InvalidName : ReviewReason.OtherCluster;
        }

        if (end.Kind == EntityKind.External && input.Target.Names && ClusterPolicyReader.IsDomainName(end.Name))
        {
            return null;
        }

        var addresses = AddressesOf(end);
        return addresses.Count == 0 ? ReviewReason.NoAddress
            : HasClusterAddress(end) || (end.Kind == EntityKind.Unknown && input.ClusterRanges.Any(range => addresses.Any(range.Contains))) ? ReviewReason.UnknownInCluster
            : null;
    }

    private static string Detail(ReviewReason reason) => reason switch
    {
        ReviewReason.Scanner => "tries at least ten destinations and ports, and most never answer: no rule is made from anything it did",
        ReviewReason.Uncorroborated => "no node of its ends confirms it, though one was collecting then or none of them speaks of it at all",
        ReviewReason.Flood => "one node alone tells of more edges than its pods explain",
        ReviewReason.OneOff => "a pod without an owner that was busy for an hour at most, as people start them to look around",
        ReviewReason.Gone => "the last pod of the workload ended a day or longer before the end of the span, and nothing came after it",
        ReviewReason.Refused => "every connection was refused: a failed attempt is no need",
        ReviewReason.Unanswered => "nobody ever answered: a failed attempt is no need",
        ReviewReason.UntrustedDirection => "nobody saw who initiated, so client and server may be the other way round",
        ReviewReason.Ambiguous => "several entities claimed an address at the time",
        ReviewReason.BehindNode => "from a node's address, but the node saw no such connection of its own: anybody behind its masquerade may have made it; run a collector there",
        ReviewReason.ServiceAddress => "only the service's address was seen; rules apply to whoever answers behind it",
        ReviewReason.UnknownInCluster => "nobody is known to have held the address then, though it lies in the cluster's ranges or was a pod's or a service's at another time",
        ReviewReason.NoAddress => "no address is known that a rule could name",
        ReviewReason.OtherCluster => "a pod of another cluster cannot be selected here",
        ReviewReason.Protocol => "NetworkPolicy speaks of TCP, UDP and SCTP ports only",
        ReviewReason.Loopback => "an entity with itself",
        ReviewReason.OwnNode => "between a pod and its own node, which Kubernetes always allows",
        ReviewReason.InvalidName => "the namespace's name is none that Kubernetes accepts",
        ReviewReason.HostNetwork => "runs in the node's network, where no NetworkPolicy selects it; peers name the node's addresses",
        _ => throw new System.Diagnostics.UnreachableException($"{reason} does not stem from an edge."),
    };
}
