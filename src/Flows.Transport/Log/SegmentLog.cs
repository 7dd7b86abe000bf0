using Flows.Core;
using Microsoft.Win32.SafeHandles;

namespace Flows.Transport.Log;

/// <summary>
/// A durable queue on disk: append-only segment files of checksummed, numbered records. The collector's spool and the server's intake are
/// both one of these. Thread safe. One process at a time holds the directory.
/// </summary>
/// <remarks>
/// Files are never written in place: a process appends only to a file that it created, a full file is closed for good, and whole files are
/// deleted from the front. Readers see durable records only: a number that left the process is never given to other data.
/// </remarks>
public sealed partial class SegmentLog : IDisposable
{
    private readonly string directory;
    private readonly SegmentLogOptions options;
    private readonly FileStream directoryLock;
    private readonly SemaphoreSlim commitTurn = new(1, 1);
    private readonly Lock gate = new();

    // All below are guarded by the gate.
    private readonly List<Segment> segments = [];
    private readonly Queue<(ulong Sequence, byte[] Record)> unsynced = new();
    private SafeFileHandle? active;
    private long unsyncedBytes;
    private ulong next;
    private ulong durable;
    private LogDamage damage;

    private SegmentLog(string directory, SegmentLogOptions options, FileStream directoryLock)
    {
        this.directory = directory;
        this.options = options;
        this.directoryLock = directoryLock;
    }

    /// <summary>The sequence that the next record will get.</summary>
    public ulong Next => Locked(() => next);

    /// <summary>One past the newest record that a power cut cannot take away.</summary>
    public ulong DurableEnd => Locked(() => durable);

    /// <summary>The lowest sequence that may still be read; equals <see cref="Next"/> when the log is empty.</summary>
    public ulong First => Locked(() => segments.Count == 0 ? next : segments[0].First);

    /// <summary>Bytes of all segments together.</summary>
    public long Bytes => Locked(() => segments.Sum(segment => segment.Bytes));

    /// <summary>The damage met so far.</summary>
    public LogDamage Damage => Locked(() => damage);

    /// <summary>
    /// Opens or creates the log of a directory. Damage never keeps it from opening: what is unreadable is skipped, cut off or renamed to
    /// <c>.bad</c>, and counted in <see cref="Damage"/>.
    /// </summary>
    /// <exception cref="FlowsException">Another process uses the directory, or it cannot be written.</exception>
    public static SegmentLog Open(string directory, SegmentLogOptions options)
    {
        var log = new SegmentLog(directory, options, DurableFiles.Lock(directory));
        try
        {
            log.Recover();
            return log;
        }
        catch (IOException fault)
        {
            log.Dispose();
            throw new FlowsException(ExitCode.Failed, $"Cannot read the log in {directory}: {fault.Message}; check the disk.", fault);
        }
    }

    /// <summary>Appends a record to the page cache. It is durable after <see cref="Flush"/> or <see cref="DurableAsync"/>.</summary>
    /// <exception cref="ArgumentException">The payload is larger than <see cref="SegmentLogOptions.RecordBytesMax"/>.</exception>
    public AppendResult Append(ReadOnlySpan<byte> payload)
    {
        if (payload.Length > options.RecordBytesMax)
        {
            throw new ArgumentException($"A record has at most {options.RecordBytesMax} bytes, not {payload.Length}.", nameof(payload));
        }

        lock (gate)
        {
            var recordBytes = RecordFormat.HeaderBytes + payload.Length;
            if (segments.Sum(segment => segment.Bytes) + recordBytes > options.BytesMax)
            {
                return new AppendResult(AppendOutcome.Full, 0);
            }

            if (unsyncedBytes + recordBytes > options.UnsyncedBytesMax && !TryFlushLocked())
            {
                return new AppendResult(AppendOutcome.Failed, 0);
            }

            var record = RecordFormat.Encode(next, payload);
            if (TryWrite(next, record) is var outcome && outcome != AppendOutcome.Appended)
            {
                return new AppendResult(outcome, 0);
            }

            unsynced.Enqueue((next, record));
            unsyncedBytes += recordBytes;
            return new AppendResult(AppendOutcome.Appended, next++);
        }
    }

    /// <summary>Appends a record and returns once it is durable. Concurrent appenders share one fsync.</summary>
    /// <returns><see cref="AppendOutcome.Failed"/> also where the record was written but could not be synced; it may then become durable later.</returns>
    public async ValueTask<AppendResult> AppendDurableAsync(ReadOnlyMemory<byte> payload, CancellationToken cancellation)
    {
        var result = Append(payload.Span);
        return result.Outcome != AppendOutcome.Appended || await DurableAsync(result.Sequence, cancellation).ConfigureAwait(false)
            ? result
            : result with { Outcome = AppendOutcome.Failed };
    }

    /// <summary>Waits until the record of this sequence is durable; false when the disk fails.</summary>
    /// <remarks>Whoever holds the turn syncs for all who appended before; those waiting then find their work done.</remarks>
    public async ValueTask<bool> DurableAsync(ulong sequence, CancellationToken cancellation)
    {
        if (DurableEnd > sequence)
        {
            return true;
        }

        await commitTurn.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            return DurableEnd > sequence || TryFlush();
        }
        finally
        {
            commitTurn.Release();
        }
    }

    /// <summary>Makes everything appended so far durable; false when the disk fails, and the records stay in memory for the next attempt.</summary>
    public bool Flush()
    {
        commitTurn.Wait();
        try
        {
            return TryFlush();
        }
        finally
        {
            commitTurn.Release();
        }
    }

    /// <summary>
    /// Deletes the closed segments that lie wholly before the sequence. A deletion that fails is tried again by the next call.
    /// </summary>
    public void TrimBefore(ulong sequence)
    {
        lock (gate)
        {
            var deleted = 0;
            while (CountBefore(sequence) > 0 && TryDelete(segments[0].Path))
            {
                segments.RemoveAt(0);
                deleted++;
            }

            if (deleted > 0)
            {
                TrySyncDirectory();
            }
        }
    }

    /// <summary>True when <see cref="TrimBefore"/> would delete something.</summary>
    public bool CanTrimBefore(ulong sequence) => Locked(() => CountBefore(sequence) > 0);

    /// <summary>Syncs what was appended and lets go of the directory.</summary>
    public void Dispose()
    {
        if (Locked(() => unsynced.Count > 0))
        {
            Flush();
        }

        active?.Dispose();
        directoryLock.Dispose();
        commitTurn.Dispose();
    }

    // The newest segment is kept while it is written to; after a restart nothing is written to it, and it may go.
    private int CountBefore(ulong sequence)
    {
        var closed = active is null ? segments.Count : segments.Count - 1;
        var count = 0;
        while (count < closed && segments[count].End <= sequence)
        {
            count++;
        }

        return count;
    }

    private T Locked<T>(Func<T> read)
    {
        lock (gate)
        {
            return read();
        }
    }
}
