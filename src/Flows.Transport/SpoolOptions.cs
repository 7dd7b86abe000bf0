using Flows.Transport.Log;

namespace Flows.Transport;

/// <summary>How much a collector keeps while the server is away.</summary>
public sealed record SpoolOptions
{
    /// <summary>
    /// The log below. Default 1 GiB in segments of 16 MiB: at 10 bytes a row, 5,000 rows a second for six hours.
    /// </summary>
    public SegmentLogOptions Log { get; init; } = new() { BytesMax = 1L << 30, SegmentBytes = 16 << 20 };

    /// <summary>Size of the <c>dead</c> directory, beyond which a rejected batch is counted but not kept. Default 64 MiB.</summary>
    public long DeadBytesMax { get; init; } = 64 << 20;

    /// <summary>How far, in time, the acknowledged position on disk may lag behind the one in memory. Default 1 s; a crash resends that much.</summary>
    public TimeSpan CursorLagMax { get; init; } = TimeSpan.FromSeconds(1);
}
