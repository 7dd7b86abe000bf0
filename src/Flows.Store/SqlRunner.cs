using System.Collections;
using System.Globalization;
using System.Text;
using System.Text.Json;
using DuckDB.NET.Data;
using Flows.Core;

namespace Flows.Store;

/// <summary>
/// Runs a person's SQL over their own store, with their own rights, and streams the answer. The engine is in memory and the store's
/// files are only read, but SQL can write files wherever the person can: nobody else's SQL belongs here.
/// </summary>
/// <param name="reader">The store.</param>
public sealed class SqlRunner(StoreReader reader)
{
    /// <summary>Runs one statement and prints its rows as <c>table</c>, <c>csv</c> (RFC 4180, header first), <c>json</c> (an array of objects) or <c>arrow</c> (an IPC stream).</summary>
    /// <exception cref="FlowsException">The SQL is wrong, more than one statement, or the format unknown.</exception>
    public void Run(string sql, string format, Stream output)
    {
        try
        {
            // The wrapper would run the first statement at once and the rest when asked for more: count before any runs.
            if (Statements.Count(reader.Engine.Connection, sql) > 1)
            {
                throw new FlowsException(ExitCode.Usage, "Only one statement is run at a time, and there are several here; none was run.");
            }

            var statements = reader.Engine.Connection.CreateCommand();
            using (statements)
            {
                statements.CommandText = sql.TrimEnd().TrimEnd(';');
                statements.UseStreamingMode = true;
                using var rows = (DuckDBDataReader)statements.ExecuteReader();
                Print(rows, format, output);
            }
        }
        catch (DuckDBException fault)
        {
            throw new FlowsException(ExitCode.Usage, fault.Message.Split('\n')[0], fault);
        }
    }

    private static void Print(DuckDBDataReader rows, string format, Stream output)
    {
        switch (format)
        {
            case "csv":
                PrintCsv(rows, output);
                break;
            case "json":
                PrintJson(rows, output);
                break;
            case "table":
                PrintTable(rows, output);
                break;
            case "arrow":
                ArrowOutput.Write(rows, output);
                break;
            default:
                throw new FlowsException(ExitCode.Usage, $"'{format}' is not an output format here; use table, csv, json or arrow.");
        }
    }

    private static void PrintCsv(DuckDBDataReader rows, Stream output)
    {
        using var writer = new StreamWriter(output, new UTF8Encoding(false), leaveOpen: true) { NewLine = "\r\n" };
        writer.WriteLine(string.Join(',', Columns(rows).Select(Quoted)));
        while (rows.Read())
        {
            writer.WriteLine(string.Join(',', Cells.Of(rows).Select(cell => Quoted(Text(cell)))));
        }
    }

    private static void PrintJson(DuckDBDataReader rows, Stream output)
    {
        using var writer = new Utf8JsonWriter(output);
        var columns = Columns(rows);
        writer.WriteStartArray();
        while (rows.Read())
        {
            writer.WriteStartObject();
            foreach (var (name, cell) in columns.Zip(Cells.Of(rows)))
            {
                writer.WritePropertyName(name);
                WriteJson(writer, cell);
            }

            writer.WriteEndObject();

            // A long answer leaves as it comes; the writer would keep it whole.
            if (writer.BytesPending > 65_536)
            {
                writer.Flush();
            }
        }

        writer.WriteEndArray();
        writer.Flush();
        output.WriteByte((byte)'\n');
    }

    private static void WriteJson(Utf8JsonWriter writer, object? cell)
    {
        switch (cell)
        {
            case null:
                writer.WriteNullValue();
                break;
            case bool yes:
                writer.WriteBooleanValue(yes);
                break;
            case double or float when !double.IsFinite(Convert.ToDouble(cell, CultureInfo.InvariantCulture)):
                writer.WriteStringValue(Text(cell));
                break;
            case sbyte or byte or short or ushort or int or uint or long or ulong or float or double or decimal or System.Numerics.BigInteger:
                writer.WriteRawValue(Text(cell));
                break;
            case IEnumerable many and not string and not byte[] and not Stream:
                writer.WriteStartArray();
                foreach (var item in many)
                {
                    WriteJson(writer, item);
                }

                writer.WriteEndArray();
                break;
            default:
                writer.WriteStringValue(Text(cell));
                break;
        }
    }

    /// <summary>An aligned table, which must know its rows to be aligned: of more than a thousand, the first thousand set the widths.</summary>
    private static void PrintTable(DuckDBDataReader rows, Stream output)
    {
        using var writer = new StreamWriter(output, new UTF8Encoding(false), leaveOpen: true) { NewLine = "\n" };
        List<string[]> first = [[.. Columns(rows)]];
        var more = rows.Read();
        for (; more && first.Count <= 1000; more = rows.Read())
        {
            first.Add([.. Cells.Of(rows).Select(cell => VisibleText.Of(Text(cell)))]);
        }

        var widths = Enumerable.Range(0, rows.FieldCount).Select(i => first.Max(line => line[i].Length)).ToArray();
        first.Insert(1, [.. widths.Select(width => new string('-', width))]);
        first.ForEach(line => WriteLine(writer, line, widths));
        for (; more; more = rows.Read())
        {
            WriteLine(writer, [.. Cells.Of(rows).Select(cell => VisibleText.Of(Text(cell)))], widths);
        }
    }

    private static void WriteLine(StreamWriter writer, string[] cells, int[] widths) =>
        writer.WriteLine(string.Join("  ", cells.Select((cell, i) => cell.PadRight(widths[i]))).TrimEnd());

    private static List<string> Columns(DuckDBDataReader rows) => [.. Enumerable.Range(0, rows.FieldCount).Select(rows.GetName)];

    /// <summary>A value as text, the same in every culture: times in ISO 8601, bytes in hexadecimal, nothing for null.</summary>
    internal static string Text(object? cell) => cell switch
    {
        null => "",
        string text => text,
        bool yes => yes ? "true" : "false",
        DateTime at => at.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture),
        DateOnly day => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
        byte[] bytes => Convert.ToHexStringLower(bytes),
        Stream stream => Convert.ToHexStringLower(Bytes(stream)),
        IDictionary map => string.Join(' ', map.Keys.Cast<object>().Select(key => $"{Text(key)}={Text(map[key])}")),
        IEnumerable many => string.Join(' ', many.Cast<object?>().Select(Text)),
        IFormattable value => value.ToString(null, CultureInfo.InvariantCulture),
        _ => cell.ToString() ?? "",
    };

    private static byte[] Bytes(Stream stream)
    {
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        return copy.ToArray();
    }

    private static string Quoted(string cell) => cell.AsSpan().ContainsAny("\",\r\n") ? $"\"{cell.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : cell;
}
