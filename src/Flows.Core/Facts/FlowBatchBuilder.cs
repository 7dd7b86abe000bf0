using Apache.Arrow;

namespace Flows.Core.Facts;

/// <summary>
/// Turns flow rows into Arrow record batches of <see cref="FlowColumns.WireSchema"/>. Not thread safe.
/// A built batch owns its memory: whoever takes it from a channel disposes it.
/// </summary>
public sealed class FlowBatchBuilder
{
    private readonly int rowsMax;
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

        foreach (var buffer in buffers)
        {
            buffer.Append(in row, Count);
        }

        Count++;
    }

    /// <summary>Hands over the rows appended so far, possibly none, and starts anew.</summary>
    public RecordBatch Build()
    {
        var rows = Count;
        var batch = new RecordBatch(FlowColumns.WireSchema, buffers.Select(buffer => buffer.ToArray(rows)), rows);
        buffers = NewBuffers();
        Count = 0;
        return batch;
    }

    private ColumnBuffer[] NewBuffers() => [.. FlowColumns.Wire.Select(column => new ColumnBuffer(column, rowsMax))];

    /// <summary>The values and validity bits of one column under construction.</summary>
    private sealed class ColumnBuffer(FlowColumn column, int rowsMax)
    {
        private readonly byte[] values = new byte[rowsMax * column.Width];
        private readonly byte[]? validity = column.Nullable ? new byte[(rowsMax + 7) / 8] : null;
        private readonly FlowColumn.Writer write = column.Write!;
        private int nulls;

        public void Append(in FlowRow row, int index)
        {
            if (!write(in row, values.AsSpan(index * column.Width, column.Width)))
            {
                nulls++;
            }
            else if (validity is not null)
            {
                validity[index >> 3] |= (byte)(1 << (index & 7));
            }
        }

        public IArrowArray ToArray(int rows)
        {
            var valid = nulls == 0 ? ArrowBuffer.Empty : new ArrowBuffer(validity.AsMemory(0, (rows + 7) / 8));
            var data = new ArrowBuffer(values.AsMemory(0, rows * column.Width));
            return ArrowArrayFactory.BuildArray(new ArrayData(column.ArrowType, rows, nulls, 0, [valid, data]));
        }
    }
}
