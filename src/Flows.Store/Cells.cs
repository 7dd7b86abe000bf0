using System.Numerics;
using DuckDB.NET.Data;
using Flows.Core;

namespace Flows.Store;

/// <summary>
/// The cells of a person's own query, whatever their types. The wrapper reads lists and maps into types that it makes up by reflection, and
/// refuses nulls in lists. So lists are read here by types that are named: they may hold nulls, and a native executable has them.
/// </summary>
internal static class Cells
{
    private static readonly Dictionary<Type, Func<DuckDBDataReader, int, object>> Lists = new(
    [
        Of<bool>(), Of<sbyte>(), Of<short>(), Of<int>(), Of<long>(), Of<byte>(), Of<ushort>(), Of<uint>(), Of<ulong>(), Of<BigInteger>(), Of<float>(), Of<double>(), Of<decimal>(),
        Of<DateTime>(), Of<DateTimeOffset>(), Of<DateOnly>(), Of<TimeOnly>(), Of<TimeSpan>(), Of<Guid>(),
    ]);

    /// <summary>All cells of the current row; null where there is nothing.</summary>
    /// <exception cref="FlowsException">A value is of a type that cannot be read.</exception>
    public static IEnumerable<object?> Of(DuckDBDataReader rows) => Enumerable.Range(0, rows.FieldCount).Select(column => Read(rows, column, Cell));

    /// <summary>What the cells of a column are.</summary>
    /// <exception cref="FlowsException">They are of a type that cannot be read.</exception>
    public static Type TypeOf(DuckDBDataReader rows, int column) => Read(rows, column, (reader, at) => reader.GetFieldType(at));

    private static object? Cell(DuckDBDataReader rows, int column) =>
        rows.IsDBNull(column) ? null
        : Lists.TryGetValue(rows.GetFieldType(column), out var list) ? list(rows, column)
        : rows.GetValue(column);

    private static T Read<T>(DuckDBDataReader rows, int column, Func<DuckDBDataReader, int, T> read)
    {
        try
        {
            return read(rows, column);
        }
        catch (Exception fault) when (fault is NotSupportedException or InvalidCastException or ArgumentException)
        {
            var name = rows.GetName(column);
            throw new FlowsException(ExitCode.Usage, $"The column {name} holds values that cannot be shown as they are; ask for them as text: \"{name}\"::VARCHAR.", fault);
        }
    }

    private static KeyValuePair<Type, Func<DuckDBDataReader, int, object>> Of<T>()
        where T : struct
    {
        // What the wrapper still makes up by itself: lists in lists, maps by name and by count. A native executable has the types that it makes somewhere.
        var list = new List<T>();
        GC.KeepAlive((list, new Dictionary<string, T>(), new Dictionary<T, ulong>()));
        return new(list.GetType(), (rows, column) => rows.GetFieldValue<List<T?>>(column));
    }
}
