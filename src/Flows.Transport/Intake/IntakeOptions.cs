using Flows.Transport.Log;

namespace Flows.Transport.Intake;

/// <summary>How much the server takes in at once, and how much it keeps unsealed.</summary>
public sealed record IntakeOptions
{
    /// <summary>The log below. Default 4 GiB in segments of 64 MiB; when it is full, collectors keep their batches.</summary>
    public SegmentLogOptions Log { get; init; } = new();

    /// <summary>Largest body of a batch of flows, as it travels. Default 8 MiB: 100,000 rows at 80 bytes, eight times what they take.</summary>
    public int BodyBytesMax { get; init; } = 8 << 20;

    /// <summary>
    /// Largest body of an account report. Default 8 MiB: the books take 10 KiB, and a collector keeps what it sends beside them (coverage, owners, names)
    /// below 6 MiB.
    /// </summary>
    public int AccountBytesMax { get; init; } = 8 << 20;

    /// <summary>Bodies being received, together. Default 64 MiB; beyond it collectors are asked to come back.</summary>
    public long BytesInFlightMax { get; init; } = 64 << 20;

    /// <summary>When a collector should come back that was turned away. Default 2 s.</summary>
    public TimeSpan RetryAfter { get; init; } = TimeSpan.FromSeconds(2);
}
