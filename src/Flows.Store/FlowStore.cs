using Apache.Arrow;
using Flows.Core;
using Flows.Core.Facts;
using Flows.Core.Identity;

namespace Flows.Store;

/// <summary>
/// The writer of a store: seals acknowledged records into immutable Parquet files, keeps the ledger and its timeline, and the edges in
/// step with both. One per directory. Every change is one swap of the manifest; a crash leaves the state before it. Thread safe.
/// </summary>
public sealed partial class FlowStore : IDisposable
{
    private readonly Lock gate = new();
    private readonly string directory;
    private readonly TimeProvider time;
    private readonly StoreOptions options;
    private readonly FileStream held;
    private readonly Engine engine;
    private readonly StoreFiles files;
    private readonly FileMerge merge;
    private readonly FactFiles facts;
    private readonly EdgeRollup rollup;
    private readonly StoredLedger stored;
    private readonly InventoryFiles inventory;
    private readonly DirtyBuckets dirty;
    private Manifest manifest;

    private FlowStore(string directory, TimeProvider time, StoreOptions options, FileStream held, Manifest manifest)
    {
        this.directory = directory;
        this.time = time;
        this.options = options;
        this.held = held;
        engine = Engine.Start(options.MemoryMaxMib, options.Threads, Path.Combine(directory, StoreLayout.Temporary));
        files = new StoreFiles(directory, engine);
        merge = new FileMerge(files, directory);
        facts = new FactFiles(files, engine);
        rollup = new EdgeRollup(options.SkewMax);
        stored = new StoredLedger(engine, files, directory, options);
        inventory = new InventoryFiles(engine, files);
        dirty = new DirtyBuckets(engine, directory, rollup);
        this.manifest = files.Sweep(manifest, time.NowUs(), options.SupersededGrace, orphans: true);
    }

    /// <summary>Position of the last record that is sealed; null before the first. Records up to it may be trimmed from the log.</summary>
    public ulong? SealedPosition
    {
        get
        {
            lock (gate)
            {
                return manifest.IntakePosition;
            }
        }
    }

