using DuckDB.NET.Data;
using Flows.Core;
using Flows.Core.Identity;
using Flows.Core.Map;
using Flows.Core.Policy;

namespace Flows.Store;

/// <summary>Reads the edges of a span, summed over it, with their ends as last known or as they were.</summary>
internal sealed class EdgeQuery(Engine engine, string directory, Manifest manifest)
{
    private const long Hour = 60 * UnixTime.Minute;

    // Lists of nodes are joined last: an edge has few different ones, and to gather one for each minute takes most of the time.
    private static readonly string Sums = string.Join(", ", ((string[])
    [
        "connections", "answered", "refused", "unanswered", "direction_trusted", "fwd_bytes", "rev_bytes", "fwd_packets", "rev_packets", "snat_unresolved",
    ]).Select(column => $"coalesce(sum({column}), 0)::BIGINT AS {column}"));

    // Thousands of edges were seen by the same nodes.
    private readonly Dictionary<string, string[]> nodes = new(StringComparer.Ordinal);

    /// <param name="onlyChanging">Leaves out the edges of which no end has versions.</param>
    public List<Edge> Read(long sinceUs, long untilUs, LabelHistory history, bool onlyChanging = false)
    {
        var from = StoreLayout.ClampUs(sinceUs) / UnixTime.Minute * UnixTime.Minute;
        var entities = LedgerFiles.ReadEntities(engine, directory, manifest);
        var changing = history.Changing.Count > 0;
        if (changing)
        {
            RowWriter.Versions(engine, "versions", history);
        }

        var scan = Engine.Scan(directory, manifest.FilesOf(StoreLayout.Edges, from, untilUs), TableColumns.Edges);
        var rows = $"(SELECT * FROM {scan} WHERE bucket >= {Engine.Time(from)} AND bucket < {Engine.Time(untilUs)})";
        var edges = engine.Read(
            $"""
            SELECT src_entity, dst_entity, svc_entity, protocol, dst_port, svc_port, {Sums}, epoch_us(min(first_seen)), epoch_us(max(last_seen)),
                array_to_string(node_names(list_distinct(flatten(list(nodes)))), chr(31)), max(src_resolved_by), max(dst_resolved_by), src_version, dst_version
            FROM (
                SELECT src_entity, dst_entity, svc_entity, protocol, dst_port, svc_port, src_version, dst_version, nodes, {Sums}, min(first_seen) AS first_seen,
                    max(last_seen) AS last_seen, max(src_resolved_by) AS src_resolved_by, max(dst_resolved_by) AS dst_resolved_by
                FROM {(changing ? AsOf(rows, onlyChanging) : $"(SELECT *, -1 AS src_version, -1 AS dst_version FROM {rows})")}
                GROUP BY src_entity, dst_entity, svc_entity, protocol, dst_port, svc_port, src_version, dst_version, nodes)
            GROUP BY src_entity, dst_entity, svc_entity, protocol, dst_port, svc_port, src_version, dst_version
            ORDER BY src_entity, dst_entity, svc_entity NULLS FIRST, protocol, dst_port, svc_port NULLS FIRST, src_version, dst_version
            """,
            row => EdgeOf(row, entities, history));
        if (changing)
        {
            engine.Execute("DROP TABLE versions");
        }

        return edges;
    }

    /// <summary>The hours since then that have edges, each with the names of the files that hold them: a file is never changed.</summary>
    public static Dictionary<long, string> Hours(Manifest manifest, long sinceUs)
    {
        Dictionary<long, string> hours = [];
        foreach (var file in manifest.FilesOf(StoreLayout.Edges, sinceUs, long.MaxValue))
        {
            for (var hour = Math.Max(file.MinUs, sinceUs) / Hour * Hour; hour <= file.MaxUs; hour += Hour)
            {
                hours[hour] = $"{hours.GetValueOrDefault(hour)}{file.Path} ";
            }
        }

        return hours;
    }

    /// <summary>The rows with the number of the version that each end was then; few entities change, so that this joins against little.</summary>
    private static string AsOf(string rows, bool onlyChanging) => $"""
        (SELECT e.*, coalesce(s.version, -1) AS src_version, coalesce(d.version, -1) AS dst_version
        FROM {rows} e
        LEFT JOIN versions s ON s.entity_id = e.src_entity AND e.bucket >= s.valid_from AND e.bucket < s.valid_to
        LEFT JOIN versions d ON d.entity_id = e.dst_entity AND e.bucket >= d.valid_from AND e.bucket < d.valid_to
        {(onlyChanging ? "WHERE s.version IS NOT NULL OR d.version IS NOT NULL" : "")})
        """;

    private Edge EdgeOf(DuckDBDataReader row, Dictionary<ulong, Entity> entities, LabelHistory history) => new()
    {
        Src = Version(row.GetFieldValue<ulong>(0), row.GetInt32(21), entities, history),
        Dst = Version(row.GetFieldValue<ulong>(1), row.GetInt32(22), entities, history),
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
        SnatUnresolved = row.GetInt64(15),
        FirstSeenUs = row.GetInt64(16),
        LastSeenUs = row.GetInt64(17),
        Nodes = NodesOf(row.GetString(18)),
        SrcResolvedBy = (ResolvedBy)row.GetFieldValue<byte>(19),
        DstResolvedBy = (ResolvedBy)row.GetFieldValue<byte>(20),
    };

    private static Entity Version(ulong id, int version, Dictionary<ulong, Entity> entities, LabelHistory history) =>
        version < 0 ? entities[id] : history.Changing[id][version].Entity;

    private string[] NodesOf(string text)
    {
        if (!nodes.TryGetValue(text, out var names))
        {
            nodes[text] = names = text.Split('\u001f');
        }

        return names;
    }
}
