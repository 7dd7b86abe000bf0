namespace Flows.Benchmarks.Policy.Simulate;

/// <summary>How a landscape is run and watched.</summary>
internal sealed record SimPlan
{
    public int Seed { get; init; } = 1;

    /// <summary>Roll-outs change what charts put on pods, beside the template's hash.</summary>
    public bool Bump { get; init; } = true;

    public int TrainDays { get; init; } = 14;

    public int TestDays { get; init; } = 7;

    /// <summary>Factor on sampled connections.</summary>
    public double Traffic { get; init; } = 1;

    /// <summary>Share of flows that each node loses without anybody knowing.</summary>
    public double Loss { get; init; }

    /// <summary>Nodes, of four, without a collector.</summary>
    public int BlindNodes { get; init; }

    /// <summary>Half of the workloads are deleted while training, and made anew an hour later: same names, other uids, addresses and selectors.</summary>
    public bool Recreate { get; init; }

    /// <summary>
    /// Collectors report rows, the product's own store puts them together, and the suggestion reads the store; else edges are made as the store would make them. The
    /// conditions below need it.
    /// </summary>
    public bool Stored { get; init; }

    /// <summary>How far the clocks of the first and the last node are from the truth, the one behind and the other ahead, in µs; those between in proportion.</summary>
    public long SkewUs { get; init; }

    /// <summary>Share of connections that a node masquerades: whoever sits behind it sees the node's address.</summary>
    public double Masquerade { get; init; }

    /// <summary>Share of rows that come a second time: once more from the spool, from another source of the node, or from another zone of its conntrack.</summary>
    public double Duplicates { get; init; }
}
