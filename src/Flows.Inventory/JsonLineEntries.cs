using System.Text;

namespace Flows.Inventory;

/// <summary>The entries of JSON Lines: one object a line; blank lines are passed over.</summary>
internal static class JsonLineEntries
{
    public static IEnumerable<InventoryEntry> Read(BoundedLines lines)
    {
        while (lines.TryRead(out var line, out var tooLong))
        {
            if (tooLong)
            {
                yield return InventoryEntry.Bad(lines.Number, $"the line is longer than {InventoryFile.LineBytesMax} bytes", "drop labels that nobody needs");
            }
            else if (lines.Number == 1 && line.Span.StartsWith("#"u8))
            {
                yield return InventoryEntry.Remark(Encoding.UTF8.GetString(line.Span));
            }
            else if (!line.Span.Trim(" \t\r"u8).IsEmpty)
            {
                yield return new(lines.Number, line);
            }
        }
    }
}
