using Flows.Core.Facts;

namespace Flows.Core.Policy;

/// <summary>A pod at one moment.</summary>
/// <param name="Party">As policies see it, with its first address.</param>
/// <param name="Addresses">All of them; none where it has ended, since they may be another's by now.</param>
/// <param name="Node">The host that it runs on; empty where no such host is known.</param>
/// <param name="Workload">What owns it, or its own name.</param>
public sealed record FleetPod(Party Party, IReadOnlyList<NetAddress> Addresses, string Node, string Workload, bool IsRunning)
{
    /// <summary>What its spec calls its node, whether or not such a host is known.</summary>
    public string NodeName { get; init; } = "";

    /// <summary><c>spec.hostname</c>: its part of a headless service's name; empty where it has none.</summary>
    public string HostName { get; init; } = "";

    /// <summary>Services send it clients.</summary>
    public bool IsReady { get; init; } = true;

    /// <summary>It has been told to end, and may still answer.</summary>
    public bool IsTerminating { get; init; }

    /// <summary>The ports of its node that lead to it.</summary>
    public IReadOnlyList<FleetHostPort> HostPorts { get; init; } = [];
}

/// <summary>A port of a node that leads to a pod (<c>hostPort</c>).</summary>
/// <param name="Address">The one address of the node where it answers; null: all of them.</param>
public sealed record FleetHostPort(NetAddress? Address, byte Protocol, ushort Port, ushort Target);

/// <summary>A host at one moment.</summary>
public sealed record FleetHost(string Name, Party Party, IReadOnlyList<NetAddress> Addresses);
