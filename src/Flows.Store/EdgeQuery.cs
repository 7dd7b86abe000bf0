using DuckDB.NET.Data;
using Flows.Core;
using Flows.Core.Identity;
using Flows.Core.Map;
using Flows.Core.Policy;

namespace Flows.Store;

/// <summary>What was seen in a span.</summary>
/// <param name="Edges">One per distinct source, destination, service, protocol and ports, in a stable order.</param>
/// <param name="Reports">The hours in which each node (by name) saw anything; empty unless hours were asked for.</param>
public sealed record EdgesSeen(IReadOnlyList<Edge> Edges, IReadOnlyDictionary<string, HourSet> Reports);

/// <summary>Reads the edges of a span, summed over it, with their ends as last known or as they were.</summary>
internal sealed class EdgeQuery(Engine engine, string directory, Manifest manifest)
{
    private const long Hour = 60 * UnixTime.Minute;

    private const string Key = "src_entity, dst_entity, svc_entity, protocol, dst_port, svc_port, src_version, dst_version";

    private static readonly string[] Summed =
    [
        "connections", "answered", "refused", "unanswered", "direction_trusted", "fwd_bytes", "rev_bytes", "fwd_packets", "rev_packets", "snat_unresolved",
    ];

    private static readonly string Sums = string.Join(", ", Summed.Select(column => $"coalesce(sum({column}), 0)::BIGINT AS {column}"));

