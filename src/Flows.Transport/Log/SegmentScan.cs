using System.Buffers.Binary;

namespace Flows.Transport.Log;

/// <summary>
/// Finds the whole records of a segment file. Behind a damaged stretch it looks for the next record at every byte, so that a flipped bit
/// costs the record it hit and not the rest of the file.
/// </summary>
internal static class SegmentScan
{
    // A record behind a damaged stretch is looked for only among sequences this close: a segment of 64 MiB cannot hold more records
    // than 64 Mi / 16. It keeps the search from running a checksum at every byte.
    private const ulong SequencesAheadMax = 4 << 20;

    /// <summary>Fills the segment's places; returns the unreadable stretches that have a readable record behind them.</summary>
    public static int Run(Segment segment, int recordBytesMax)
    {
        var bytes = File.ReadAllBytes(segment.Path);
        var skipped = 0;
        var offset = 0;
        var expected = segment.First;
        while (offset < bytes.Length)
        {
            if (!IsRecord(bytes.AsSpan(offset), recordBytesMax, expected, out var payloadBytes, out var sequence))
            {
                var next = FindRecord(bytes, offset + 1, recordBytesMax, expected);
                if (next < 0)
                {
                    break;
                }

                skipped++;
                offset = next;
                continue;
            }

            segment.Add(new RecordPlace(sequence, offset, payloadBytes));
            expected = sequence + 1;
            offset += RecordFormat.HeaderBytes + payloadBytes;
            segment.Bytes = offset;
        }

        return skipped;
    }

    private static int FindRecord(ReadOnlySpan<byte> bytes, int from, int recordBytesMax, ulong expected)
    {
        // The damaged record's own length comes first: most flips hit a payload, and what lies inside a payload is a foreigner's
        // bytes, in which we would rather not look for records. It must lead to the very next record, or the length itself is what was hit.
        var implied = from - 1L + RecordFormat.HeaderBytes + ((long)from + 3 <= bytes.Length ? BinaryPrimitives.ReadUInt32LittleEndian(bytes[(from - 1)..]) : 0);
        if (implied < bytes.Length && IsRecord(bytes[(int)implied..], recordBytesMax, expected, out _, out var sequence) && sequence == expected + 1)
        {
            return (int)implied;
        }

        for (var offset = from; offset <= bytes.Length - RecordFormat.HeaderBytes; offset++)
        {
            if (IsRecord(bytes[offset..], recordBytesMax, expected, out _, out _))
            {
                return offset;
            }
        }

        return -1;
    }

    private static bool IsRecord(ReadOnlySpan<byte> at, int recordBytesMax, ulong expected, out int payloadBytes, out ulong sequence)
    {
        payloadBytes = 0;
        sequence = 0;
        return at.Length >= RecordFormat.HeaderBytes
            && BinaryPrimitives.ReadUInt64LittleEndian(at[8..]) - expected < SequencesAheadMax
            && RecordFormat.TryDecode(at, recordBytesMax, out payloadBytes, out sequence);
    }
}
