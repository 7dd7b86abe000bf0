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
    // What one step of rolling up takes from files: about what one seal brings, and 300 MiB of work.
    private const long StepRowsMax = 500_000;

    // Edges wait for at most so many rows of a backlog.
    private const long UnrolledRowsMax = 2_000_000;

    // Below it a file of edges costs as much as an empty one.
    private const long SmallFileRows = 8_192;
    private const long Hour = 60 * UnixTime.Minute;

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
            store.RollUp();
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
    /// <param name="records">In the order of the log.</param>
    /// <param name="more">More follow at once: the edges may wait for them, so that the hour that they share is written once.</param>
    public void Seal(IReadOnlyList<IntakeRecord> records, bool more = false)
    {
        lock (gate)
        {
            var fresh = records.Where(record => manifest.IntakePosition is not { } sealedTo || record.Position > sealedTo).ToList();
            if (fresh.Count == 0)
            {
                return;
            }

            var next = Named(manifest with { Sequence = manifest.Sequence + 1, IntakePosition = fresh.Max(record => record.Position) }, fresh);
            next = SealFlows(next, fresh);
            next = facts.Seal(next, fresh);

            // What reports tell may touch edges that are rolled up already, and is known here only.
            var wait = more && facts.ToldSinceUs is null && Unrolled(next).Sum(file => file.Rows) < UnrolledRowsMax;
            Commit(wait ? next : RollUpUnrolled(next, facts.ToldSinceUs));
            facts.Committed();
        }
    }

    /// <summary>Brings the edges up to the facts, where a seal that expected more has left them behind.</summary>
    public void RollUp()
    {
        lock (gate)
        {
            if (manifest.Unrolled is not null)
            {
                Commit(RollUpUnrolled(manifest with { Sequence = manifest.Sequence + 1 }, toldSinceUs: null));
            }
        }
    }

    /// <summary>The address scopes of the flows and of the ledger.</summary>
    public IReadOnlyCollection<string> Scopes => [.. Volatile.Read(ref manifest).Scopes.Values];

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

    /// <summary>Writes a file for each day.</summary>
    private Manifest SealFlows(Manifest next, List<IntakeRecord> records)
    {
        List<StoreFile> fresh = [];
        foreach (var day in ArrivedDay.Of(records))
        {
            // Not sorted: rows come in the order in which windows ended, which is nearly that of time, and merging sorts them.
            ArrowBridge.Show(engine.Connection, "arrived", day.Batches, () => fresh.Add(files.Copy(
                StoreLayout.Dated(StoreLayout.Flows, "seal", day.MinUs, day.MaxUs, next.Sequence),
                "SELECT * FROM arrived",
                order: null,
                day.Rows,
                day.MinUs,
                day.MaxUs)));
        }

        return fresh.Count == 0 ? next : next.With(StoreLayout.Flows, next.FilesOf(StoreLayout.Flows).Concat(fresh)) with
        {
            Unrolled = [.. next.Unrolled ?? [], .. fresh.Select(file => file.Path)],
        };
    }

    private static IEnumerable<StoreFile> Unrolled(Manifest next) => next.FilesOf(StoreLayout.Flows).Where(file => next.Unrolled?.Contains(file.Path) == true);

    /// <summary>Rebuilds the buckets that rows of unrolled files touch. Until then these files are not merged with others.</summary>
    /// <param name="next">The state.</param>
    /// <param name="toldSinceUs">Since when the facts sealed just now tell of sockets and names; null where they do not.</param>
    private Manifest RollUpUnrolled(Manifest next, long? toldSinceUs)
    {
        engine.Execute($"CREATE OR REPLACE TEMP TABLE dirty AS {rollup.AllBucketsOf(Engine.Scan(directory, Unrolled(next), TableColumns.Flows))}");
        if (toldSinceUs is { } sinceUs)
        {
            dirty.MarkTold(next, sinceUs);
        }

        return RollUp(merge.Fold(next, time.NowUs())) with { Unrolled = null };
    }

    /// <summary>
    /// Rebuilds the buckets in table <c>dirty</c>: as many hours at once as one step may hold rows, since each statement has its price even where
    /// there is little to do, and a capture may be spread over thousands of hours.
    /// </summary>
    private Manifest RollUp(Manifest next)
    {
        var scopes = next.Scopes.Select(scope => $"({scope.Key}::UBIGINT, {Engine.Text(scope.Value)})").DefaultIfEmpty("(0::UBIGINT, '')");
        engine.Execute($"CREATE OR REPLACE TEMP TABLE scope_names AS SELECT * FROM (VALUES {string.Join(", ", scopes)}) t(scope_id, scope)");
        engine.Execute("ALTER TABLE dirty RENAME TO every_dirty");
        var hours = new Queue<(long Us, long First, long Last)>(engine.Read(
            "SELECT epoch_us(date_trunc('hour', bucket)) AS hour, epoch_us(min(bucket)), epoch_us(max(bucket)) FROM every_dirty GROUP BY 1 ORDER BY 1",
            row => (row.GetInt64(0), row.GetInt64(1), row.GetInt64(2) + UnixTime.Minute)));
        for (var part = 0; hours.Count > 0; part++)
        {
            List<(long Us, long First, long Last)> some = [];
            HashSet<StoreFile> flows = [];
            while (hours.TryPeek(out var hour))
            {
                var more = next.FilesOf(StoreLayout.Flows, hour.First - rollup.MarginUs, hour.Last + rollup.MarginUs).Where(file => !flows.Contains(file)).ToList();
                if (some.Count > 0 && flows.Sum(file => file.Rows) + more.Sum(file => file.Rows) > StepRowsMax)
                {
                    break;
                }

                flows.UnionWith(more);
                some.Add(hours.Dequeue());
            }

            engine.Execute($"CREATE OR REPLACE TEMP TABLE dirty AS SELECT * FROM every_dirty WHERE bucket >= {Engine.Time(some[0].First)} AND bucket < {Engine.Time(some[^1].Last)}");
            rollup.Build(
                engine,
                Engine.Scan(directory, flows, TableColumns.Flows),
                ScansOf(next, some[0].First - rollup.MarginUs, some[^1].Last + rollup.MarginUs),
                some[0].First,
                some[^1].Last);
            next = WriteEdges(next, [.. some.Select(hour => hour.Us)], part);
            next = KeepStrangers(next, some[0].Us);
        }

        engine.Execute("DROP TABLE every_dirty");
        return next;
    }

    /// <summary>Where to read who somebody was from one time to another.</summary>
    private NameScans ScansOf(Manifest state, long fromUs, long toUs) => new(
        LayeredTable.Timeline.Scan(directory, state, fromUs, toUs),
        LayeredTable.Entities.Scan(directory, state),
        Engine.Scan(directory, state.FilesOf(StoreLayout.Owners), TableColumns.Owners),
        Engine.Scan(directory, state.FilesOf(StoreLayout.Names), TableColumns.Names),
        Engine.Scan(directory, state.FilesOf(StoreLayout.ServicePorts), TableColumns.ServicePorts));

    /// <summary>
    /// Writes <c>rolled</c> in place of the buckets in <c>dirty</c>. A file holds whole hours of one day, several only where they are so small that to
    /// write one alone costs as much; their other buckets are copied.
    /// </summary>
    private Manifest WriteEdges(Manifest next, List<long> hours, int part)
    {
        var old = hours.SelectMany(hour => next.FilesOf(StoreLayout.Edges, hour, hour + Hour)).Distinct().ToList();
        var names = string.Join(", ", TableColumns.Edges.All.Select(column => column.Name));
        var rows = $"SELECT {names} FROM rolled UNION ALL SELECT {names} FROM {Engine.Scan(directory, old, TableColumns.Edges)} AS old ANTI JOIN dirty USING (bucket)";
        List<StoreFile> written = [];
        List<(long Us, long Rows, long MinUs, long MaxUs)> some = [];
        foreach (var hour in engine.Read(
            $"SELECT epoch_us(date_trunc('hour', bucket)) AS hour, count(*), epoch_us(min(bucket)), epoch_us(max(bucket)) FROM ({rows}) GROUP BY 1 ORDER BY 1",
            row => (row.GetInt64(0), row.GetInt64(1), row.GetInt64(2), row.GetInt64(3))))
        {
            if (some.Count > 0 && (some.Sum(one => one.Rows) + hour.Item2 > SmallFileRows || UnixTime.FromUs(some[0].Us).Date != UnixTime.FromUs(hour.Item1).Date))
            {
                WriteHours();
            }

            some.Add(hour);
        }

        if (some.Count > 0)
        {
            WriteHours();
        }

        return Replaced(next, StoreLayout.Edges, old, written);

        void WriteHours()
        {
            var (from, to) = (some[0].Us, some[^1].Us + Hour);
            written.Add(files.Copy(
                StoreLayout.Dated(StoreLayout.Edges, $"hour{part}", from, to - 1, next.Sequence),
                $"SELECT * FROM ({rows}) WHERE bucket >= {Engine.Time(from)} AND bucket < {Engine.Time(to)}",
                "bucket, src_entity, dst_entity, protocol, dst_port",
                some.Sum(hour => hour.Rows),
                some[0].MinUs,
                some[^1].MaxUs));
            some.Clear();
        }
    }

    /// <summary>Peers that no inventory names are named once, in files beside the ledger's entities.</summary>
    private Manifest KeepStrangers(Manifest next, long hour)
    {
        var known = next.FilesOf(StoreLayout.Entities).Where(file => Path.GetFileName(file.Path).StartsWith("strangers", StringComparison.Ordinal)).ToList();
        var fresh = $"""
            SELECT DISTINCT entity AS entity_id, kind, scope, uid, '' AS cluster, '' AS namespace, name, '' AS workload_kind, '' AS workload,
                '' AS node, false AS host_network, '{"{}"}' AS labels, '{"{}"}' AS selector, '{"{}"}' AS ports
            FROM strangers ANTI JOIN (SELECT entity_id AS entity FROM {Engine.Scan(directory, known, TableColumns.Entities)}) USING (entity)
            """;
        var file = files.Write(StoreLayout.Plain(StoreLayout.Entities, $"strangers-{hour / UnixTime.Second}", next.Sequence), fresh, "entity_id", time: null);
        return file is null ? next : next.With(StoreLayout.Entities, next.FilesOf(StoreLayout.Entities).Append(file));
    }

    private Manifest Replaced(Manifest next, string table, List<StoreFile> old, List<StoreFile> written)
    {
        var now = time.NowUs();
        return next.With(table, [.. next.FilesOf(table).Except(old), .. written]) with
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
