using Flows.Core;
using Flows.Core.Facts;
using Flows.Core.Identity;

namespace Flows.Store;

/// <summary>
/// The ledger of an open store: in memory what may still change, in files everything. A change appends its statements and replaces the
/// rows of timeline and entities that it touches. Used under the store's lock; only <see cref="Live"/> may be asked by anybody.
/// </summary>
internal sealed class StoredLedger
{
    /// <summary>How often the ledger in memory is rid of what ended before the late window, as a part of that window.</summary>
    private const int ForgetShare = 12;

    private readonly Engine engine;
    private readonly StoreFiles files;
    private readonly string directory;
    private readonly long lateWindowUs;
    private readonly LayeredWriter timeline;
    private readonly LayeredWriter entities;
    private LiveLedger? live;
    private long forgottenAtUs;

    public StoredLedger(Engine engine, StoreFiles files, string directory, StoreOptions options)
    {
        this.engine = engine;
        this.files = files;
        this.directory = directory;
        lateWindowUs = (long)options.LateWindow.TotalMicroseconds;
        timeline = new LayeredWriter(LayeredTable.Timeline, engine, files, directory, options.RecentRowsMax);
        entities = new LayeredWriter(LayeredTable.Entities, engine, files, directory, options.RecentRowsMax);
    }

    /// <summary>The ledger in memory; null until it is needed.</summary>
    public LiveLedger? Live => Volatile.Read(ref live);

    /// <summary>Forgets what is in memory, which after a failure may be ahead of the files. It is read again when needed.</summary>
    public void Reset() => Volatile.Write(ref live, null);

    /// <summary>Writes what the statements say that is new.</summary>
    /// <returns>The next state, and where addresses are named otherwise than before.</returns>
    public (Manifest Next, IReadOnlyList<AnswerChange> Changes) Learn(Manifest next, IReadOnlyList<IdentityInterval> statements, long nowUs)
    {
        var ledger = Load(next, nowUs);
        RestoreUnsure(ledger, next, statements);
        var scopes = statements.Where(said => said.PrefixLength < 128).Select(said => said.Entity.Scope).Distinct().ToList();
        List<TimelineRow> before = [.. scopes.SelectMany(scope => TimelineRow.OfRanges(ledger.RangesOf(scope)))];
        var change = ledger.Add(statements);
        if (change.News.Count == 0)
        {
            return (next, []);
        }

        List<TimelineRow> after = [.. scopes.SelectMany(scope => TimelineRow.OfRanges(ledger.RangesOf(scope)))];
        foreach (var place in change.Places.Where(place => place.Place.Range.PrefixLength == 128))
        {
            before.AddRange(TimelineRow.OfAddresses(place.Before));
            after.AddRange(TimelineRow.OfAddresses(place.After));
        }

        var latest = Latest(next, change.News);
        next = Named(Append(next, change.News), change.News);
        var (gone, come) = Difference(before, after);
        (next, var folded) = PutTimeline(next, [.. gone, .. come], after, nowUs);
        latest.AddRange(after.Where(row => row.Entity.Kind == EntityKind.Ambiguous).Select(row => row.Entity));
        next = PutEntities(next, latest, ledger, nowUs);
        if (folded && nowUs - forgottenAtUs > lateWindowUs / ForgetShare)
        {
            ledger.Forget(nowUs - lateWindowUs);
            forgottenAtUs = nowUs;
        }

        return (next, [.. AnswerChange.Between(gone, come)]);
    }

    /// <summary>The ledger in memory, read from files where it is not yet.</summary>
    public LiveLedger Load(Manifest manifest, long nowUs)
    {
        if (live is not null)
        {
            return live;
        }

        timeline.Load(manifest);
        entities.Load(manifest);
        var horizon = nowUs - lateWindowUs;

        // Sealed rows are over. What was said lately may be about an address that nobody holds any more, such as a withdrawal.
        engine.Execute($"""
            CREATE OR REPLACE TEMP TABLE asked AS
            SELECT DISTINCT s.scope, t.addr_lo AS addr, t.prefix_len FROM
                (SELECT {TableColumns.Timeline.List} FROM {LayeredTable.Timeline.Scan(directory, Unsealed(manifest))}) t JOIN {ScopeNames(manifest)} s(scope_id, scope) USING (scope_id)
                WHERE t.prefix_len = 128
            UNION SELECT scope, addr, prefix_len FROM {LedgerFiles.Statements(directory, manifest)} WHERE learned_at >= {Engine.Time(horizon)}
            """);
        var said = LedgerFiles.Read(engine, directory, manifest, "WHERE prefix_len < 128 OR (scope, addr, prefix_len) IN (SELECT (scope, addr, prefix_len) FROM asked)");
        var others = engine.Read(
            $"""
            SELECT coalesce(epoch_us(max(valid_from)), -1) FROM {LedgerFiles.Statements(directory, manifest)}
            WHERE prefix_len = 128 AND (scope, addr, prefix_len) NOT IN (SELECT (scope, addr, prefix_len) FROM asked)
            """,
            row => row.GetInt64(0))[0];
        engine.Execute("DROP TABLE asked");
        var loaded = new LiveLedger(Math.Max(horizon, others + 1));
        foreach (var place in said.GroupBy(Place.Of))
        {
            loaded.Restore(place.Key, place);
        }

        loaded.Forget(horizon);
        Volatile.Write(ref live, loaded);
        return loaded;
    }

    private static Manifest Unsealed(Manifest manifest) =>
        manifest.With(StoreLayout.TimelineTable, manifest.FilesOf(StoreLayout.TimelineTable).Where(file => !FileMerge.IsSealed(file)));

