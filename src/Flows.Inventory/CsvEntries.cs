namespace Flows.Inventory;

/// <summary>
/// The entries of a CSV file. The first record names the columns: the keys of an entry, <c>label:NAME</c> and <c>selector:NAME</c> for one
/// label each, or <c>labels</c>, <c>selector</c> and <c>ports</c> with all of them as <c>a=b;c=d</c>. An empty cell says nothing.
/// </summary>
internal static class CsvEntries
{
    private const string Labels = "labels";
    private const string Selector = "selector";
    private const string Ports = "ports";

    /// <summary>What a column holds: a key; or one label, whose name is not null.</summary>
    private readonly record struct Column(string Key, string? Label);

    public static IEnumerable<InventoryEntry> Read(BoundedLines lines)
    {
        using var writer = new EntryWriter();
        Column[]? columns = null;
        foreach (var record in new CsvRecords(lines).Read())
        {
            if (record is { Line: 1, Cells: [['#', ..], ..] })
            {
                yield return InventoryEntry.Remark(string.Join(',', record.Cells));
                continue;
            }

            if (columns is null)
            {
                var fault = record.Fault;
                columns = fault is null ? ColumnsOf(record.Cells, out fault) : [];
                if (fault is not null)
                {
                    // Without names of columns no line means anything.
                    yield return new(record.Line, default, fault with { Reason = fault.Reason + "; nothing of this file was read" });
                    yield break;
                }

                continue;
            }

            yield return record.Fault is not null ? new(record.Line, default, record.Fault) : EntryOf(writer, columns, record);
        }
    }

    private static Column[] ColumnsOf(IReadOnlyList<string> names, out InventoryFault? fault)
    {
        var columns = names.Select(ColumnOf).ToArray();
        var unknown = names.Zip(columns).FirstOrDefault(one => one.Second is { Label: null, Key: "" }).First;
        var twice = names.GroupBy(name => name, StringComparer.Ordinal).FirstOrDefault(same => same.Count() > 1)?.Key;
        fault = unknown is not null
            ? new($"the column '{InventoryLine.Shown(unknown)}' is not known", $"separate by commas; use {string.Join(", ", InventoryLine.Keys)}, label:NAME, selector:NAME")
            : twice is not null ? new($"the column '{InventoryLine.Shown(twice)}' stands twice", "keep one of them") : null;
        return columns;
    }

    private static Column ColumnOf(string name) =>
        name.StartsWith("label:", StringComparison.Ordinal) && name.Length > 6 ? new(Labels, name[6..])
        : name.StartsWith("selector:", StringComparison.Ordinal) && name.Length > 9 ? new(Selector, name[9..])
        : InventoryLine.Keys.Contains(name, StringComparer.Ordinal) ? new(name, null)
        : new("", null);

    private static InventoryEntry EntryOf(EntryWriter writer, Column[] columns, CsvRecord record)
    {
        if (record.Cells.Count != columns.Length)
        {
            return InventoryEntry.Bad(
                record.Line, $"the line has {record.Cells.Count} cells, the header {columns.Length}", "put cells that hold a comma into quotes; leave cells empty, not out");
        }

        try
        {
            writer.Begin();
            foreach (var (column, cell) in columns.Zip(record.Cells).Where(one => one.Second.Length > 0))
            {
                Write(writer, column, cell);
            }

            return new(record.Line, writer.End());
        }
        catch (InventoryFaultException found)
        {
            return new(record.Line, default, found.Fault);
        }
    }

    private static void Write(EntryWriter writer, Column column, string cell)
    {
        if (column.Label is { } name)
        {
            writer.Label(column.Key, name, cell);
        }
        else if (column.Key is Labels or Selector or Ports)
        {
            foreach (var pair in cell.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            {
                var split = pair.IndexOf('=', StringComparison.Ordinal);
                if (split <= 0)
                {
                    throw new InventoryFaultException(
                        $"{column.Key}: '{InventoryLine.Shown(pair)}' is not NAME=VALUE", "write a=b;c=d, or give a value that holds ; a column label:NAME");
                }

                writer.Label(column.Key, pair[..split], pair[(split + 1)..]);
            }
        }
        else
        {
            writer.Value(column.Key, cell);
        }
    }
}
