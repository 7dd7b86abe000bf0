using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Apache.Arrow;
using Apache.Arrow.C;
using Apache.Arrow.Ipc;
using Apache.Arrow.Types;
using DuckDB.NET.Data;
using DuckDB.NET.Native;

namespace Flows.Store;

/// <summary>
/// Shows Arrow record batches to DuckDB through the Arrow C stream interface: a query reads our buffers in place, and no table is filled first.
/// The wrapper has no Arrow API, so the native call it lacks is declared here and nowhere else.
/// </summary>
internal static unsafe partial class ArrowBridge
{
    /// <summary>
    /// Runs something that reads the batches once, under the name of a view: every column in its order, and every row. DuckDB leaves it to whoever
    /// shows batches to pick columns and rows, and nobody does so here.
    /// </summary>
    /// <exception cref="InvalidDataException">DuckDB refused the batches.</exception>
    public static void Show(DuckDBConnection connection, string view, IReadOnlyList<RecordBatch> batches, Action read)
    {
        var plain = batches.Select(WithoutZones).ToList();
        var stream = CArrowArrayStream.Create();
        try
        {
            CArrowArrayStreamExporter.ExportArrayStream(new Batches(plain), stream);
            if (ArrowScan(Native(connection).DangerousGetHandle(), view, stream) != 0)
            {
                throw new InvalidDataException("DuckDB cannot read a batch: its columns have types that it does not know.");
            }

            read();
        }
        finally
        {
            CArrowArrayStream.Free(stream);
        }
    }

    /// <summary>The store keeps UTC without saying so in the type: TIMESTAMPTZ would drag in the time zone extension.</summary>
    private static RecordBatch WithoutZones(RecordBatch batch)
    {
        var fields = batch.Schema.FieldsList.Select(field => field.DataType is TimestampType time
            ? new Field(field.Name, new TimestampType(time.Unit, (string?)null), field.IsNullable)
            : field).ToList();
        var arrays = batch.Arrays.Zip(fields, (array, field) => ReferenceEquals(array.Data.DataType, field.DataType)
            ? array
            : ArrowArrayFactory.BuildArray(new ArrayData(field.DataType, array.Length, array.Data.NullCount, array.Data.Offset, array.Data.Buffers)));
        return new RecordBatch(new Schema(fields, metadata: null), arrays, batch.Length);
    }

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_NativeConnection")]
    private static extern DuckDBNativeConnection Native(DuckDBConnection connection);

    [LibraryImport("duckdb", EntryPoint = "duckdb_arrow_scan", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ArrowScan(nint connection, string view, CArrowArrayStream* stream);

    private sealed class Batches(IReadOnlyList<RecordBatch> batches) : IArrowArrayStream
    {
        private int next;

        public Schema Schema => batches[0].Schema;

        public ValueTask<RecordBatch> ReadNextRecordBatchAsync(CancellationToken cancellationToken = default) =>
            ValueTask.FromResult(next < batches.Count ? batches[next++] : null!);

        public void Dispose()
        {
        }
    }
}
