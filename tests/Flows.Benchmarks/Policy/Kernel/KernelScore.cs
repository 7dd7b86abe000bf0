namespace Flows.Benchmarks.Policy.Kernel;

/// <summary>What the kernel said of one suggestion, asked with packets.</summary>
internal sealed record KernelScore
{
    /// <summary>Held-out connections that differ in an end, a port or a protocol; each was tried.</summary>
    public required int Tried { get; init; }

    /// <summary>Edges that these belong to.</summary>
    public required int Edges { get; init; }

    /// <summary>Edges seen in training of which the kernel stopped a connection: false denies above the floor.</summary>
    public required IReadOnlyList<string> DeniedSeen { get; init; }

    /// <summary>Connections of edges that training had not shown which the kernel stopped: the floor.</summary>
    public required int StoppedUnseen { get; init; }

    /// <summary>Connections that no need explains, tried as well: every client with every listening port, and random ones.</summary>
    public required int Strangers { get; init; }

    /// <summary>Of the clients with listening ports: let through.</summary>
    public required IReadOnlyList<string> AllowedUntrue { get; init; }

    /// <summary>Connections on which kernel and evaluator disagree.</summary>
    public required IReadOnlyList<string> Disagreements { get; init; }

    /// <summary>States of the cluster whose rules were loaded.</summary>
    public required int States { get; init; }
}
