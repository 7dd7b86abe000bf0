using Microsoft.Win32.SafeHandles;

namespace Flows.Transport.Log;

// The writing half: one active file, and what to do when the disk refuses.
public sealed partial class SegmentLog
{
    /// <summary>Writes the record to the active segment, beginning one where there is none or it is full.</summary>
    private AppendOutcome TryWrite(ulong sequence, byte[] record)
    {
        var begins = active is null;
        try
        {
            if (begins)
            {
                BeginSegment(unsynced.Count > 0 ? unsynced.Peek().Sequence : sequence);
                RewriteUnsynced();
            }
            else if (segments[^1].Bytes > 0 && segments[^1].Bytes + record.Length > options.SegmentBytesInForce)
            {
                if (!TryFlushLocked())
                {
                    return AppendOutcome.Failed;
                }

                active!.Dispose();
                active = null;
                BeginSegment(sequence);
            }

            Write(sequence, record);
            return AppendOutcome.Appended;
        }
        catch (IOException fault)
        {
            var full = DurableFiles.IsOutOfSpace(fault);
            if (begins || !TryUndoPartialWrite())
            {
                // Not all that is unsynced may be in the new file: the next attempt starts over.
                AbandonActive();
            }

            return full ? AppendOutcome.Full : AppendOutcome.Failed;
        }
        catch (UnauthorizedAccessException)
        {
            AbandonActive();
            return AppendOutcome.Failed;
        }
    }

    private void Write(ulong sequence, byte[] record)
    {
        var segment = segments[^1];
        RandomAccess.Write(active!, record, segment.Bytes);
        segment.Add(new RecordPlace(sequence, segment.Bytes, record.Length - RecordFormat.HeaderBytes));
        segment.Bytes += record.Length;
    }

    private bool TryUndoPartialWrite()
    {
        try
        {
            if (active is not null)
            {
                RandomAccess.SetLength(active, segments[^1].Bytes);
            }

            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    private void BeginSegment(ulong first)
    {
        var path = Path.Combine(directory, Segment.NameOf(first));
        var handle = File.OpenHandle(path, FileMode.Create, FileAccess.Write, FileShare.Read | FileShare.Delete);
        try
        {
            DurableFiles.SyncDirectory(directory);
        }
        catch (IOException)
        {
            handle.Dispose();
            throw;
        }

        segments.Add(new Segment(path, first));
        active = handle;
    }

    private void RewriteUnsynced()
    {
        foreach (var (sequence, record) in unsynced)
        {
            Write(sequence, record);
        }
    }

    /// <summary>
    /// Syncs outside the gate, so that others append meanwhile; their records wait for the next sync. Only the holder of the commit turn calls it.
    /// </summary>
    private bool TryFlush()
    {
        SafeFileHandle? file;
        ulong end;
        lock (gate)
        {
            if (unsynced.Count == 0)
            {
                return true;
            }

            if (active is null)
            {
                return TryRescue();
            }

            (file, end) = (active, next);
        }

        try
        {
            options.Sync(file);
        }
        catch (Exception fault) when (fault is IOException or ObjectDisposedException)
        {
            lock (gate)
            {
                // A roll in between synced this file and closed it; then nothing failed.
                return durable >= end || (fault is ObjectDisposedException ? TryFlushLocked() : TryRescue());
            }
        }

        lock (gate)
        {
            // An abandoned file's sync proves nothing for the records that were written again elsewhere.
            return !ReferenceEquals(file, active) ? durable >= end || TryFlushLocked() : MarkDurable(end);
        }
    }

    private bool TryFlushLocked()
    {
        if (unsynced.Count == 0)
        {
            return true;
        }

        try
        {
            if (active is not null)
            {
                options.Sync(active);
                return MarkDurable(next);
            }
        }
        catch (IOException)
        {
            return TryRescue();
        }

        return TryRescue();
    }

    /// <summary>
    /// After a failed sync the kernel has dropped the dirty pages and would report success the next time: the file is lost-suspect.
    /// Everything unsynced is written again, to a new file, from memory.
    /// </summary>
    private bool TryRescue()
    {
        AbandonActive();
        try
        {
            BeginSegment(unsynced.Peek().Sequence);
            RewriteUnsynced();
            options.Sync(active!);
            return MarkDurable(next);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            AbandonActive();
            return false;
        }
    }

    private bool MarkDurable(ulong end)
    {
        while (unsynced.TryPeek(out var oldest) && oldest.Sequence < end)
        {
            unsyncedBytes -= unsynced.Dequeue().Record.Length;
        }

        durable = Math.Max(durable, end);
        return true;
    }

    /// <summary>Closes the active file for good and forgets its records that never became durable; a file without durable records is set aside.</summary>
    private void AbandonActive()
    {
        if (active is null)
        {
            return;
        }

        active.Dispose();
        active = null;
        damage = damage with { SyncFailures = damage.SyncFailures + 1 };
        var segment = segments[^1];
        segment.CutFrom(durable);
        segment.Bytes = segment.Places.Count == 0 ? 0 : segment.Places[^1].Offset + RecordFormat.HeaderBytes + segment.Places[^1].PayloadBytes;
        if (segment.Places.Count == 0)
        {
            segments.RemoveAt(segments.Count - 1);
            TryDelete(segment.Path);
        }
    }

    private static bool TryDelete(string path)
    {
        try
        {
            File.Delete(path);
            return true;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private void TrySyncDirectory()
    {
        try
        {
            DurableFiles.SyncDirectory(directory);
        }
        catch (IOException)
        {
            // A deletion that a power cut undoes costs nothing: the segment is read, found trimmed, and deleted again.
        }
    }
}
