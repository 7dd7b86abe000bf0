using Microsoft.Win32.SafeHandles;

namespace Flows.Transport.Log;

/// <summary>How large a log may grow, and how it is cut into files.</summary>
public sealed record SegmentLogOptions
{
    /// <summary>Size at which a segment is closed and the next one begun. Default 64 MiB: a trim frees disk in such steps.</summary>
    public long SegmentBytes { get; init; } = 64 << 20;

    /// <summary>Size of all segments together; beyond it appends are refused. Default 4 GiB.</summary>
    public long BytesMax { get; init; } = 4L << 30;

    /// <summary>Largest payload of one record. Default 16 MiB; it also bounds what a damaged length field can make us read.</summary>
    public int RecordBytesMax { get; init; } = 16 << 20;

    /// <summary>
    /// The lowest sequence that may be given out. A log that lost its files must not reuse numbers that others remember:
    /// the acknowledged cursor of a spool, the sealed position of a store.
    /// </summary>
    public ulong SequenceMin { get; init; }

    /// <summary>
    /// Memory for records that are written but not yet synced, kept so that a failed fsync loses nothing. Default 32 MiB;
    /// when the disk stays broken and this is full, appends fail.
    /// </summary>
    public long UnsyncedBytesMax { get; init; } = 32 << 20;

    /// <summary>Forces a file's data to the disk; replaced in tests to fail.</summary>
    internal Action<SafeFileHandle> Sync { get; init; } = RandomAccess.FlushToDisk;

    /// <summary>The segment size in force: at least four segments fit, so that a full log frees space as it is trimmed.</summary>
    internal long SegmentBytesInForce => Math.Max(1, Math.Min(SegmentBytes, BytesMax / 4));
}
