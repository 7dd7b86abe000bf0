using DuckDB.NET.Data;
using Flows.Core;
using Flows.Core.Facts;
using Flows.Core.Identity;

namespace Flows.Store;

/// <summary>The ledger in files: its statements (only ever added to), the timeline compiled from them, and its entities as last known.</summary>
internal static class LedgerFiles
{
    /// <summary>Every statement, in the order learned.</summary>
    public static List<IdentityInterval> Read(Engine engine, string directory, Manifest manifest) => engine.Read(
        $"""
        SELECT * REPLACE (epoch_us(valid_from) AS valid_from, epoch_us(valid_to) AS valid_to, epoch_us(learned_at) AS learned_at, epoch_us(revoked_at) AS revoked_at)
        FROM {Engine.Scan(directory, manifest.FilesOf(StoreLayout.Identities), TableColumns.Identities)} ORDER BY learned_at, interval_id, revoked_at, valid_to
        """,
        Statement);

    /// <summary>The entities of the manifest's files, by id.</summary>
    public static Dictionary<ulong, Entity> ReadEntities(Engine engine, string directory, Manifest manifest)
    {
        Dictionary<ulong, Entity> entities = [];
        var every = Engine.Scan(directory, manifest.FilesOf(StoreLayout.Entities), TableColumns.Entities);
        const string Columns = "entity_id, scope, kind, uid, cluster, namespace, name, workload_kind, workload, node, host_network, labels, selector";
        foreach (var entity in engine.Read($"SELECT {Columns} FROM {every}", row => EntityOf(row, 0, 1, 2, 3)))
        {
            entities[entity.Id] = entity;
        }

        return entities;
    }

    /// <summary>Adds the statements, and replaces timeline and entities.</summary>
    public static Manifest Write(Engine engine, StoreFiles files, Manifest next, IReadOnlyList<IdentityInterval> statements, List<IdentityInterval> all, List<TimelineRow> timeline, long nowUs)
    {
        RowWriter.Identities(engine, "stated", statements);
        var stated = files.Write(StoreLayout.Plain(StoreLayout.Identities, "seal", next.Sequence), "SELECT * FROM stated", "learned_at, interval_id", "learned_at");
        next = next.With(StoreLayout.Identities, next.FilesOf(StoreLayout.Identities).Append(stated!));

        RowWriter.Timeline(engine, "spans", timeline);
        var spans = files.Write(StoreLayout.Plain(StoreLayout.TimelineTable, "all", next.Sequence), "SELECT * FROM spans", "scope_id, addr_lo, valid_from", time: null);
        next = Replace(next, StoreLayout.TimelineTable, next.FilesOf(StoreLayout.TimelineTable), spans, nowUs);

        var latest = all.OrderBy(statement => statement.LearnedAtUs).GroupBy(statement => statement.Entity.Id).Select(versions => versions.Last().Entity);
        RowWriter.Entities(engine, "latest", latest.Concat(timeline.Select(row => row.Entity).Where(entity => entity.Kind == EntityKind.Ambiguous)).DistinctBy(entity => entity.Id));
        var entities = files.Write(StoreLayout.Plain(StoreLayout.Entities, "ledger", next.Sequence), "SELECT * FROM latest", "entity_id", time: null);
        var old = next.FilesOf(StoreLayout.Entities).Where(file => Path.GetFileName(file.Path).StartsWith("ledger", StringComparison.Ordinal)).ToList();
        var scopes = next.Scopes.ToDictionary();
        foreach (var scope in all.Select(statement => statement.Entity.Scope).Distinct())
        {
            scopes[Manifest.Key(StableId.OfScope(scope))] = scope;
        }

        return Replace(next with { Scopes = scopes }, StoreLayout.Entities, old, entities, nowUs);
    }

    /// <summary>SQL that fills <c>dirty</c> with the buckets in which an address of table <c>changed</c> spoke within a changed span.</summary>
    public static string DirtyBuckets(string flows, EdgeRollup rollup) => $"""
        CREATE OR REPLACE TEMP TABLE dirty AS
        WITH spoken AS (
            SELECT scope_id, unnest([src_addr, dst_addr, nat_dst_addr]) AS spoken_addr, unnest([bucket, bucket, bucket]) AS bucket
            FROM (SELECT DISTINCT scope_id, src_addr, dst_addr, nat_dst_addr, unnest({rollup.BucketsOf("window_start")}) AS bucket FROM {flows})),
        once AS (SELECT DISTINCT scope_id, spoken_addr, bucket FROM spoken WHERE spoken_addr IS NOT NULL)
        SELECT DISTINCT o.bucket FROM once o JOIN changed c ON c.scope_id = o.scope_id AND c.addr_lo = o.spoken_addr AND c.prefix_len = 128
            AND o.bucket + INTERVAL 2 MINUTE > c.valid_from AND (c.valid_to IS NULL OR o.bucket - INTERVAL 1 MINUTE < c.valid_to)
        UNION
        SELECT DISTINCT o.bucket FROM once o JOIN changed c ON c.scope_id = o.scope_id AND c.prefix_len < 128 AND o.spoken_addr >= c.addr_lo AND o.spoken_addr <= c.addr_hi
            AND o.bucket + INTERVAL 2 MINUTE > c.valid_from AND (c.valid_to IS NULL OR o.bucket - INTERVAL 1 MINUTE < c.valid_to)
        """;

    private static Manifest Replace(Manifest next, string table, IReadOnlyList<StoreFile> old, StoreFile? file, long nowUs) =>
        next.With(table, [.. next.FilesOf(table).Except(old), .. file is null ? (StoreFile[])[] : [file]]) with
        {
            Superseded = [.. next.Superseded, .. old.Select(gone => new SupersededFile(gone.Path, nowUs))],
        };

    private static IdentityInterval Statement(DuckDBDataReader row) => new()
    {
        IntervalId = row.GetFieldValue<ulong>(0),
        Entity = EntityOf(row, id: 1, scope: 2, kind: 5, uid: 6),
        Address = NetAddress.FromBytes(Bytes(row, 3)),
        PrefixLength = row.GetFieldValue<byte>(4),
        ValidFromUs = row.GetInt64(16),
        ValidToUs = row.IsDBNull(17) ? null : row.GetInt64(17),
        LearnedAtUs = row.GetInt64(18),
        RevokedAtUs = row.IsDBNull(19) ? null : row.GetInt64(19),
        Origin = row.GetString(20),
    };

    private static Entity EntityOf(DuckDBDataReader row, int id, int scope, int kind, int uid) => new()
    {
        Id = row.GetFieldValue<ulong>(id),
        Scope = row.GetString(scope),
        Kind = Entity.KindOf(row.GetString(kind)) ?? EntityKind.Unknown,
        Uid = row.GetString(uid),
        Cluster = row.GetString(uid + 1),
        Namespace = row.GetString(uid + 2),
        Name = row.GetString(uid + 3),
        WorkloadKind = row.GetString(uid + 4),
        Workload = row.GetString(uid + 5),
        Node = row.GetString(uid + 6),
        HostNetwork = row.GetBoolean(uid + 7),
        Labels = LabelsJson.Read(row.GetString(uid + 8)),
        Selector = LabelsJson.Read(row.GetString(uid + 9)),
    };

    private static byte[] Bytes(DuckDBDataReader row, int column)
    {
        using var stream = row.GetStream(column);
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }
}
