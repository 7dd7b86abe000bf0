namespace Flows.Core.Identity;

/// <summary>
/// What one port of a service meant over [<see cref="ValidFromUs"/>, <see cref="ValidToUs"/>). Append-only as
/// <see cref="IdentityInterval"/>: a later statement with the same <see cref="IntervalId"/> replaces an earlier one.
/// </summary>
public sealed record ServicePort
{
    /// <summary>Stable hash of service, protocol, port and valid_from.</summary>
    public required ulong IntervalId { get; init; }

    /// <summary><see cref="Entity.Id"/> of the service.</summary>
    public required ulong ServiceId { get; init; }

    public required string Scope { get; init; }

    /// <summary>IANA protocol number.</summary>
    public required byte Protocol { get; init; }

    /// <summary>The port that clients dial at the service's own addresses.</summary>
    public required ushort Port { get; init; }

    /// <summary>Its name in the service; empty where it has none.</summary>
    public string Name { get; init; } = "";

    /// <summary><c>targetPort</c> as written: a number, or the name of a container's port, which may be another number in every pod.</summary>
    public string TargetPort { get; init; } = "";

    /// <summary>The port at every node's addresses; 0 for none.</summary>
    public ushort NodePort { get; init; }

    public required long ValidFromUs { get; init; }

    public long? ValidToUs { get; init; }

    public required long LearnedAtUs { get; init; }

    public static ulong IdOf(ulong serviceId, byte protocol, ushort port, long validFromUs) =>
        StableId.Of("service_port", StableId.Part(serviceId), StableId.Part(protocol), StableId.Part(port), StableId.Part((ulong)validFromUs));
}
