using Flows.Core.Identity;

namespace Flows.Core.Policy;

/// <summary>One end of a connection, as policies see it.</summary>
public sealed record Party
{
    /// <summary>Tells one end from another: two parties with the same id are the same pod or machine.</summary>
    public required string Id { get; init; }

    /// <summary>A pod with a network of its own; all others are known by address only, or are hosts.</summary>
    public bool Selectable { get; init; }

    public string Namespace { get; init; } = "";

    public IReadOnlyDictionary<string, string> Labels { get; init; } = Entity.NoLabels;

    /// <summary>The labels of the host that the party is, or whose network it shares; null for all others.</summary>
    public IReadOnlyDictionary<string, string>? HostLabels { get; init; }

    /// <summary>The address, or the range where no more is known; null: no range can match.</summary>
    public NetBlock? Address { get; init; }

    /// <summary>The named ports that a pod's containers declare; empty where the inventory does not know them.</summary>
    public IReadOnlyList<NamedPort> Ports { get; init; } = [];

    /// <summary>The services (<c>namespace/name</c>) that the party answers for.</summary>
    public IReadOnlyList<string> Services { get; init; } = [];

    /// <summary>The DNS names that stood for its address at the time.</summary>
    public IReadOnlyList<string> Names { get; init; } = [];

    public bool IsHost => HostLabels is not null;

    /// <summary>The number of the container's port of this name; null where it has none.</summary>
    public ushort? PortNamed(string name, byte protocol) => Ports.FirstOrDefault(named => named.Name == name && named.Protocol == protocol)?.Port;
}

/// <summary>A container's port with a name.</summary>
public sealed record NamedPort(string Name, byte Protocol, ushort Port);