    /// <param name="sinceUs">Begin of the span.</param>
    /// <param name="untilUs">Its end, exclusive.</param>
    /// <param name="history">Entities that were different at different times: each version has edges of its own.</param>
    /// <param name="hours">Whether the hours are wanted, in which edges were used and nodes reported.</param>
    public EdgesSeen Read(long sinceUs, long untilUs, LabelHistory history, bool hours)
    {
        var from = StoreLayout.ClampUs(sinceUs) / UnixTime.Minute * UnixTime.Minute;
        var files = manifest.FilesOf(StoreLayout.Edges, from, untilUs).ToList();
        if (files.Count == 0)
        {
            return new EdgesSeen([], new Dictionary<string, HourSet>());
        }

        var bits = new HourBits(Math.Max(from, files.Min(file => file.MinUs)), Math.Min(untilUs, files.Max(file => file.MaxUs) + 1));
        var rows = $"(SELECT * FROM {Engine.Scan(directory, files, TableColumns.Edges)} WHERE bucket >= {Engine.Time(from)} AND bucket < {Engine.Time(untilUs)})";
        var entities = LedgerFiles.ReadEntities(engine, directory, manifest);
        try
        {
            // An edge is seen by few different sets of nodes, and all edges together by not many more: the sets are named once, and edges refer to them.
            engine.Execute(
                $"""
                CREATE TEMP TABLE seen AS SELECT {Key}, nodes, {Sums}, min(first_seen) AS first_seen, max(last_seen) AS last_seen, max(src_resolved_by) AS src_resolved_by,
                    max(dst_resolved_by) AS dst_resolved_by, {(hours ? bits.Gather("bucket") : "NULL::BIT")} AS hours
                FROM {AsOf(rows, history)} GROUP BY {Key}, nodes;
                CREATE TEMP TABLE witnesses AS SELECT nodes, hours, row_number() OVER () AS number FROM (SELECT nodes, bit_or(hours) AS hours FROM seen GROUP BY nodes)
                """);
            var witnesses = engine.Read(
                "SELECT array_to_string(node_names(nodes), chr(31)), hours::BLOB FROM witnesses ORDER BY number",
                row => (Nodes: row.GetString(0).Split('\u001f'), Hours: hours ? bits.Read(LedgerFiles.Bytes(row, 1)) : HourSet.Empty));
            var parts = engine.Read(
                $"""
                SELECT {Key}, {string.Join(", ", Summed)}, epoch_us(first_seen), epoch_us(last_seen), src_resolved_by, dst_resolved_by, number, seen.hours::BLOB
                FROM seen JOIN witnesses USING (nodes)
                ORDER BY src_entity, dst_entity, svc_entity NULLS FIRST, protocol, dst_port, svc_port NULLS FIRST, src_version, dst_version, number
                """,
                row => EdgeOf(row, entities, history) with
                {
                    Nodes = witnesses[(int)row.GetInt64(22) - 1].Nodes,
                    Hours = hours ? bits.Read(LedgerFiles.Bytes(row, 23)) : null,
                });
            return new EdgesSeen(Together(parts), hours ? Reports(witnesses) : new Dictionary<string, HourSet>());
        }
        finally
        {
            engine.Execute("DROP TABLE IF EXISTS witnesses; DROP TABLE IF EXISTS seen; DROP TABLE IF EXISTS versions");
        }
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

    /// <summary>The rows with the number of the version that each end was then, -1 if it had one only; few entities change, so that this joins against little.</summary>
    private string AsOf(string rows, LabelHistory history)
    {
        if (history.Changing.Count == 0)
        {
            return $"(SELECT *, -1 AS src_version, -1 AS dst_version FROM {rows})";
        }

        RowWriter.Versions(engine, "versions", history);
        return $"""
            (SELECT e.*, coalesce(s.version, -1) AS src_version, coalesce(d.version, -1) AS dst_version
            FROM {rows} e
            LEFT JOIN versions s ON s.entity_id = e.src_entity AND e.bucket >= s.valid_from AND e.bucket < s.valid_to
            LEFT JOIN versions d ON d.entity_id = e.dst_entity AND e.bucket >= d.valid_from AND e.bucket < d.valid_to)
            """;
    }

    private static Edge EdgeOf(DuckDBDataReader row, Dictionary<ulong, Entity> entities, LabelHistory history) => new()
    {
        Src = Version(row.GetFieldValue<ulong>(0), row.GetInt32(6), entities, history),
        Dst = Version(row.GetFieldValue<ulong>(1), row.GetInt32(7), entities, history),
        Service = row.IsDBNull(2) ? null : entities[row.GetFieldValue<ulong>(2)],
        Protocol = row.GetFieldValue<byte>(3),
        DstPort = row.GetFieldValue<ushort>(4),
        ServicePort = row.IsDBNull(5) ? null : row.GetFieldValue<ushort>(5),
        Connections = row.GetInt64(8),
        Answered = row.GetInt64(9),
        Refused = row.GetInt64(10),
        Unanswered = row.GetInt64(11),
        DirectionTrusted = row.GetInt64(12),
        FwdBytes = row.GetInt64(13),
        RevBytes = row.GetInt64(14),
        FwdPackets = row.GetInt64(15),
        RevPackets = row.GetInt64(16),
        SnatUnresolved = row.GetInt64(17),
        FirstSeenUs = row.GetInt64(18),
        LastSeenUs = row.GetInt64(19),
        SrcResolvedBy = (ResolvedBy)row.GetFieldValue<byte>(20),
        DstResolvedBy = (ResolvedBy)row.GetFieldValue<byte>(21),
    };

    private static Entity Version(ulong id, int version, Dictionary<ulong, Entity> entities, LabelHistory history) =>
        version < 0 ? entities[id] : history.Changing[id][version].Entity;

    /// <summary>Parts that stand side by side and differ in who saw them are one edge.</summary>
    private static List<Edge> Together(List<Edge> parts)
    {
        List<Edge> edges = new(parts.Count);
        for (int i = 0, next; i < parts.Count; i = next)
        {
            for (next = i + 1; next < parts.Count && IsSame(parts[i], parts[next]); next++)
            {
            }

            edges.Add(Edge.Sum(parts[i..next]));
        }

        return edges;
    }

    private static bool IsSame(Edge a, Edge b) => ReferenceEquals(a.Src, b.Src) && ReferenceEquals(a.Dst, b.Dst) && ReferenceEquals(a.Service, b.Service)
        && a.Protocol == b.Protocol && a.DstPort == b.DstPort && a.ServicePort == b.ServicePort;

    private static Dictionary<string, HourSet> Reports(IEnumerable<(string[] Nodes, HourSet Hours)> witnesses) => witnesses
        .SelectMany(seen => seen.Nodes, (seen, node) => (Node: node, seen.Hours))
        .GroupBy(seen => seen.Node, seen => seen.Hours, StringComparer.Ordinal)
        .ToDictionary(node => node.Key, HourSet.Union, StringComparer.Ordinal);
}
