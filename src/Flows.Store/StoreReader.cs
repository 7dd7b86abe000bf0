using System.Globalization;
using DuckDB.NET.Data;
using Flows.Core;
using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.Core.Map;
using Flows.Core.Policy;

namespace Flows.Store;

/// <summary>Answers questions about the sealed files of a store, as they were when it was opened. Not thread safe.</summary>
public sealed class StoreReader : IDisposable
{
    private readonly string directory;
    private readonly Manifest manifest;
    private readonly Engine engine;

    private StoreReader(string directory, Manifest manifest, Engine engine)
    {
        this.directory = directory;
        this.manifest = manifest;
        this.engine = engine;
        engine.Execute(Views.Sql(manifest, directory));
    }

    /// <summary>The engine with the store's views, for <see cref="SqlRunner"/>.</summary>
    internal Engine Engine => engine;

    /// <summary>Opens the store's current state. It stays readable for the writer's grace, five minutes unless set, after it is superseded.</summary>
    /// <exception cref="FlowsException">There is no store in the directory, or it is damaged.</exception>
    public static StoreReader Open(string directory)
    {
        directory = Path.GetFullPath(directory);
        var manifest = Manifest.Read(directory);
        StoreFiles.Check(directory, manifest);

        return Open(directory, manifest);
    }

    private static StoreReader Open(string directory, Manifest manifest)
    {
        // Half of what is there: other readers and the writer want to live, and a question that needs more spills or fails alone.
        var memoryMaxMib = (int)Math.Clamp(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 2 / 1024 / 1024, 256, 4096);
        var engine = Engine.Start(memoryMaxMib, Math.Clamp(Environment.ProcessorCount, 1, 8), Path.Combine(Path.GetTempPath(), "flows-spill"));
        try
        {
            return new StoreReader(directory, manifest, engine);
        }
        catch
        {
            engine.Dispose();
            throw;
        }
    }

    /// <summary>Another reader of the same state, for a thread of its own.</summary>
    public StoreReader Beside() => Open(directory, manifest);

    /// <summary>Edges over [since, until), one per distinct source, destination, service, protocol and ports, in a stable order.</summary>
    /// <remarks>Edges are kept by the minute: a minute counts if its begin is within the span, or the span begins within it.</remarks>
    public IReadOnlyList<Edge> Edges(long sinceUs, long untilUs) => Edges(sinceUs, untilUs, LabelHistory.None);

    /// <summary>As the other, with ends as they were: an entity that changed in the span has an edge for each of its versions that was seen.</summary>
    public IReadOnlyList<Edge> Edges(long sinceUs, long untilUs, LabelHistory history) =>
        new EdgeQuery(engine, directory, manifest).Read(sinceUs, untilUs, history, hours: false).Edges;

    /// <summary>As the other, with the hours in which edges were used and nodes reported.</summary>
    public EdgesSeen Seen(long sinceUs, long untilUs, LabelHistory history) => new EdgeQuery(engine, directory, manifest).Read(sinceUs, untilUs, history, hours: true);

    /// <summary>The hours since then that have edges, each with a text that changes with them.</summary>
    public IReadOnlyDictionary<long, string> EdgeHours(long sinceUs) => EdgeQuery.Hours(manifest, sinceUs);

    /// <summary>The objects of clusters that stood at a moment, such as namespaces and policies; of these kinds (<c>apiVersion/kind</c>), or of all without any.</summary>
    public IReadOnlyList<ClusterObject> ClusterObjects(long atUs, params string[] kinds) => new InventoryRows(engine, directory).ObjectsAt(manifest, atUs, kinds);

    /// <summary>What sources said that they did not see within [since, until), a sentence each, at most a hundred.</summary>
    public IReadOnlyList<string> Gaps(long sinceUs, long untilUs) => engine.Read(
        $"""
        SELECT node || ' saw ' || source || ' ' || level || coalesce(' (' || aspect || ')', '') || ' since ' || strftime(since, '%Y-%m-%dT%H:%M:%SZ')
            || coalesce(' until ' || strftime(until, '%Y-%m-%dT%H:%M:%SZ'), '') || coalesce(': ' || detail, '')
        FROM gaps WHERE since < {Engine.Time(untilUs)} AND (until IS NULL OR until > {Engine.Time(sinceUs)}) ORDER BY since, node, source, aspect LIMIT 100
        """,
        row => row.GetString(0));

    /// <summary>Every statement of the ledger, in the order learned.</summary>
    public IReadOnlyList<IdentityInterval> Identities() => LedgerFiles.Read(engine, directory, manifest);

    /// <summary>What was ever said about an address and the ranges around it, in the order learned.</summary>
    public IReadOnlyList<IdentityInterval> IdentitiesAbout(NetAddress address) => LedgerFiles.ReadAbout(engine, directory, manifest, address);

    /// <summary>Every entity that the ledger or an edge names, as last known, ordered by id; unknown peers and ambiguous ones too.</summary>
    public IReadOnlyList<Entity> Entities() => [.. LedgerFiles.ReadEntities(engine, directory, manifest).Values.OrderBy(entity => entity.Id)];

    /// <summary>Answers one of the fixed questions over [since, until), at most <paramref name="limit"/> rows.</summary>
    public QueryResult Run(NamedQuery query, long sinceUs, long untilUs, int limit)
    {
        using var command = engine.Connection.CreateCommand();
        command.CommandText = query.Sql
            .Replace("$since", Engine.Time(sinceUs), StringComparison.Ordinal)
            .Replace("$until", Engine.Time(untilUs), StringComparison.Ordinal)
            .Replace("$limit", Math.Max(limit, 0).ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);
        using var reader = command.ExecuteReader();
        List<object?[]> rows = [];
        while (reader.Read())
        {
            rows.Add([.. Enumerable.Range(0, reader.FieldCount).Select(i => Cell(reader, i))]);
        }

        return new QueryResult([.. Enumerable.Range(0, reader.FieldCount).Select(reader.GetName)], rows);
    }

    public void Dispose() => engine.Dispose();

    /// <summary>The engine's times carry no zone; the store's are UTC.</summary>
    private static object? Cell(DuckDBDataReader reader, int column) =>
        reader.IsDBNull(column) ? null
        : reader.GetValue(column) is var value and not DateTime ? value
        : DateTime.SpecifyKind(reader.GetDateTime(column), DateTimeKind.Utc);
}
