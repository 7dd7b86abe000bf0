using System.Collections.Concurrent;
using System.Numerics;
using System.Runtime.InteropServices;
using Apache.Arrow;
using Apache.Arrow.Arrays;
using Apache.Arrow.Types;

namespace Flows.Core.Facts;

/// <summary>
/// Turns flow rows into Arrow record batches of <see cref="FlowColumns.WireSchema"/>. Not thread safe.
/// A built batch owns its memory: whoever takes it from a channel disposes it, from any thread, and does not read it after that, because
/// the memory goes into a later batch.
/// </summary>
public sealed class FlowBatchBuilder
{
    // Rows are gathered and then written column by column: one call a column and block instead of one a column and row, and the block
    // (21 KB) stays in the first-level cache meanwhile. As many rows as a word of the validity bitmap has bits.
    private const int BlockRows = 64;

    // As many as a bounded channel, a sender and a builder hold of them at a time; what is beyond that is left to the collector of garbage.
    private const int SpareBuffersMax = 4;

    private readonly int rowsMax;
    private readonly ConcurrentBag<ColumnBuffer[]> spare = [];
    private readonly FlowRow[] block = new FlowRow[BlockRows];
    private int written;
    private ColumnBuffer[] buffers;

    /// <param name="rowsMax">Rows at which the batch is full, 1 to 65,536.</param>
    public FlowBatchBuilder(int rowsMax = 4096)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rowsMax, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(rowsMax, 65_536);
        this.rowsMax = rowsMax;
        buffers = NewBuffers();
    }

    /// <summary>Rows appended since the last <see cref="Build"/>.</summary>
    public int Count { get; private set; }

    public bool IsFull => Count == rowsMax;

    /// <summary>Appends a row. The caller builds before it appends to a full batch.</summary>
    /// <exception cref="InvalidOperationException">The batch is full.</exception>
    public void Append(in FlowRow row)
    {
        if (IsFull)
        {
            throw new InvalidOperationException("The batch is full; build it first.");
        }

        block[Count - written] = row;
        Count++;
        if (Count - written == BlockRows)
        {
            WriteBlock();
        }
    }

    /// <summary>Hands over the rows appended so far, possibly none, and starts anew.</summary>
    public RecordBatch Build()
    {
        WriteBlock();
        var rows = Count;
        var batch = new FlowBatch(this, buffers, rows);
        buffers = spare.TryTake(out var used) ? used : NewBuffers();
        Count = written = 0;
        return batch;
    }

    private void WriteBlock()
    {
        var rows = block.AsSpan(0, Count - written);
        foreach (var buffer in buffers)
        {
            buffer.Append(rows, written);
        }

        written = Count;
    }

    private ColumnBuffer[] NewBuffers() => [.. FlowColumns.Wire.Select(column => new ColumnBuffer(column, rowsMax))];

    /// <summary>A batch whose memory is used again.</summary>
    private sealed class FlowBatch(FlowBatchBuilder builder, ColumnBuffer[] buffers, int rows)
        : RecordBatch(FlowColumns.WireSchema, buffers.Select(buffer => buffer.ToArray(rows)), rows)
    {
        private ColumnBuffer[]? lent = buffers;

        protected override void Dispose(bool disposing)
        {
            base.Dispose(disposing);
            if (disposing && Interlocked.Exchange(ref lent, null) is { } returned && builder.spare.Count < SpareBuffersMax)
            {
                builder.spare.Add(returned);
            }
        }
    }

    /// <summary>The values and validity bits of one column under construction.</summary>
    private sealed class ColumnBuffer(FlowColumn column, int rowsMax)
    {
        // Not cleared: the writers fill every value, so a batch that leaves early touches only as much memory as it has rows.
        private readonly byte[] values = GC.AllocateUninitializedArray<byte>(rowsMax * column.Width);
        private readonly ulong[] validity = column.Nullable ? new ulong[(rowsMax + BlockRows - 1) / BlockRows] : [];
        private readonly FlowColumn.Writer write = column.Write!;
        private int nulls;

        /// <summary>Writes rows from <paramref name="at"/> on, a multiple of the block's size.</summary>
        public void Append(ReadOnlySpan<FlowRow> rows, int at)
        {
            var valid = write(rows, values.AsSpan(at * column.Width, rows.Length * column.Width));
            nulls += rows.Length - BitOperations.PopCount(valid);
            if (validity.Length > 0 && rows.Length > 0)
            {
                validity[at / BlockRows] = valid;
            }
        }

        /// <summary>The rows as an array over this memory; the next row appended begins anew.</summary>
        public IArrowArray ToArray(int rows)
        {
            var valid = nulls == 0 ? ArrowBuffer.Empty : new ArrowBuffer(MemoryMarshal.AsBytes(validity.AsSpan())[..((rows + 7) / 8)].ToArray());
            var data = new ArrowBuffer(values.AsMemory(0, rows * column.Width));
            var array = ArrayOf(new ArrayData(column.ArrowType, rows, nulls, 0, [valid, data]));
            nulls = 0;
            return array;
        }

        /// <summary>As ArrowArrayFactory does for every type there is, which brings in assemblies (System.Data, XML) that these few types do not need.</summary>
        private static IArrowArray ArrayOf(ArrayData data) => data.DataType.TypeId switch
        {
            ArrowTypeId.Timestamp => new TimestampArray(data),
            ArrowTypeId.UInt8 => new UInt8Array(data),
            ArrowTypeId.UInt16 => new UInt16Array(data),
            ArrowTypeId.UInt32 => new UInt32Array(data),
            ArrowTypeId.UInt64 => new UInt64Array(data),
            ArrowTypeId.FixedSizedBinary => new FixedSizeBinaryArray(data),
            _ => ArrowArrayFactory.BuildArray(data),
        };
    }
}
