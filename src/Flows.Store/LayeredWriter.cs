using System.Globalization;

namespace Flows.Store;

/// <summary>
/// Writes a <see cref="LayeredTable"/>. A change costs a file of the recent rows; when these are many, those of the fullest part are folded
/// into its living ones, and what is over by then is sealed. The recent rows are also a temporary table of the engine, so that they are not read back for every change.
/// </summary>
internal sealed class LayeredWriter(LayeredTable layout, Engine engine, StoreFiles files, string directory, long recentMax)
{
    private string Recent => $"recent_{layout.Table}";

    /// <summary>Takes up where the state stands.</summary>
    public void Load(Manifest manifest) =>
        engine.Execute($"CREATE OR REPLACE TEMP TABLE {Recent} AS SELECT {layout.Columns.List} FROM {Engine.Scan(directory, layout.RecentFiles(manifest), layout.Columns)}");

    /// <summary>Puts the marks and rows of a temporary table above all others.</summary>
    /// <param name="next">The state to change.</param>
    /// <param name="changed">The temporary table.</param>
    /// <param name="isOver">SQL for a row of the given part that will hardly change any more; asked only when rows are folded.</param>
    /// <param name="nowUs">Since when replaced files are superseded.</param>
    /// <returns>The new state, and whether rows were folded.</returns>
    public (Manifest Next, bool Folded) Put(Manifest next, string changed, Func<int, string> isOver, long nowUs)
    {
        engine.Execute($"DELETE FROM {Recent} USING {layout.Marks(changed)} c WHERE {layout.Replaces("c", Recent)}; INSERT INTO {Recent} SELECT * FROM {changed}");
        var parts = engine.Read($"SELECT {layout.Part} AS part, count(*) FROM {Recent} GROUP BY part ORDER BY count(*) DESC, part", row => (Part: Convert.ToInt32(row.GetValue(0), CultureInfo.InvariantCulture), Count: row.GetInt64(1)));
        var (count, folded) = (parts.Sum(one => one.Count), 0);
        while (count > recentMax)
        {
            next = Fold(folded == 0 ? Divide(next, nowUs) : next, parts[folded].Part, isOver(parts[folded].Part), nowUs);
            count -= parts[folded++].Count;
        }

        var file = files.Write(StoreLayout.Plain(layout.Table, LayeredTable.Recent, next.Sequence), $"SELECT * FROM {Recent}", layout.Order, layout.Time, layout.Until);
        return (Replace(next, layout.RecentFiles(next), file, nowUs), folded > 0);
    }

    /// <summary>Gives each part a file of its own where an earlier version had one for all.</summary>
    private Manifest Divide(Manifest next, long nowUs)
    {
        List<StoreFile> undivided = [.. layout.UndividedFiles(next)];
        if (undivided.Count == 0)
        {
            return next;
        }

        var rows = Engine.Scan(directory, undivided, layout.Columns);
        for (var part = 0; part < LayeredTable.Parts; part++)
        {
            // A name of its own: the part may be folded, and so written, within the same change.
            var file = files.Write(StoreLayout.Plain(layout.Table, $"{LayeredTable.LivingTier(part)}-divided", next.Sequence), layout.OfPart(rows, part), layout.Order, layout.Time, layout.Until);
            next = Replace(next, [], file, nowUs);
        }

        return Replace(next, undivided, null, nowUs);
    }

    private Manifest Fold(Manifest next, int part, string isOver, long nowUs)
    {
        next = Unseal(next, part, nowUs);
        var living = Engine.Scan(directory, layout.LivingFiles(next, part), layout.Columns);
        engine.Execute($"CREATE OR REPLACE TEMP TABLE folded AS SELECT *, ({isOver}) AS is_over FROM ({layout.Above(living, layout.OfPart(Recent, part))}) AS rows_now");
        var over = Write(string.Create(CultureInfo.InvariantCulture, $"{StoreLayout.SealTier}-{part}"), "is_over");
        next = Replace(next, layout.LivingFiles(next, part), Write(LayeredTable.LivingTier(part), "NOT is_over"), nowUs);
        engine.Execute(string.Create(CultureInfo.InvariantCulture, $"DROP TABLE folded; DELETE FROM {Recent} WHERE {layout.Part} = {part}"));
        return over is null ? next : next.With(layout.Table, next.FilesOf(layout.Table).Append(over));

        StoreFile? Write(string tier, string condition) => files.Write(
            StoreLayout.Plain(layout.Table, tier, next.Sequence),
                    $"SELECT {layout.Columns.List} FROM folded WHERE {condition}", layout.Order, layout.Time, layout.Until);
    }

    /// <summary>
    /// Takes rows out of sealed files that recent ones replace after all, such as those of a correction that came days late. What is sealed was over
    /// before anything that is living, so a mark that does not lie before all living rows of its key concerns none of it.
    /// </summary>
    private Manifest Unseal(Manifest next, int part, long nowUs)
    {
        var living = Engine.Scan(directory, layout.LivingFiles(next, part), layout.Columns);
        engine.Execute($"CREATE OR REPLACE TEMP TABLE unsealing AS SELECT marks.* FROM {layout.Marks(layout.OfPart(Recent, part))} AS marks ANTI JOIN {living} AS living_rows ON {layout.Precedes("living_rows", "marks")}");
        var min = layout.Time is null
            ? long.MinValue
            : engine.Read($"SELECT coalesce(epoch_us(min({layout.Time})), {long.MaxValue}) FROM unsealing", row => row.GetInt64(0))[0];
        var written = 0;
        foreach (var file in layout.SealedFiles(next).Where(file => layout.Time is null || file.MaxUs >= min).ToList())
        {
            var scan = Engine.Scan(directory, [file], layout.Columns);
            // Not asked by SEMI JOIN: where one condition is no equality and all keys of the right side are one, DuckDB 1.5.6 finds nothing in a file.
            var rows = $"SELECT {layout.Columns.List} FROM {scan} AS sealed_rows ANTI JOIN unsealing ON {layout.Replaces("unsealing", "sealed_rows")}";
            if (engine.Read($"SELECT count(*) FROM ({rows})", row => row.GetInt64(0))[0] < file.Rows)
            {
                // Two files of one tier may be rewritten by one change.
                var tier = string.Create(CultureInfo.InvariantCulture, $"{StoreLayout.TierOf(file)}-{part}x{written++}");
                var rest = files.Write(StoreLayout.Plain(layout.Table, tier, next.Sequence), rows, layout.Order, layout.Time, layout.Until);
                next = Replace(next, [file], rest, nowUs);
            }
        }

        engine.Execute("DROP TABLE unsealing");
        return next;
    }

    private Manifest Replace(Manifest next, IEnumerable<StoreFile> old, StoreFile? file, long nowUs)
    {
        List<StoreFile> gone = [.. old];
        return next.With(layout.Table, [.. next.FilesOf(layout.Table).Except(gone), .. file is null ? (StoreFile[])[] : [file]]) with
        {
            Superseded = [.. next.Superseded, .. gone.Select(one => new SupersededFile(one.Path, nowUs))],
        };
    }
}
