namespace Flows.Capture.Batching;

/// <summary>When a batch leaves.</summary>
public sealed record BatcherOptions
{
    /// <summary>A batch of so many rows is full. Default 4,096: about 800 KB in memory, 40 KB on the wire.</summary>
    public int BatchRowsMax { get; init; } = 4096;

    /// <summary>A batch leaves when its first row is this old. Default 1 s.</summary>
    public TimeSpan BatchAgeMax { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Wait for room where the channel is full. Default false: a live source must not stop, so the batch is dropped and counted. A file can wait.
    /// </summary>
    public bool WaitForRoom { get; init; }
}
