using Microsoft.Win32.SafeHandles;

namespace Flows.Transport.Log;

// The reading half: recovery when opened, and reads by cursor.
public sealed partial class SegmentLog
{
    /// <summary>
    /// Durable records from the sequence on, in order: at most so many, and no more payload than so many bytes, but at least one where one
    /// exists. What turns out unreadable is skipped and counted.
    /// </summary>
    public IReadOnlyList<LogRecord> Read(ulong from, int recordsMax, long bytesMax)
    {
        var records = new List<LogRecord>();
        var bytes = 0L;
        while (records.Count < recordsMax && bytes < bytesMax)
        {
            if (NextSegment(from) is not { } found)
            {
                break;
            }

            from = ReadSegment(found.Segment, found.Places, records, recordsMax, bytesMax, ref bytes);
        }

        return records;
    }

    /// <summary>The segment with the first durable record at or after the sequence, and the places of its records from there.</summary>
    private (Segment Segment, RecordPlace[] Places)? NextSegment(ulong from)
    {
        lock (gate)
        {
            foreach (var segment in segments)
            {
                if (segment.End > from && segment.First < durable)
                {
                    var places = segment.Places.Skip(segment.IndexOf(from)).TakeWhile(place => place.Sequence < durable).Take(4096).ToArray();
                    if (places.Length > 0)
                    {
                        return (segment, places);
                    }
                }
            }

            return null;
        }
    }

    private ulong ReadSegment(Segment segment, RecordPlace[] places, List<LogRecord> records, int recordsMax, long bytesMax, ref long bytes)
    {
        try
        {
            using var file = segment.OpenRead();
            foreach (var place in places)
            {
                if (records.Count == recordsMax || (records.Count > 0 && bytes + place.PayloadBytes > bytesMax))
                {
                    bytes = bytesMax;
                    return place.Sequence;
                }

                if (TryReadRecord(file, place) is { } payload)
                {
                    records.Add(new LogRecord(place.Sequence, payload));
                    bytes += place.PayloadBytes;
                }
                else
                {
                    CountSkipped();
                }
            }
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            // Deleted or unreadable under our feet: its records are gone, those behind it are not.
            CountSkipped();
        }

        return places[^1].Sequence + 1;
    }

    private ReadOnlyMemory<byte>? TryReadRecord(SafeFileHandle file, RecordPlace place)
    {
        var record = GC.AllocateUninitializedArray<byte>(RecordFormat.HeaderBytes + place.PayloadBytes);
        var length = 0;
        while (length < record.Length && RandomAccess.Read(file, record.AsSpan(length), place.Offset + length) is var read and > 0)
        {
            length += read;
        }

        return RecordFormat.TryDecode(record.AsSpan(0, length), options.RecordBytesMax, out var payloadBytes, out var sequence)
            && sequence == place.Sequence && payloadBytes == place.PayloadBytes
            ? record.AsMemory(RecordFormat.HeaderBytes)
            : null;
    }

    private void CountSkipped()
    {
        lock (gate)
        {
            damage = damage with { RegionsSkipped = damage.RegionsSkipped + 1 };
        }
    }

    private void Recover()
    {
        var found = Directory.EnumerateFiles(directory, "*" + Segment.Extension)
            .Select(path => Segment.TryParseName(path, out var first) ? new Segment(path, first) : null)
            .OfType<Segment>().OrderBy(segment => segment.First).ToList();
        for (var i = 0; i < found.Count; i++)
        {
            RecoverSegment(found[i], isNewest: i == found.Count - 1);
            if (i + 1 < found.Count)
            {
                // A failed sync makes the log write the same records again to a newer file; the newer one counts.
                found[i].CutFrom(found[i + 1].First);
            }
        }

        segments.AddRange(found.Where(segment => segment.Places.Count > 0));
        next = Math.Max(options.SequenceMin, segments.Count == 0 ? 0 : segments[^1].End);
        durable = next;
        TrySyncDirectory();
    }

    private void RecoverSegment(Segment segment, bool isNewest)
    {
        damage = damage with { RegionsSkipped = damage.RegionsSkipped + SegmentScan.Run(segment, options.RecordBytesMax) };
        var length = new FileInfo(segment.Path).Length;
        if (segment.Places.Count == 0)
        {
            SetAside(segment, length);
        }
        else if (isNewest)
        {
            // What follows the last whole record is a torn write, never acknowledged to anybody. What precedes it may be in the page cache
            // only, if the process was killed; from now on readers rely on it.
            damage = damage with { BytesTruncated = damage.BytesTruncated + length - segment.Bytes };
            using var file = File.OpenHandle(segment.Path, FileMode.Open, FileAccess.Write);
            RandomAccess.SetLength(file, segment.Bytes);
            RandomAccess.FlushToDisk(file);
        }
        else if (segment.Bytes < length)
        {
            damage = damage with { RegionsSkipped = damage.RegionsSkipped + 1 };
        }
    }

    private void SetAside(Segment segment, long length)
    {
        if (length == 0)
        {
            TryDelete(segment.Path);
            return;
        }

        damage = damage with { SegmentsQuarantined = damage.SegmentsQuarantined + 1 };
        File.Move(segment.Path, segment.Path + ".bad", overwrite: true);
    }
}
