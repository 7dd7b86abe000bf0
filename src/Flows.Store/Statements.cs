using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DuckDB.NET.Data;
using DuckDB.NET.Native;

namespace Flows.Store;

/// <summary>Asks DuckDB's parser, which runs nothing, how many statements a text holds.</summary>
internal static partial class Statements
{
    /// <summary>The number of statements; 0 where the text cannot be parsed, which running it will then say.</summary>
    public static long Count(DuckDBConnection connection, string sql)
    {
        var count = Extract(Native(connection).DangerousGetHandle(), sql, out var extracted);
        Destroy(ref extracted);
        return count;
    }

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_NativeConnection")]
    private static extern DuckDBNativeConnection Native(DuckDBConnection connection);

    [LibraryImport("duckdb", EntryPoint = "duckdb_extract_statements", StringMarshalling = StringMarshalling.Utf8)]
    private static partial long Extract(nint connection, string sql, out nint extracted);

    [LibraryImport("duckdb", EntryPoint = "duckdb_destroy_extracted")]
    private static partial void Destroy(ref nint extracted);
}