    /// <summary>Opens the store in the directory, or makes one there if it is absent or empty.</summary>
    /// <exception cref="FlowsException">Another process writes it, it is damaged, or the directory holds something else.</exception>
    public static FlowStore Open(string directory, TimeProvider time, StoreOptions options)
    {
        directory = Path.GetFullPath(directory);
        Directory.CreateDirectory(directory);
        var fresh = !File.Exists(Path.Combine(directory, StoreLayout.Manifest));
        string[] harmless = [StoreLayout.Log, StoreLayout.Lock, StoreLayout.Temporary, StoreLayout.Manifest + ".tmp"];
        if (fresh && Directory.EnumerateFileSystemEntries(directory).Select(Path.GetFileName).Except(harmless).FirstOrDefault() is { } foreign)
        {
            throw new FlowsException(ExitCode.Usage, $"{directory} is not a store, and not empty: it holds {foreign}; name an empty or a new directory.");
        }

        var held = Hold(directory);
        try
        {
            var manifest = fresh ? Manifest.Empty : Manifest.Read(directory);
            StoreFiles.Check(directory, manifest);
            if (fresh)
            {
                manifest.Write(directory);
            }

            var store = new FlowStore(directory, time, options, held, manifest);
            store.WriteViews();
            return store;
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Makes the records part of the store, with their edges; returns once they are durable. Records that are sealed already are passed
    /// over, so that a crash between sealing and trimming the log does no harm.
    /// </summary>
    public void Seal(IReadOnlyList<IntakeRecord> records)
    {
        lock (gate)
        {
            var fresh = records.Where(record => manifest.IntakePosition is not { } sealedTo || record.Position > sealedTo).ToList();
            if (fresh.Count == 0)
            {
                return;
            }

            var next = Named(manifest with { Sequence = manifest.Sequence + 1, IntakePosition = fresh.Max(record => record.Position) }, fresh);
            Stage(fresh);
            next = SealFlows(next);
            next = facts.Seal(next, fresh);
            next = merge.Fold(next, time.NowUs());
            engine.Execute($"CREATE OR REPLACE TEMP TABLE dirty AS SELECT DISTINCT unnest({rollup.BucketsOf("window_start")}) AS bucket FROM staging; DROP TABLE staging");
            Commit(RollUp(next));
            facts.Committed();
        }
    }

    /// <summary>Where the store stands now, from the manifest in memory.</summary>
    public StoreHealth Health
    {
        get
        {
            var now = Volatile.Read(ref manifest);
            var live = now.Tables.Values.SelectMany(table => table).ToList();
            return new(now.Sequence, now.FilesOf(StoreLayout.Flows).Sum(file => file.Rows), live.Count, live.Sum(file => file.Bytes));
        }
    }

    public void Dispose()
    {
        lock (gate)
        {
            engine.Dispose();
            held.Dispose();
        }
    }

    /// <summary>The lock is the kernel's, so it ends with the process however that ends.</summary>
    private static FileStream Hold(string directory)
    {
        try
        {
            return new FileStream(Path.Combine(directory, StoreLayout.Lock), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException taken)
        {
            throw new FlowsException(ExitCode.Failed, $"Another process writes the store {directory}; stop it, or name another directory.", taken);
        }
    }

    private void Stage(List<IntakeRecord> records)
    {
        engine.Execute(TableColumns.Flows.Create("staging"));
        foreach (var record in records)
        {
            if (record.Flows is { Length: > 0 } batch)
            {
                var ids = new UInt64Array.Builder().Reserve(batch.Length).AppendRange(Enumerable.Repeat(record.Id.Hash, batch.Length)).Build();
                var fields = batch.Schema.FieldsList.Append(new Field("batch_id", ids.Data.DataType, nullable: false));
                ArrowBridge.Append(engine.Connection, "staging", new RecordBatch(new Schema(fields, metadata: null), [.. batch.Arrays, ids], batch.Length));
            }
        }
    }

    private Manifest SealFlows(Manifest next)
    {
        foreach (var day in engine.Read("SELECT DISTINCT epoch_us(date_trunc('day', window_start)) FROM staging ORDER BY 1", row => row.GetInt64(0)))
        {
            var within = $"SELECT * FROM staging WHERE window_start >= {Engine.Time(day)} AND window_start < {Engine.Time(day + (1440 * UnixTime.Minute))}";
            var (min, max) = engine.Read($"SELECT epoch_us(min(window_start)), epoch_us(max(window_start)) FROM ({within})", row => (row.GetInt64(0), row.GetInt64(1)))[0];
            var file = files.Write(StoreLayout.Dated(StoreLayout.Flows, "seal", min, max, next.Sequence), within, FileMerge.FlowOrder, "window_start");
            next = next.With(StoreLayout.Flows, next.FilesOf(StoreLayout.Flows).Append(file!));
        }

        return next;
    }

    /// <summary>Rebuilds the buckets in table <c>dirty</c>; a file holds an hour, and the other buckets of the hour are copied.</summary>
    private Manifest RollUp(Manifest next)
    {
        var scopes = next.Scopes.Select(scope => $"({scope.Key}::UBIGINT, {Engine.Text(scope.Value)})").DefaultIfEmpty("(0::UBIGINT, '')");
        engine.Execute($"CREATE OR REPLACE TEMP TABLE scope_names AS SELECT * FROM (VALUES {string.Join(", ", scopes)}) t(scope_id, scope)");
        foreach (var hour in engine.Read("SELECT DISTINCT epoch_us(date_trunc('hour', bucket)) FROM dirty ORDER BY 1", row => row.GetInt64(0)))
        {
            next = RollUpHour(next, hour, hour + (60 * UnixTime.Minute));
        }

        return next;
    }

    private Manifest RollUpHour(Manifest next, long from, long to)
    {
        engine.Execute($"CREATE OR REPLACE TEMP TABLE every_dirty AS SELECT * FROM dirty; DELETE FROM dirty WHERE bucket < {Engine.Time(from)} OR bucket >= {Engine.Time(to)}");
        var (first, last) = engine.Read("SELECT epoch_us(min(bucket)), epoch_us(max(bucket)) FROM dirty", row => (row.GetInt64(0), row.GetInt64(1) + UnixTime.Minute))[0];
        var flows = Engine.Scan(directory, next.FilesOf(StoreLayout.Flows, first - rollup.MarginUs, last + rollup.MarginUs), TableColumns.Flows);
        rollup.Build(engine, flows, LayeredTable.Timeline.Scan(directory, next, first - rollup.MarginUs, last + rollup.MarginUs), first, last);

        var old = next.FilesOf(StoreLayout.Edges, from, to).ToList();
        var kept = $"SELECT * FROM {Engine.Scan(directory, old, TableColumns.Edges)} AS old ANTI JOIN dirty USING (bucket)";
        var names = string.Join(", ", TableColumns.Edges.All.Select(column => column.Name));
        var file = files.Write(
            StoreLayout.Dated(StoreLayout.Edges, "hour", from, to - 1, next.Sequence),
            $"SELECT {names} FROM rolled UNION ALL SELECT {names} FROM ({kept})",
            "bucket, src_entity, dst_entity, protocol, dst_port",
            "bucket");
        next = Replaced(next, StoreLayout.Edges, old, file);
        next = KeepStrangers(next, from);
        engine.Execute("CREATE OR REPLACE TEMP TABLE dirty AS SELECT * FROM every_dirty");
        return next;
    }

    /// <summary>Unknown peers are named once, in files beside the ledger's entities.</summary>
    private Manifest KeepStrangers(Manifest next, long hour)
    {
        var known = next.FilesOf(StoreLayout.Entities).Where(file => Path.GetFileName(file.Path).StartsWith("strangers", StringComparison.Ordinal)).ToList();
        var fresh = $"""
            SELECT DISTINCT entity AS entity_id, 'unknown' AS kind, scope, '' AS uid, '' AS cluster, '' AS namespace, address AS name, '' AS workload_kind, '' AS workload,
                '' AS node, false AS host_network, '{"{}"}' AS labels, '{"{}"}' AS selector
            FROM strangers ANTI JOIN (SELECT entity_id AS entity FROM {Engine.Scan(directory, known, TableColumns.Entities)}) USING (entity)
            """;
        var file = files.Write(StoreLayout.Plain(StoreLayout.Entities, $"strangers-{hour / UnixTime.Second}", next.Sequence), fresh, "entity_id", time: null);
        return file is null ? next : next.With(StoreLayout.Entities, next.FilesOf(StoreLayout.Entities).Append(file));
    }

    private Manifest Replaced(Manifest next, string table, List<StoreFile> old, StoreFile? file)
    {
        var now = time.NowUs();
        return next.With(table, [.. next.FilesOf(table).Except(old), .. file is null ? (StoreFile[])[] : [file]]) with
        {
            Superseded = [.. next.Superseded, .. old.Select(gone => new SupersededFile(gone.Path, now))],
        };
    }

    private static Manifest Named(Manifest next, List<IntakeRecord> records)
    {
        var nodes = next.Nodes.ToDictionary();
        var scopes = next.Scopes.ToDictionary();
        foreach (var record in records)
        {
            nodes[Manifest.Key(StableId.OfNode(record.Node))] = record.Node;
            scopes[Manifest.Key(StableId.OfScope(record.Scope))] = record.Scope;
        }

        return next with { Nodes = nodes, Scopes = scopes };
    }

    /// <summary>The swap. The files that the new state names are durable by now; the views follow, and are rewritten on open.</summary>
    private void Commit(Manifest next)
    {
        next = files.Sweep(next, time.NowUs(), options.SupersededGrace, orphans: false);
        var same = ReferenceEquals(next.Tables, manifest.Tables) && next.Nodes.Count == manifest.Nodes.Count && next.Scopes.Count == manifest.Scopes.Count;
        if (same)
        {
            // Nothing to see for a reader, such as the reports of nodes at rest: the log may be trimmed, and nobody need open anything anew.
            next = next with { Sequence = manifest.Sequence };
        }

        next.Write(directory);
        manifest = next;
        if (!same)
        {
            WriteViews();
        }
    }

    private void WriteViews() => Durable.Replace(Path.Combine(directory, StoreLayout.Views), System.Text.Encoding.UTF8.GetBytes(Views.Sql(manifest, prefix: "")));
}
