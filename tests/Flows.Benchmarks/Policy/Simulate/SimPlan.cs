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
}
