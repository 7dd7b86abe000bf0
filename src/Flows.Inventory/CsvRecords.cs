using System.Text;

namespace Flows.Inventory;

/// <summary>One record of a CSV file.</summary>
/// <param name="Line">Where it begins, from 1.</param>
/// <param name="Cells">Its cells as text; empty where there is a fault.</param>
/// <param name="Fault">Why it could not be cut into cells.</param>
internal sealed record CsvRecord(long Line, IReadOnlyList<string> Cells, InventoryFault? Fault = null);

/// <summary>
/// Cuts lines into records as RFC 4180 has it: commas, cells in quotes may hold commas, line ends and doubled quotes. A record that cannot be
/// read costs its first line only: reading goes on with the line after, so that one stray quote does not swallow the rest of the file.
/// </summary>
internal sealed class CsvRecords(BoundedLines lines)
{
    // Names with line ends are rare, and long ones rarer. The bound is what a stray quote can make us look at.
    private const int LinesOfRecordMax = 16;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
    private static readonly InventoryFault NotUtf8 = new("the line is not UTF-8", "save the file as UTF-8");
    private static readonly InventoryFault TooLong = new($"the line is longer than {InventoryFile.LineBytesMax} bytes", "drop columns that nobody needs");

    private readonly LinkedList<Line> waiting = [];

    private readonly record struct Line(long Number, string Text, InventoryFault? Fault);

    /// <summary>The records; blank lines are passed over.</summary>
    public IEnumerable<CsvRecord> Read()
    {
        while (Next() is { } first)
        {
            if (first.Fault is not null || first.Text.AsSpan().Trim(" \t\r").Length > 0)
            {
                yield return first.Fault is { } fault ? new(first.Number, [], fault) : Record(first);
            }
        }
    }

    private CsvRecord Record(Line first)
    {
        // Within a record every quote has its partner, doubled ones too; while their number is odd, the record goes on.
        var text = new StringBuilder(first.Text);
        var open = HasOddQuotes(first.Text);
        var more = new List<Line>();
        while (open && more.Count + 1 < LinesOfRecordMax && text.Length <= InventoryFile.LineBytesMax && Next() is { } next)
        {
            more.Add(next);
            text.Append('\n').Append(next.Text);
            open ^= HasOddQuotes(next.Text);
        }

        var cells = new List<string>();
        var fault = open ? new("a quote is not closed", "double quotes within a cell, and put the cell into quotes")
            : more.Select(line => line.Fault).FirstOrDefault(found => found is not null)
            ?? (text.Length > InventoryFile.LineBytesMax ? TooLong : Cut(text.ToString().TrimEnd('\r'), cells));
        if (fault is null)
        {
            return new(first.Number, cells);
        }

        for (var i = more.Count - 1; i >= 0; i--)
        {
            waiting.AddFirst(more[i]);
        }

        return new(first.Number, [], fault);
    }

    private Line? Next()
    {
        if (waiting.First is { } front)
        {
            waiting.RemoveFirst();
            return front.Value;
        }

        if (!lines.TryRead(out var bytes, out var tooLong))
        {
            return null;
        }

        try
        {
            return new(lines.Number, Strict.GetString(bytes.Span), tooLong ? TooLong : null);
        }
        catch (DecoderFallbackException)
        {
            return new(lines.Number, "", NotUtf8);
        }
    }

    private static bool HasOddQuotes(string text) => (text.AsSpan().Count('"') & 1) == 1;

    private static InventoryFault? Cut(string record, List<string> cells)
    {
        for (var at = 0; ; at++)
        {
            int end;
            if (at < record.Length && record[at] == '"')
            {
                end = EndOfQuoted(record, at + 1);
                if (end < 0 || (end < record.Length && record[end] != ','))
                {
                    return new("a cell goes on after its closing quote", "double quotes within a cell");
                }

                cells.Add(record[(at + 1)..(end - 1)].Replace("\"\"", "\"", StringComparison.Ordinal));
            }
            else
            {
                end = record.IndexOf(',', at);
                end = end < 0 ? record.Length : end;
                if (record.AsSpan(at, end - at).Contains('"'))
                {
                    return new("a quote stands in a cell that does not begin with one", "put the cell into quotes, and double the quotes within");
                }

                cells.Add(record[at..end]);
            }

            at = end;
            if (at >= record.Length)
            {
                return null;
            }
        }
    }

    /// <summary>Where the quoted cell ends, after its closing quote; -1 if it does not.</summary>
    private static int EndOfQuoted(string record, int at)
    {
        while ((at = record.IndexOf('"', at)) >= 0)
        {
            if (at + 1 == record.Length || record[at + 1] != '"')
            {
                return at + 1;
            }

            at += 2;
        }

        return -1;
    }
}
