namespace Flows.Inventory;

/// <summary>
/// One entry of a file on its way to a statement, whatever the file's format: the object that JSON Lines would have, or why there is none. The
/// memory is good until the next entry.
/// </summary>
/// <param name="Line">Where it begins, from 1.</param>
/// <param name="Json">The object in UTF-8.</param>
/// <param name="Fault">Why there is no object.</param>
/// <param name="Comment">The file's first line, where that is a comment: it may say how to read the file.</param>
internal readonly record struct InventoryEntry(long Line, ReadOnlyMemory<byte> Json, InventoryFault? Fault = null, string? Comment = null)
{
    /// <summary>An entry that could not be read.</summary>
    public static InventoryEntry Bad(long line, string reason, string remedy) => new(line, default, new(reason, remedy));

    /// <summary>The file's first line.</summary>
    public static InventoryEntry Remark(string text) => new(1, default, Comment: text);
}
