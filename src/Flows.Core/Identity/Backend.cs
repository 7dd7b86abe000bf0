using Flows.Core.Facts;

namespace Flows.Core.Identity;

/// <summary>
/// One endpoint behind one port of a service over [<see cref="ValidFromUs"/>, <see cref="ValidToUs"/>), from all slices of the service.
/// Append-only as <see cref="IdentityInterval"/>.
/// </summary>
public sealed record Backend
{
    /// <summary>Stable hash of service, address, protocol, port, its name if it has one, and valid_from.</summary>
    public required ulong IntervalId { get; init; }

    /// <summary><see cref="Entity.Id"/> of the service.</summary>
    public required ulong ServiceId { get; init; }

    public required string Scope { get; init; }

    public required NetAddress Address { get; init; }

    /// <summary>IANA protocol number.</summary>
    public required byte Protocol { get; init; }

    /// <summary>The number on which the endpoint listens.</summary>
    public required ushort Port { get; init; }

    /// <summary>The service port's name, which is what ties the two together; empty where it has none.</summary>
    public string PortName { get; init; } = "";

    /// <summary><see cref="Entity.Id"/> of the pod that the endpoint refers to; 0 for an address outside.</summary>
    public ulong TargetId { get; init; }

    public bool Ready { get; init; }

    public bool Serving { get; init; }

    public bool Terminating { get; init; }

    public required long ValidFromUs { get; init; }

    public long? ValidToUs { get; init; }

    public required long LearnedAtUs { get; init; }

    /// <summary>Two ports of a service may lead to one port of an endpoint; the name tells their statements apart.</summary>
    public static ulong IdOf(ulong serviceId, NetAddress address, byte protocol, ushort port, long validFromUs, string portName = "") => StableId.Of(
        "backend", StableId.Part(serviceId), $"{address}/{StableId.Part(protocol)}/{StableId.Part(port)}{(portName.Length > 0 ? "/" : "")}{portName}", StableId.Part((ulong)validFromUs));
}
