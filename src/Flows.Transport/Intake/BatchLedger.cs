using System.Buffers.Binary;
using Flows.Core;
using Flows.Core.Facts;
using Flows.Transport.Log;

namespace Flows.Transport.Intake;

/// <summary>
/// Which batches the server has: per collector and epoch a set of sequences. Collectors send in order, so a set is one range as a rule.
/// Not thread safe.
/// </summary>
internal sealed class BatchLedger
{
    /// <summary>
    /// An epoch of which nothing came for so long is forgotten. No spool keeps a batch that long; a replayed older one would count as new.
    /// </summary>
    public const long KeepUs = 90 * 24 * 60 * UnixTime.Minute;

    /// <summary>Ranges of all epochs together. At 64 bytes each this is 64 MB; a thousand collectors in order need a thousand.</summary>
    public const int RangesMax = 1_000_000;

    private const uint Magic = 0x314C_4246; // "FBL1"
    private const int EpochBytes = 16 + 8 + 8 + 4;

    private readonly Dictionary<(Guid Collector, ulong Epoch), Entry> epochs = [];
    private int rangesTotal;

    /// <summary>False when no further batch can be remembered; the intake then refuses rather than store one twice.</summary>
    public bool HasRoom => rangesTotal < RangesMax;

    public bool Contains(BatchId id) => epochs.TryGetValue((id.Collector, id.Epoch), out var entry) && entry.Sequences.Contains(id.Sequence);

    /// <summary>Remembers a batch; false when it was known.</summary>
    public bool Add(BatchId id, long atUs)
    {
        if (!epochs.TryGetValue((id.Collector, id.Epoch), out var entry))
        {
            epochs.Add((id.Collector, id.Epoch), entry = new Entry(new SequenceRanges()));
        }

        entry.LastUs = Math.Max(entry.LastUs, atUs);
        var before = entry.Sequences.All.Count;
        var added = entry.Sequences.Add(id.Sequence);
        rangesTotal += entry.Sequences.All.Count - before;
        return added;
    }

    /// <summary>The ledger as bytes: magic, epochs with their ranges, CRC32C. Epochs that have been silent too long are left out and forgotten.</summary>
    public byte[] Write(long nowUs)
    {
        foreach (var (key, entry) in epochs.Where(epoch => epoch.Value.LastUs < nowUs - KeepUs).ToList())
        {
            rangesTotal -= entry.Sequences.All.Count;
            epochs.Remove(key);
        }

        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes);
        writer.Write(Magic);
        writer.Write(epochs.Count);
        foreach (var ((collector, epoch), entry) in epochs)
        {
            writer.Write(collector.ToByteArray());
            writer.Write(epoch);
            writer.Write(entry.LastUs);
            writer.Write(entry.Sequences.All.Count);
            foreach (var (from, to) in entry.Sequences.All)
            {
                writer.Write(from);
                writer.Write(to);
            }
        }

        writer.Write(RecordFormat.Crc32C(uint.MaxValue, bytes.ToArray()));
        return bytes.ToArray();
    }

    /// <summary>Reads what <see cref="Write"/> wrote; null where the bytes are damaged.</summary>
    public static BatchLedger? TryRead(byte[] bytes)
    {
        if (bytes.Length < 12 || BinaryPrimitives.ReadUInt32LittleEndian(bytes) != Magic
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(^4)) != RecordFormat.Crc32C(uint.MaxValue, bytes.AsSpan(..^4)))
        {
            return null;
        }

        var ledger = new BatchLedger();
        var rest = bytes.AsSpan(8);
        for (var left = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(4)); left > 0; left--)
        {
            var ranges = new (ulong From, ulong To)[BinaryPrimitives.ReadInt32LittleEndian(rest[32..])];
            for (var i = 0; i < ranges.Length; i++)
            {
                var range = rest[(EpochBytes + (i * 16))..];
                ranges[i] = (BinaryPrimitives.ReadUInt64LittleEndian(range), BinaryPrimitives.ReadUInt64LittleEndian(range[8..]));
            }

            var entry = new Entry(new SequenceRanges(ranges)) { LastUs = BinaryPrimitives.ReadInt64LittleEndian(rest[24..]) };
            ledger.epochs.Add((new Guid(rest[..16]), BinaryPrimitives.ReadUInt64LittleEndian(rest[16..])), entry);
            ledger.rangesTotal += ranges.Length;
            rest = rest[(EpochBytes + (ranges.Length * 16))..];
        }

        return ledger;
    }

    private sealed class Entry(SequenceRanges sequences)
    {
        public SequenceRanges Sequences => sequences;

        public long LastUs { get; set; }
    }
}
