using Flows.Core.Facts;

namespace Flows.Core.Policy;

/// <summary>A service (v1/Service) at one moment.</summary>
public sealed record FleetService
{
    public required string Namespace { get; init; }

    public required string Name { get; init; }

    /// <summary><c>namespace/name</c>.</summary>
    public string Id => $"{Namespace}/{Name}";

    /// <summary>Where clients inside dial it: one for each family; none for a headless service or one that is only a name.</summary>
    public IReadOnlyList<NetAddress> ClusterAddresses { get; init; } = [];

    /// <summary><c>spec.externalIPs</c>, and the addresses of its load balancer that nodes answer for themselves (<c>ipMode: VIP</c>).</summary>
    public IReadOnlyList<NetAddress> ExternalAddresses { get; init; } = [];

    public IReadOnlyList<FleetServicePort> Ports { get; init; } = [];

    /// <summary>The pods behind it; null where somebody else writes its endpoints.</summary>
    public LabelSelector? Selector { get; init; }

    /// <summary>What its name is an alias (CNAME) of; null for all but type ExternalName.</summary>
    public string? ExternalName { get; init; }

    /// <summary><c>internalTrafficPolicy: Local</c>: clients inside reach only the endpoints of their own node.</summary>
    public bool KeepsInternalLocal { get; init; }

    /// <summary><c>externalTrafficPolicy: Local</c>: clients outside reach only the endpoints of the node that they came to.</summary>
    public bool KeepsExternalLocal { get; init; }

    /// <summary><c>publishNotReadyAddresses</c>: endpoints count as ready from the start.</summary>
    public bool PublishesUnready { get; init; }

    /// <summary>Its EndpointSlices; null where the cluster's objects hold none, and the selector has to tell.</summary>
    public IReadOnlyList<FleetSlice>? Slices { get; init; }
}

/// <summary>A port of a service: where it is dialled, and where its backends answer.</summary>
/// <param name="Name">Empty where it has none.</param>
/// <param name="Target">A number, or the name of a port of each backend.</param>
/// <param name="NodePort">Where every node answers for it; 0 where none does.</param>
public sealed record FleetServicePort(string Name, byte Protocol, ushort Port, string Target, ushort NodePort);

/// <summary>An EndpointSlice (discovery.k8s.io/v1): endpoints of one family that answer on the same ports.</summary>
/// <param name="Ports">By the name of the service's port.</param>
public sealed record FleetSlice(IReadOnlyList<NamedPort> Ports, IReadOnlyList<FleetEndpoint> Endpoints);

/// <summary>Who answers for a service at an address.</summary>
/// <param name="Pod"><c>namespace/name</c>, where the slice says so; else empty.</param>
/// <param name="Node">Where it runs; empty where that is not said.</param>
/// <param name="Serving">Answers, though it may be about to end.</param>
public sealed record FleetEndpoint(NetAddress Address, string Pod, string Node, bool Ready, bool Serving, bool Terminating);
