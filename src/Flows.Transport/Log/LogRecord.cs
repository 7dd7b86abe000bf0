namespace Flows.Transport.Log;

/// <summary>A record as read from the log.</summary>
public readonly record struct LogRecord(ulong Sequence, ReadOnlyMemory<byte> Payload);

/// <summary>What became of an append.</summary>
public enum AppendOutcome
{
    /// <summary>Written. Durable only once a flush has returned.</summary>
    Appended,

    /// <summary>Refused: the log has reached its size, or the disk has no space. Nothing was written.</summary>
    Full,

    /// <summary>Refused: the disk does not take writes (I/O error, read-only). Nothing was accepted.</summary>
    Failed,
}

/// <summary>The outcome of an append, and the record's sequence where it was appended.</summary>
public readonly record struct AppendResult(AppendOutcome Outcome, ulong Sequence);

/// <summary>The damage that a log has met since it was opened, opening included.</summary>
/// <param name="BytesTruncated">Bytes cut from the newest segment, behind its last whole record: a write that a crash tore.</param>
/// <param name="RegionsSkipped">Unreadable stretches inside segments that were skipped; each held at least one record.</param>
/// <param name="SegmentsQuarantined">Segments in which nothing was readable, renamed to <c>.bad</c>.</param>
/// <param name="SyncFailures">Failed writes and fsyncs after which the log moved to a new segment.</param>
public readonly record struct LogDamage(long BytesTruncated, long RegionsSkipped, long SegmentsQuarantined, long SyncFailures);
