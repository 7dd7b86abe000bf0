using System.Globalization;
using DuckDB.NET.Data;
using Flows.Core;
using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.Core.Map;

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

    /// <summary>Edges over [since, until), one per distinct source, destination, service, protocol and ports, in a stable order.</summary>
    /// <remarks>Edges are kept by the minute: a minute counts if its begin is within the span, or the span begins within it.</remarks>
    public IReadOnlyList<Edge> Edges(long sinceUs, long untilUs)
    {
        var from = StoreLayout.ClampUs(sinceUs) / UnixTime.Minute * UnixTime.Minute;
        var entities = LedgerFiles.ReadEntities(engine, directory, manifest);
        return engine.Read(
            $"""
            SELECT src_entity, dst_entity, svc_entity, protocol, dst_port, svc_port, sum(connections)::BIGINT, sum(answered)::BIGINT, sum(refused)::BIGINT, sum(unanswered)::BIGINT,
                sum(direction_trusted)::BIGINT, sum(fwd_bytes)::BIGINT, sum(rev_bytes)::BIGINT, sum(fwd_packets)::BIGINT, sum(rev_packets)::BIGINT,
                epoch_us(min(first_seen)), epoch_us(max(last_seen)), array_to_string(node_names(list_distinct(flatten(list(nodes)))), chr(31)), max(src_resolved_by), max(dst_resolved_by),
                coalesce(sum(snat_unresolved), 0)::BIGINT
            FROM {Engine.Scan(directory, manifest.FilesOf(StoreLayout.Edges, from, untilUs), TableColumns.Edges)}
            WHERE bucket >= {Engine.Time(from)} AND bucket < {Engine.Time(untilUs)}
            GROUP BY src_entity, dst_entity, svc_entity, protocol, dst_port, svc_port
            ORDER BY src_entity, dst_entity, svc_entity NULLS FIRST, protocol, dst_port, svc_port NULLS FIRST
            """,
            row => EdgeOf(row, entities));
    }

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

    private static Edge EdgeOf(DuckDBDataReader row, Dictionary<ulong, Entity> entities) => new()
    {
        Src = entities[row.GetFieldValue<ulong>(0)],
        Dst = entities[row.GetFieldValue<ulong>(1)],
        Service = row.IsDBNull(2) ? null : entities[row.GetFieldValue<ulong>(2)],
        Protocol = row.GetFieldValue<byte>(3),
        DstPort = row.GetFieldValue<ushort>(4),
        ServicePort = row.IsDBNull(5) ? null : row.GetFieldValue<ushort>(5),
        Connections = row.GetInt64(6),
        Answered = row.GetInt64(7),
        Refused = row.GetInt64(8),
        Unanswered = row.GetInt64(9),
        DirectionTrusted = row.GetInt64(10),
        FwdBytes = row.GetInt64(11),
        RevBytes = row.GetInt64(12),
        FwdPackets = row.GetInt64(13),
        RevPackets = row.GetInt64(14),
        FirstSeenUs = row.GetInt64(15),
        LastSeenUs = row.GetInt64(16),
        Nodes = row.GetString(17).Split('\u001f'),
        SrcResolvedBy = (ResolvedBy)row.GetFieldValue<byte>(18),
        DstResolvedBy = (ResolvedBy)row.GetFieldValue<byte>(19),
        SnatUnresolved = row.GetInt64(20),
    };
}
