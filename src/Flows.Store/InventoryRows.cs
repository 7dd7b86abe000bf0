using DuckDB.NET.Data;
using Flows.Core.Facts;
using Flows.Core.Identity;

namespace Flows.Store;

/// <summary>Reads back what inventories said about services, their backends and other objects and what still holds.</summary>
internal sealed class InventoryRows(Engine engine, string directory)
{
    /// <summary>What was said last about each interval that is not over, of one address scope and one cluster.</summary>
    public InventoryNews Open(Manifest manifest, string cluster, string scope) => new()
    {
        ServicePorts = engine.Read(OpenRows(manifest, StoreLayout.ServicePorts, $"scope = {Engine.Text(scope)}"), Port),
        Backends = engine.Read(OpenRows(manifest, StoreLayout.Backends, $"scope = {Engine.Text(scope)}"), BackendOf),
        Objects = engine.Read(OpenRows(manifest, StoreLayout.ClusterObjects, $"cluster = {Engine.Text(cluster)}"), Object),
    };

    /// <summary>The objects that stood at a moment, of these kinds or of all, in a stable order.</summary>
    public List<ClusterObject> ObjectsAt(Manifest manifest, long atUs, IReadOnlyList<string> kinds)
    {
        var columns = TableColumns.ClusterObjects;
        var of = kinds.Count == 0 ? "true" : $"kind IN ({string.Join(", ", kinds.Select(Engine.Text))})";
        return engine.Read(
            $"""
            SELECT {columns.List} FROM (SELECT * FROM {Engine.Scan(directory, manifest.FilesOf(StoreLayout.ClusterObjects), columns)} WHERE {of}
                QUALIFY row_number() OVER (PARTITION BY interval_id ORDER BY learned_at DESC, valid_to NULLS LAST) = 1)
            WHERE valid_from <= {Engine.Time(atUs)} AND (valid_to IS NULL OR valid_to > {Engine.Time(atUs)})
            ORDER BY cluster, kind, namespace, name, valid_from
            """,
            Object);
    }

    private string OpenRows(Manifest manifest, string table, string where)
    {
        var columns = TableColumns.Of(table);
        return $"""
            SELECT {columns.List} FROM
                (SELECT * FROM {Engine.Scan(directory, manifest.FilesOf(table), columns)} WHERE {where} QUALIFY row_number() OVER (PARTITION BY interval_id ORDER BY learned_at DESC) = 1)
            WHERE valid_to IS NULL
            """;
    }

    private static long Us(DuckDBDataReader row, int column) => (row.GetDateTime(column).Ticks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;

    private static ServicePort Port(DuckDBDataReader row) => new()
    {
        IntervalId = row.GetFieldValue<ulong>(0),
        ServiceId = row.GetFieldValue<ulong>(1),
        Scope = row.GetString(2),
        Protocol = row.GetFieldValue<byte>(3),
        Port = row.GetFieldValue<ushort>(4),
        Name = row.GetString(5),
        TargetPort = row.GetString(6),
        NodePort = row.GetFieldValue<ushort>(7),
        ValidFromUs = Us(row, 8),
        LearnedAtUs = Us(row, 10),
    };

    private static Backend BackendOf(DuckDBDataReader row) => new()
    {
        IntervalId = row.GetFieldValue<ulong>(0),
        ServiceId = row.GetFieldValue<ulong>(1),
        Scope = row.GetString(2),
        Address = NetAddress.FromBytes(LedgerFiles.Bytes(row, 3)),
        Protocol = row.GetFieldValue<byte>(4),
        Port = row.GetFieldValue<ushort>(5),
        PortName = row.GetString(6),
        TargetId = row.GetFieldValue<ulong>(7),
        Ready = row.GetBoolean(8),
        Serving = row.GetBoolean(9),
        Terminating = row.GetBoolean(10),
        ValidFromUs = Us(row, 11),
        LearnedAtUs = Us(row, 13),
    };

    private static ClusterObject Object(DuckDBDataReader row) => new()
    {
        IntervalId = row.GetFieldValue<ulong>(0),
        Cluster = row.GetString(1),
        Kind = row.GetString(2),
        Namespace = row.GetString(3),
        Name = row.GetString(4),
        Uid = row.GetString(5),
        Json = row.GetString(6),
        ValidFromUs = Us(row, 7),
        LearnedAtUs = Us(row, 9),
    };
}
