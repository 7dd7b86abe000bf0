using System.Globalization;

namespace Flows.Store;

/// <summary>
/// A table whose rows change, in immutable files: sealed ones that hold what is over, one of <c>living</c> rows for each part of the keys, and one of
/// <c>recent</c> rows, small and written with every change, that stand above the rows of the same key in all others. Where a key has rows over time, a mark (a
/// recent row without the column <paramref name="Presence"/>) says from when on the recent ones replace the others.
/// </summary>
/// <param name="Table">Name and folder.</param>
/// <param name="Columns">Its columns.</param>
/// <param name="Key">Columns that name what a row is about.</param>
/// <param name="Part">SQL for the part that a key belongs to, below <see cref="Parts"/>. What it says is on disk: it must never change.</param>
/// <param name="Presence">A column that is null in a mark, and in no row.</param>
/// <param name="Order">How files are sorted.</param>
/// <param name="Time">The column from which a row counts; null where rows have no time.</param>
/// <param name="Until">The column of its end.</param>
internal sealed record LayeredTable(string Table, TableColumns Columns, string Key, string Part, string Presence, string Order, string? Time, string? Until)
{
    public const string Living = "living";
    public const string Recent = "recent";

    /// <summary>Living rows are rewritten part by part, so that no change waits for all of them.</summary>
    public const int Parts = 8;

    /// <summary>The last three bits of the address: neighbours are spread, and unlike the engine's hash it is the same in every version.</summary>
    private static readonly string PartOfAddress = PartOf("(instr('0123456789ABCDEF', right(hex(addr_lo), 1)) - 1)");

    public static readonly LayeredTable Timeline = new(
        StoreLayout.TimelineTable, TableColumns.Timeline, "scope_id, addr_lo, prefix_len", PartOfAddress, "entity_id", "scope_id, addr_lo, valid_from", "valid_from", "valid_to");

    public static readonly LayeredTable Entities = new(StoreLayout.Entities, TableColumns.Entities, "entity_id", PartOf("entity_id"), "kind", "entity_id", Time: null, Until: null);

    public static LayeredTable? Of(string table) => table switch
    {
        StoreLayout.TimelineTable => Timeline,
        StoreLayout.Entities => Entities,
        _ => null,
    };

    /// <summary>Sealed files, of which merging makes fewer. An entity that no inventory names (<c>strangers</c>) is beside all layers.</summary>
    public IEnumerable<StoreFile> SealedFiles(Manifest manifest) => manifest.FilesOf(Table).Where(FileMerge.IsSealed);

    /// <summary>Rows of one part that may still change.</summary>
    public IEnumerable<StoreFile> LivingFiles(Manifest manifest, int part) => manifest.FilesOf(Table).Where(file => StoreLayout.TierOf(file) == LivingTier(part));

    /// <summary>Rows of all parts that may still change, in one file, as earlier versions had them.</summary>
    public IEnumerable<StoreFile> UndividedFiles(Manifest manifest) => manifest.FilesOf(Table)
        .Where(file => !FileMerge.IsSealed(file) && StoreLayout.TierOf(file) is not Recent and not "strangers")
        .Where(file => !Enumerable.Range(0, Parts).Any(part => StoreLayout.TierOf(file) == LivingTier(part)));

    public static string LivingTier(int part) => string.Create(CultureInfo.InvariantCulture, $"{Living}{part}");

    /// <summary>SQL for the rows of one part.</summary>
    public string OfPart(string rows, int part) => string.Create(CultureInfo.InvariantCulture, $"(SELECT * FROM {rows} AS all_parts WHERE {Part} = {part})");

    public IEnumerable<StoreFile> RecentFiles(Manifest manifest) => manifest.FilesOf(Table).Where(file => StoreLayout.TierOf(file) == Recent);

    /// <summary>SQL for the table as it is: one row a key.</summary>
    /// <param name="directory">Put before every path.</param>
    /// <param name="manifest">Names the files.</param>
    /// <param name="fromUs">Sealed rows that ended before it are of no interest.</param>
    /// <param name="toUs">Sealed rows that begin at it or later are of no interest.</param>
    public string Scan(string directory, Manifest manifest, long fromUs = long.MinValue, long toUs = long.MaxValue)
    {
        List<StoreFile> recent = [.. RecentFiles(manifest)];
        var below = manifest.FilesOf(Table).Except(recent).Where(file => Time is null || !FileMerge.IsSealed(file) || (file.MinUs < toUs && file.MaxUs >= fromUs));
        var lower = Engine.Scan(directory, below, Columns);
        return recent.Count == 0 ? lower : $"({Above(lower, Engine.Scan(directory, recent, Columns))})";
    }

    /// <summary>A query for the rows of <paramref name="lower"/> without those that <paramref name="upper"/> replaces, and the latter.</summary>
    public string Above(string lower, string upper) => $"""
        SELECT {Columns.List} FROM {lower} AS lower_rows ANTI JOIN {Marks(upper)} AS marks ON {Replaces("marks", "lower_rows")}
        UNION ALL SELECT {Columns.List} FROM {upper} AS new_rows WHERE {Presence} IS NOT NULL
        """;

    /// <summary>The recent rows that say which others are replaced.</summary>
    public string Marks(string recent) => Time is null ? $"(SELECT {Key} FROM {recent})" : $"(SELECT {Key}, {Time} FROM {recent} WHERE {Presence} IS NULL)";

    /// <summary>The condition that a mark replaces a row.</summary>
    public string Replaces(string mark, string row) => Time is null ? Same(mark, row) : $"{Same(mark, row)} AND {row}.{Time} >= {mark}.{Time}";

    /// <summary>The condition that a row of the mark's key began no later than the mark.</summary>
    public string Precedes(string row, string mark) => Time is null ? Same(mark, row) : $"{Same(mark, row)} AND {row}.{Time} <= {mark}.{Time}";

    private string Same(string mark, string row) => string.Join(" AND ", Key.Split(", ").Select(column => $"{row}.{column} = {mark}.{column}"));

    /// <summary>SQL for the part of a whole number.</summary>
    private static string PartOf(string number) => string.Create(CultureInfo.InvariantCulture, $"{number} % {Parts}");
}
