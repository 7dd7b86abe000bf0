using DuckDB.NET.Data;
using Flows.Core;
using Flows.Core.Facts;
using Flows.Core.Identity;

namespace Flows.Store;

/// <summary>Reads the ledger's files: its statements, and its entities as last known.</summary>
internal static class LedgerFiles
{
    /// <summary>Statements in the order learned.</summary>
    /// <param name="engine">Runs the query.</param>
    /// <param name="directory">Of the store.</param>
    /// <param name="manifest">Names the files.</param>
    /// <param name="which">SQL that restricts them, such as a WHERE clause; all without it.</param>
    public static List<IdentityInterval> Read(Engine engine, string directory, Manifest manifest, string which = "")
    {
        var labels = new Dictionary<string, IReadOnlyDictionary<string, string>>(StringComparer.Ordinal);
        return engine.Read(
            $"""
            SELECT * REPLACE (epoch_us(valid_from) AS valid_from, epoch_us(valid_to) AS valid_to, epoch_us(learned_at) AS learned_at, epoch_us(revoked_at) AS revoked_at)
            FROM (SELECT {TableColumns.Identities.List} FROM {Statements(directory, manifest)} AS said {which}) ORDER BY learned_at, interval_id, revoked_at, valid_to
            """,
            row => Statement(row, labels));
    }

    /// <summary>What was said about an address and the ranges around it, in any scope.</summary>
    public static List<IdentityInterval> ReadAbout(Engine engine, string directory, Manifest manifest, NetAddress address)
    {
        static string Blob(NetAddress one) => $"unhex('{Convert.ToHexString(one.ToBytes())}')";
        var ranges = Enumerable.Range(0, 128).Select(prefix => AddressRange.Of(address, (byte)prefix).First).Distinct().Select(Blob);
        return [.. Read(engine, directory, manifest, $"WHERE addr = {Blob(address)} OR (prefix_len < 128 AND addr IN ({string.Join(", ", ranges)}))")
            .Where(said => AddressRange.Of(said.Address, said.PrefixLength).Contains(address))];
    }

    public static string Statements(string directory, Manifest manifest) => Engine.Scan(directory, manifest.FilesOf(StoreLayout.Identities), TableColumns.Identities);

    /// <summary>The entities of the manifest's files, by id.</summary>
    public static Dictionary<ulong, Entity> ReadEntities(Engine engine, string directory, Manifest manifest)
    {
        Dictionary<ulong, Entity> entities = [];
        var labels = new Dictionary<string, IReadOnlyDictionary<string, string>>(StringComparer.Ordinal);
        var every = LayeredTable.Entities.Scan(directory, manifest);
        const string Columns = "entity_id, scope, kind, uid, cluster, namespace, name, workload_kind, workload, node, host_network, labels, selector, ports";
        foreach (var entity in engine.Read($"SELECT {Columns} FROM {every}", row => EntityOf(row, id: 0, kind: 2, scope: 1, uid: 3, ports: 13, labels)))
        {
            entities[entity.Id] = entity;
        }

        return entities;
    }

    private static IdentityInterval Statement(DuckDBDataReader row, Dictionary<string, IReadOnlyDictionary<string, string>> labels) => new()
    {
        IntervalId = row.GetFieldValue<ulong>(0),
        Entity = EntityOf(row, id: 1, kind: 5, scope: 2, uid: 6, ports: 22, labels),
        Address = NetAddress.FromBytes(Bytes(row, 3)),
        PrefixLength = row.GetFieldValue<byte>(4),
        ValidFromUs = row.GetInt64(16),
        ValidToUs = row.IsDBNull(17) ? null : row.GetInt64(17),
        LearnedAtUs = row.GetInt64(18),
        RevokedAtUs = row.IsDBNull(19) ? null : row.GetInt64(19),
        Origin = row.GetString(20),
        EndUncertain = !row.IsDBNull(21) && row.GetBoolean(21),
    };

    private static Entity EntityOf(DuckDBDataReader row, int id, int kind, int scope, int uid, int ports, Dictionary<string, IReadOnlyDictionary<string, string>> labels) => new()
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
        Labels = Cached(labels, row.GetString(uid + 8)),
        Selector = Cached(labels, row.GetString(uid + 9)),

        // Files of earlier versions have no such column.
        Ports = row.IsDBNull(ports) ? Entity.NoLabels : Cached(labels, row.GetString(ports)),
    };

    /// <summary>The pods of a workload have the same text, and need it read once.</summary>
    private static IReadOnlyDictionary<string, string> Cached(Dictionary<string, IReadOnlyDictionary<string, string>> known, string json) =>
        known.TryGetValue(json, out var labels) ? labels : known[json] = LabelsJson.Read(json);

    internal static byte[] Bytes(DuckDBDataReader row, int column)
    {
        using var stream = row.GetStream(column);
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }
}
