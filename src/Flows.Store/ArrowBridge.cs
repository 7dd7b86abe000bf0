using System.Runtime.InteropServices;
using Apache.Arrow;
using Apache.Arrow.C;
using Apache.Arrow.Types;
using DuckDB.NET.Data;
using DuckDB.NET.Native;
using NativeAppender = DuckDB.NET.Native.DuckDBAppender;

namespace Flows.Store;

/// <summary>
/// Appends Arrow record batches to a DuckDB table through the Arrow C data interface: DuckDB reads our buffers in place and copies each
/// column once. The wrapper has no Arrow API, so the few native calls it lacks are declared here and nowhere else.
/// </summary>
internal static unsafe partial class ArrowBridge
{
    /// <summary>DuckDB's STANDARD_VECTOR_SIZE: the most rows of one data chunk.</summary>
    private const int ChunkRowsMax = 2048;

    /// <summary>Appends the batch's columns in their order. They have the table's types, but for timestamps, whose zone is dropped.</summary>
    /// <exception cref="InvalidDataException">DuckDB refused the batch.</exception>
    public static void Append(DuckDBConnection connection, string table, RecordBatch batch)
    {
        var plain = WithoutZones(batch);
        var native = Native(connection);
        var schema = CArrowSchema.Create();
        nint converted = 0;
        NativeAppender? appender = null;
        try
        {
            CArrowSchemaExporter.ExportSchema(plain.Schema, schema);
            Check(SchemaFromArrow(native.DangerousGetHandle(), schema, out converted));
            if (NativeMethods.Appender.DuckDBAppenderCreate(native, null!, table, out appender) != DuckDBState.Success)
            {
                throw new InvalidDataException($"DuckDB cannot append to {table}.");
            }

            for (var from = 0; from < plain.Length; from += ChunkRowsMax)
            {
                AppendChunk(native.DangerousGetHandle(), converted, appender, plain.Slice(from, Math.Min(ChunkRowsMax, plain.Length - from)));
            }

            if (NativeMethods.Appender.DuckDBAppenderClose(appender) != DuckDBState.Success)
            {
                throw new InvalidDataException($"DuckDB cannot finish appending to {table}.");
            }
        }
        finally
        {
            appender?.Dispose();
            DestroyConvertedSchema(ref converted);
            CArrowSchema.Free(schema);
        }
    }

    private static void AppendChunk(nint connection, nint converted, NativeAppender appender, RecordBatch rows)
    {
        var array = CArrowArray.Create();
        nint chunk = 0;
        try
        {
            CArrowArrayExporter.ExportRecordBatch(rows, array);
            Check(DataChunkFromArrow(connection, array, converted, out chunk));
            if (AppendDataChunk(appender.DangerousGetHandle(), chunk) != 0)
            {
                throw new InvalidDataException("DuckDB refused a chunk of rows: its columns are not the table's.");
            }
        }
        finally
        {
            DestroyDataChunk(ref chunk);
            CArrowArray.Free(array);
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

    [System.Runtime.CompilerServices.UnsafeAccessor(System.Runtime.CompilerServices.UnsafeAccessorKind.Method, Name = "get_NativeConnection")]
    private static extern DuckDBNativeConnection Native(DuckDBConnection connection);

    private static void Check(nint error)
    {
        if (error == 0)
        {
            return;
        }

        var failed = ErrorHasError(error) != 0;
        var message = failed ? Marshal.PtrToStringUTF8(ErrorMessage(error)) : null;
        DestroyErrorData(ref error);
        if (failed)
        {
            throw new InvalidDataException($"DuckDB refused an Arrow batch: {message}");
        }
    }

    [LibraryImport("duckdb", EntryPoint = "duckdb_schema_from_arrow")]
    private static partial nint SchemaFromArrow(nint connection, CArrowSchema* schema, out nint converted);

    [LibraryImport("duckdb", EntryPoint = "duckdb_data_chunk_from_arrow")]
    private static partial nint DataChunkFromArrow(nint connection, CArrowArray* array, nint converted, out nint chunk);

    [LibraryImport("duckdb", EntryPoint = "duckdb_append_data_chunk")]
    private static partial int AppendDataChunk(nint appender, nint chunk);

    [LibraryImport("duckdb", EntryPoint = "duckdb_destroy_data_chunk")]
    private static partial void DestroyDataChunk(ref nint chunk);

    [LibraryImport("duckdb", EntryPoint = "duckdb_destroy_arrow_converted_schema")]
    private static partial void DestroyConvertedSchema(ref nint converted);

    [LibraryImport("duckdb", EntryPoint = "duckdb_error_data_has_error")]
    private static partial byte ErrorHasError(nint error);

    [LibraryImport("duckdb", EntryPoint = "duckdb_error_data_message")]
    private static partial nint ErrorMessage(nint error);

    [LibraryImport("duckdb", EntryPoint = "duckdb_destroy_error_data")]
    private static partial void DestroyErrorData(ref nint error);
}
