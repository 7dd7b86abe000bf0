using Flows.Core.Facts;

namespace Flows.Core.Policy;

/// <summary>
/// The ports that a rule speaks of, at the server. Neither number nor name: every port of the protocol.
/// </summary>
/// <param name="Protocol">IP protocol number.</param>
/// <param name="First">The port, or the first of a range.</param>
/// <param name="Last">The last port of a range, inclusive; equal to <paramref name="First"/> for one port.</param>
/// <param name="Name">A port's name, which each destination resolves for itself.</param>
public sealed record PortMatch(byte Protocol, ushort? First = null, ushort? Last = null, string? Name = null)
{
    /// <summary>The protocols that have ports.</summary>
    public static IReadOnlyList<byte> Transports { get; } = [IpProtocol.Tcp, IpProtocol.Udp, IpProtocol.Sctp];

    public static PortMatch Of(byte protocol, ushort port) => new(protocol, port, port);

    /// <summary>True where every connection that the other matches is matched here too, whatever names stand for.</summary>
    public bool Covers(PortMatch other) => Protocol == other.Protocol
        && (Name is not null ? Name == other.Name : First is null || (other.Name is null && other.First >= First && other.Last <= Last));

    public override string ToString() => IpProtocol.NameOf(Protocol).ToUpperInvariant()
        + (Name is not null ? $" {Name}" : First is null ? "" : First == Last ? $" {First}" : $" {First}-{Last}");
}
