using System.Globalization;
using DuckDB.NET.Data;

namespace Flows.Store;

/// <summary>An in-memory DuckDB that works on a store's files. One thread at a time.</summary>
internal sealed class Engine : IDisposable
{
    private readonly DuckDBConnection connection;

    private Engine(DuckDBConnection connection) => this.connection = connection;

    public DuckDBConnection Connection => connection;

    /// <summary>Starts an engine with its limits; it loads nothing from the network and keeps nothing.</summary>
    /// <param name="spillDirectory">Where it may spill; null where it may not.</param>
    public static Engine Start(int memoryMaxMib, int threads, string? spillDirectory)
    {
        // The limits are in the connection string: set later, they are too late for what opening does.
        const string Offline = "autoinstall_known_extensions=false;autoload_known_extensions=false;allow_community_extensions=false";
        var settings = string.Create(CultureInfo.InvariantCulture, $"DataSource=:memory:;memory_limit={memoryMaxMib}MiB;threads={threads};{Offline}");
        var connection = new DuckDBConnection(settings);
        connection.Open();
        var engine = new Engine(connection);
        engine.Execute($"SET temp_directory = {Text(spillDirectory ?? "")}; SET preserve_insertion_order = false; SET TimeZone = 'UTC'");
        engine.Execute(Macros.Sql);
        return engine;
    }

    public void Execute(string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    /// <summary>All rows of a query whose answer is small.</summary>
    public List<T> Read<T>(string sql, Func<DuckDBDataReader, T> row)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        using var reader = (DuckDBDataReader)command.ExecuteReader();
        List<T> rows = [];
        while (reader.Read())
        {
            rows.Add(row(reader));
        }

        return rows;
    }

    public void Dispose() => connection.Dispose();

    /// <summary>A text as an SQL literal.</summary>
    public static string Text(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";

    /// <summary>A time as an SQL literal.</summary>
    public static string Time(long us) => string.Create(CultureInfo.InvariantCulture, $"make_timestamp({StoreLayout.ClampUs(us)})");

    /// <summary>A scan of these files, or of a typed empty relation where there are none.</summary>
    public static string Scan(string directory, IEnumerable<StoreFile> files, TableColumns columns)
    {
        var paths = files.Select(file => Text(Path.Combine(directory, file.Path))).ToList();
        var none = $"SELECT {string.Join(", ", columns.All.Select(column => $"NULL::{column.Type} AS \"{column.Name}\""))} WHERE false";
        return paths.Count == 0 ? $"({none})"
            : columns.Grew ? $"({none} UNION ALL BY NAME SELECT * FROM read_parquet([{string.Join(", ", paths)}], hive_partitioning = false, union_by_name = true))"
            : $"read_parquet([{string.Join(", ", paths)}], hive_partitioning = false)";
    }
}