    private static string ScopeNames(Manifest manifest) =>
        $"(VALUES {string.Join(", ", manifest.Scopes.Select(scope => $"({scope.Key}::UBIGINT, {Engine.Text(scope.Value)})").DefaultIfEmpty("(0::UBIGINT, '')"))})";

    private void RestoreUnsure(LiveLedger ledger, Manifest manifest, IReadOnlyList<IdentityInterval> statements)
    {
        if (ledger.Unsure(statements) is not { Count: > 0 } unsure)
        {
            return;
        }

        var said = Enumerable.Empty<IdentityInterval>();
        if (manifest.FilesOf(StoreLayout.Identities).Count > 0)
        {
            RowWriter.Places(engine, "asked", unsure);
            said = LedgerFiles.Read(engine, directory, manifest, "WHERE prefix_len < 128 OR (scope, addr, prefix_len) IN (SELECT (scope, addr, prefix_len) FROM asked)");
            engine.Execute("DROP TABLE asked");
        }

        var byPlace = said.ToLookup(Place.Of);
        foreach (var place in unsure)
        {
            ledger.Restore(place, byPlace[place]);
        }
    }

    /// <summary>The entities of these statements as last known: without those of which something later is known already.</summary>
    private List<Entity> Latest(Manifest manifest, IReadOnlyList<IdentityInterval> news)
    {
        var latest = news.GroupBy(said => said.Entity.Id).ToDictionary(entity => entity.Key, entity => entity.MaxBy(said => said.LearnedAtUs)!);
        var since = latest.Values.Min(said => said.LearnedAtUs);
        var later = manifest.FilesOf(StoreLayout.Identities).Where(file => file.MaxUs > since).ToList();
        if (later.Count > 0)
        {
            RowWriter.Ids(engine, "asked", latest.Keys);
            var known = engine.Read(
                $"""
                SELECT entity_id, epoch_us(max(learned_at)) FROM {Engine.Scan(directory, later, TableColumns.Identities)} AS said SEMI JOIN asked USING (entity_id)
                WHERE learned_at > {Engine.Time(since)} GROUP BY entity_id
                """,
                row => (Id: row.GetFieldValue<ulong>(0), LearnedAtUs: row.GetInt64(1)));
            known.Where(one => one.LearnedAtUs > StoreLayout.ClampUs(latest[one.Id].LearnedAtUs)).ToList().ForEach(one => latest.Remove(one.Id));
            engine.Execute("DROP TABLE asked");
        }

        return [.. latest.Values.Select(said => said.Entity)];
    }

    private Manifest Append(Manifest next, IReadOnlyList<IdentityInterval> news)
    {
        RowWriter.Identities(engine, "stated", news);
        var file = files.Write(StoreLayout.Plain(StoreLayout.Identities, StoreLayout.SealTier, next.Sequence), "SELECT * FROM stated", FileMerge.StatementOrder, "learned_at");
        engine.Execute("DROP TABLE stated");
        return next.With(StoreLayout.Identities, next.FilesOf(StoreLayout.Identities).Append(file!));
    }

    private static Manifest Named(Manifest next, IReadOnlyList<IdentityInterval> news)
    {
        List<string> unknown = [.. news.Select(said => said.Entity.Scope).Distinct().Where(scope => !next.Scopes.ContainsKey(Manifest.Key(StableId.OfScope(scope))))];
        return unknown.Count == 0 ? next : next with
        {
            Scopes = next.Scopes.Concat(unknown.Select(scope => KeyValuePair.Create(Manifest.Key(StableId.OfScope(scope)), scope))).ToDictionary(),
        };
    }

    /// <summary>Rows that only one of both has.</summary>
    private static (List<TimelineRow> Gone, List<TimelineRow> Come) Difference(List<TimelineRow> before, List<TimelineRow> after)
    {
        var (old, now) = (before.Select(row => row.Fact).ToHashSet(), after.Select(row => row.Fact).ToHashSet());
        return ([.. before.Where(row => !now.Contains(row.Fact))], [.. after.Where(row => !old.Contains(row.Fact))]);
    }

    /// <summary>
    /// Replaces the rows of what changed from its first change on. Not row by row: files may have a span in two pieces that is one by now, which says
    /// the same.
    /// </summary>
    private (Manifest Next, bool Folded) PutTimeline(Manifest next, List<TimelineRow> changed, List<TimelineRow> after, long nowUs)
    {
        if (changed.Count == 0)
        {
            return (next, false);
        }

        var firsts = changed.GroupBy(row => row.Key).ToDictionary(rows => rows.Key, rows => rows.MinBy(row => row.FromUs)!);
        var rows = after.Where(row => firsts.TryGetValue(row.Key, out var first) && row.FromUs >= first.FromUs);
        RowWriter.Timeline(engine, "spans", firsts.Values.Select(row => (row, true)).Concat(rows.Select(row => (row, false))));
        return timeline.Put(next, "spans", _ => $"valid_to IS NOT NULL AND valid_to <= {Engine.Time(nowUs - lateWindowUs)}", nowUs);
    }

    private Manifest PutEntities(Manifest next, List<Entity> latest, LiveLedger ledger, long nowUs)
    {
        RowWriter.Entities(engine, "latest", latest.DistinctBy(entity => entity.Id));
        return entities.Put(next, "latest", IsOver, nowUs).Next;

        string IsOver(int part)
        {
            RowWriter.Ids(engine, "living_entities", ledger.Standing().Select(said => said.Entity.Id).Where(id => id % LayeredTable.Parts == (ulong)part).Distinct());
            return "entity_id NOT IN (SELECT entity_id FROM living_entities)";
        }
    }
}
