using System.Buffers.Binary;
using System.Numerics;
using Apache.Arrow;
using Flows.Core.Facts;
using ZstdSharp;

namespace Flows.Transport.Intake;

/// <summary>
/// Turns the bytes of a foreign Arrow IPC stream into a record batch, or says why not. No reader of the Arrow library ever sees foreign
/// bytes: it trusts the lengths in them, and a flipped bit ends the process. Every length is checked here against the column table, and
/// arrays are built from buffers that this code allocated.
/// </summary>
/// <remarks>
/// Memory is bounded by the row limit: a row has about 200 bytes in all its columns, so 100,000 rows unpack to 20 MB, whatever the stream claims.
/// A stream holds one record batch. What null rows hold is not looked at.
/// </remarks>
internal static class BatchValidator
{
    /// <summary>Rows of the largest batch.</summary>
    public const int RowsMax = 100_000;

    public const string NodeMismatch = "a row's node_id is not the hash of the node in the header";
    public const string ScopeMismatch = "a row's scope_id is not the hash of the scope in the header";

    private const int NodeBytes = 16;
    private const int DescriptorBytes = 16;

    // Fields of the FlatBuffer tables RecordBatch and BodyCompression (Message.fbs).
    private const int BatchLength = 0;
    private const int BatchNodes = 1;
    private const int BatchBuffers = 2;
    private const int BatchCompression = 3;
    private const int BatchVariadicCounts = 4;
    private const int CompressionCodec = 0;
    private const int CompressionMethod = 1;
    private const byte Zstd = 1;

    /// <summary>The batch; or null and what is wrong with it.</summary>
    /// <param name="stream">The bytes of a stranger, or of our own log.</param>
    /// <param name="nodeId">The node that every row must carry.</param>
    /// <param name="scopeId">The scope that every row must carry.</param>
    /// <param name="anyTime">Accept any time: a replayed file may be from 1970, which from a live collector can only be a broken clock.</param>
    /// <param name="problem">What is wrong; empty where nothing is.</param>
    public static RecordBatch? Read(ReadOnlySpan<byte> stream, ulong nodeId, ulong scopeId, bool anyTime, out string problem)
    {
        // 1. Framing: a schema, a record batch, the end.
        problem = "";
        var offset = 0;
        if (!IpcMessage.TryRead(stream, ref offset, out var schema) || schema.Type != IpcMessage.SchemaType || !schema.Body.IsEmpty)
        {
            problem = "the body does not begin with the schema of an Arrow IPC stream";
            return null;
        }

        if (!IpcMessage.TryRead(stream, ref offset, out var batch) || batch.Type != IpcMessage.RecordBatchType || !IpcMessage.IsEnd(stream[offset..]))
        {
            problem = "the stream does not hold one whole record batch and nothing else";
            return null;
        }

        // 2. Schema, 3. record batch header, 4. buffers, 5. values.
        problem = SchemaCheck.Problem(schema.Header) ?? "";
        return problem.Length > 0 ? null : ReadBatch(batch, nodeId, scopeId, anyTime, out problem);
    }

    private static RecordBatch? ReadBatch(IpcMessage message, ulong nodeId, ulong scopeId, bool anyTime, out string problem)
    {
        var header = message.Header;
        var columns = FlowColumns.Wire;
        var rows = header.Long(BatchLength);
        problem = rows is < 0 or > RowsMax ? $"the batch does not have 0 to {RowsMax} rows" : "";
        if (problem.Length > 0)
        {
            return null;
        }

        if (!header.TryVector(BatchNodes, NodeBytes, out var nodes, out var nodeCount) || nodeCount != columns.Count
            || !header.TryVector(BatchBuffers, DescriptorBytes, out var descriptors, out var bufferCount) || bufferCount != columns.Count * 2
            || (header.TryVector(BatchVariadicCounts, 8, out _, out var variadic) && variadic > 0))
        {
            problem = "the record batch does not describe the buffers of a flow batch";
            return null;
        }

        var compressed = header.Has(BatchCompression);
        if (compressed && (!header.TryTable(BatchCompression, out var compression) || compression.Byte(CompressionCodec) != Zstd || compression.Byte(CompressionMethod) != 0))
        {
            problem = "the buffers are compressed with something else than ZSTD";
            return null;
        }

        using var decompressor = compressed ? new Decompressor() : null;
        var buffers = new BodyBuffers(descriptors, message.Body, decompressor);
        return ReadColumns((int)rows, nodes, buffers, nodeId, scopeId, anyTime, out problem);
    }

    private static RecordBatch? ReadColumns(int rows, ReadOnlySpan<byte> nodes, BodyBuffers buffers, ulong nodeId, ulong scopeId, bool anyTime, out string problem)
    {
        problem = "";
        var columns = FlowColumns.Wire;
        var values = new byte[columns.Count][];
        var arrays = new IArrowArray[columns.Count];
        for (var i = 0; i < columns.Count; i++)
        {
            var column = columns[i];
            var length = BinaryPrimitives.ReadInt64LittleEndian(nodes[(i * NodeBytes)..]);
            var nulls = BinaryPrimitives.ReadInt64LittleEndian(nodes[((i * NodeBytes) + 8)..]);
            if (length != rows || nulls < 0 || nulls > (column.Nullable ? rows : 0))
            {
                problem = $"column {column.Name} has a wrong number of rows or nulls";
                return null;
            }

            if (!buffers.TryTake((rows + 7) / 8, mayBeAbsent: nulls == 0, out var validity) || !buffers.TryTake(rows * column.Width, mayBeAbsent: false, out values[i]))
            {
                problem = $"column {column.Name} has a buffer of a wrong place, size or content";
                return null;
            }

            if (nulls > 0 && CountValid(validity, rows) != rows - nulls)
            {
                problem = $"column {column.Name} does not have as many nulls as it says";
                return null;
            }

            var valid = nulls == 0 ? ArrowBuffer.Empty : new ArrowBuffer(validity);
            arrays[i] = ArrowArrayFactory.BuildArray(new ArrayData(column.ArrowType, rows, (int)nulls, 0, [valid, new ArrowBuffer(values[i])]));
        }

        problem = RowCheck.Problem(values, nodeId, scopeId, anyTime) ?? "";
        return problem.Length > 0 ? null : new RecordBatch(FlowColumns.WireSchema, arrays, rows);
    }

    private static int CountValid(byte[] validity, int rows)
    {
        if (rows % 8 != 0)
        {
            // Bits behind the last row mean nothing, and a writer may leave anything there.
            validity[rows / 8] &= (byte)((1 << (rows % 8)) - 1);
        }

        var count = 0;
        foreach (var bits in validity.AsSpan())
        {
            count += BitOperations.PopCount(bits);
        }

        return count;
    }
}
