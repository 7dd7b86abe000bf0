using Flows.Core.Facts;

namespace Flows.Core.Policy;

/// <summary>Which end of the connection a rule stands at.</summary>
public enum Direction
{
    /// <summary>At the server: who may come in.</summary>
    Ingress,

    /// <summary>At the client: where it may go.</summary>
    Egress,
}

/// <summary>Why a rule is there.</summary>
public enum RulePurpose
{
    /// <summary>Connections were seen.</summary>
    Observed,

    /// <summary>Infrastructure: use of it was seen, and the rule covers all of it (name resolution over both UDP and TCP).</summary>
    Baseline,
}

/// <summary>
/// The ports that a rule opens at the server, after DNAT. Neither number nor name: every port of the protocol.
/// </summary>
/// <param name="Protocol">IP protocol number.</param>
/// <param name="First">The port, or the first of a range.</param>
/// <param name="Last">The last port of a range, inclusive; equal to <paramref name="First"/> for one port.</param>
/// <param name="Name">A port's name, which each destination resolves for itself.</param>
public sealed record PortMatch(byte Protocol, ushort? First = null, ushort? Last = null, string? Name = null)
{
    public static PortMatch Of(byte protocol, ushort port) => new(protocol, port, port);

    public override string ToString() => IpProtocol.NameOf(Protocol).ToUpperInvariant()
        + (Name is not null ? $" {Name}" : First is null ? "" : First == Last ? $" {First}" : $" {First}-{Last}");
}

/// <summary>Lets connections through between the policy's segment and any of the peers, on any of the ports.</summary>
public sealed record Rule
{
    /// <summary>Empty: everybody.</summary>
    public IReadOnlyList<Segment> Peers { get; init; } = [];

    /// <summary>Empty: every port of every protocol.</summary>
    public IReadOnlyList<PortMatch> Ports { get; init; } = [];

    public RulePurpose Purpose { get; init; }

    /// <summary>Why the rule allows more than was seen; null where it does not.</summary>
    public string? Widened { get; init; }

    /// <summary>What justifies the rule; null for a rule that was read from somewhere.</summary>
    public RuleEvidence? Evidence { get; init; }

    /// <summary>The exact meaning as text, and the order of output.</summary>
    public string Key => $"{string.Join(' ', Ports)}|{string.Join(' ', Peers.Select(peer => peer.Key))}";
}

/// <summary>The connections that justify a rule.</summary>
public sealed record RuleEvidence
{
    public required long FirstSeenUs { get; init; }

    public required long LastSeenUs { get; init; }

    public required long Connections { get; init; }

    public required int DistinctSources { get; init; }

    public required int DistinctDestinations { get; init; }

    /// <summary>Names of the nodes that saw it, sorted.</summary>
    public required IReadOnlyList<string> Nodes { get; init; }

    /// <summary>How the ends were named, sorted.</summary>
    public required IReadOnlyList<string> ResolvedBy { get; init; }

    /// <summary>In a stable order.</summary>
    public required IReadOnlyList<Map.Edge> Edges { get; init; }
}
