namespace Flows.Capture.Batching;

/// <summary>When a batch leaves: full or old, whichever comes first.</summary>
public sealed record BatcherOptions
{
    /// <summary>Rows of a batch, 1 to 65,536. 4,096 are about 900 KB: large enough that headers and compression cost little a row.</summary>
    public int BatchRowsMax { get; init; } = 4096;

    /// <summary>Age of the oldest row at which a batch leaves though it is not full. 1 s keeps the map fresh.</summary>
    public TimeSpan BatchAgeMax { get; init; } = TimeSpan.FromSeconds(1);
}
