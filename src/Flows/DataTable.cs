using Flows.Core;
using Spectre.Console;

namespace Flows;

/// <summary>Prints rows of cells as an aligned table or CSV (RFC 4180, header first).</summary>
/// <param name="columns">The column names, as a program reads them.</param>
internal sealed class DataTable(params string[] columns)
{
    private readonly List<object?[]> rows = [];

    public void Add(params object?[] cells) => rows.Add(cells);

    /// <summary>Prints in the given format: <c>table</c> or <c>csv</c>.</summary>
    public void Print(string format, TextWriter to)
    {
        switch (format)
        {
            case "csv":
                to.WriteLine(string.Join(',', columns.Select(Csv)));
                rows.ForEach(row => to.WriteLine(string.Join(',', row.Select(cell => Csv(Text(cell))))));
                break;
            case "table":
                PrintTable(to);
                break;
            default:
                throw new FlowsException(ExitCode.Usage, $"'{format}' is not an output format here.");
        }
    }

    /// <summary>A cell as text, the same in every culture; lists are joined by spaces.</summary>
    public static string Text(object? cell) => cell switch
    {
        null => "",
        string text => text,
        bool yes => yes ? "true" : "false",
        IEnumerable<string> many => string.Join(' ', many),
        IFormattable value => value.ToString(null, System.Globalization.CultureInfo.InvariantCulture),
        _ => cell.ToString() ?? "",
    };

    /// <summary>Quotes where RFC 4180 asks for it; a leading =, +, -, @ of a text gets an apostrophe, so that no spreadsheet runs it.</summary>
    private static string Csv(string cell)
    {
        if (cell.Length > 0 && "=+-@\t".Contains(cell[0], StringComparison.Ordinal) && !double.TryParse(cell, out _))
        {
            cell = "'" + cell;
        }

        return cell.AsSpan().ContainsAny("\",\r\n") ? $"\"{cell.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : cell;
    }

    private void PrintTable(TextWriter to)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(to),
            Ansi = AnsiSupport.No,
            ColorSystem = ColorSystemSupport.NoColors,
        });

        // A table that wraps cannot be read or cut: take the width it needs unless a person's terminal is the bound.
        console.Profile.Width = Console.IsOutputRedirected ? 4096 : Math.Max(console.Profile.Width, 80);
        var table = new Table { Border = TableBorder.Simple };
        foreach (var column in columns)
        {
            var numeric = rows.Count > 0 && rows.All(row => row[Array.IndexOf(columns, column)] is null or long or int or ulong or uint or ushort or byte or double);
            table.AddColumn(new TableColumn(new Spectre.Console.Text(column)) { Alignment = numeric ? Justify.Right : Justify.Left });
        }

        foreach (var row in rows)
        {
            table.AddRow(row.Select(cell => new Spectre.Console.Text(VisibleText.Of(Text(cell)))));
        }

        console.Write(table);
    }
}
