using System.Globalization;
using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.Core.Map;
using Flows.Core.Policy;

namespace Flows.Store;

/// <summary>Everything in a store that a suggestion rests on.</summary>
public static class Observation
{
    private const string Hour = "epoch_us(bucket) // 3600000000";

    // Without octets the connections are known all the same.
    private const string AboutConnections = "source IN ('conntrack', 'packets') AND aspect NOT LIKE 'accounting%'";

    /// <summary>The input for a suggestion over [since, until): edges with their hours, who held which address, who reported when, and what was lost.</summary>
    /// <exception cref="Core.FlowsException">The pods stand in several clusters and none was chosen.</exception>
    public static PolicyInput Read(StoreReader reader, long sinceUs, long untilUs, string? cluster)
    {
        var within = $"bucket >= {Engine.Time(StoreLayout.ClampUs(sinceUs) / Core.UnixTime.Minute * Core.UnixTime.Minute)} AND bucket < {Engine.Time(untilUs)}";
        var input = PolicyInput.Of(WithHours(reader, within, reader.Edges(sinceUs, untilUs)), reader.Identities(), sinceUs, untilUs, cluster);
        var addresses = new Dictionary<ulong, IReadOnlyList<NetBlock>>(input.Addresses);
        foreach (var (entity, blocks) in NamedAddresses(reader, input.Edges))
        {
            addresses.TryAdd(entity, blocks);
        }

        return input with { Addresses = addresses, Reports = Reports(reader, within), Gaps = [.. Gaps(reader, sinceUs, untilUs), .. Losses(reader, sinceUs, untilUs)] };
    }

    /// <summary>The same grouping and order as the reader's edges have, so that the rows pair up.</summary>
    private static List<Edge> WithHours(StoreReader reader, string within, IReadOnlyList<Edge> edges)
    {
        var hours = reader.Engine.Read(
            $"""
            SELECT array_to_string(list_distinct(list({Hour})), ',')
            FROM edges_1m WHERE {within}
            GROUP BY src_entity, dst_entity, svc_entity, protocol, dst_port, svc_port
            ORDER BY src_entity, dst_entity, svc_entity NULLS FIRST, protocol, dst_port, svc_port NULLS FIRST
            """,
            row => HourSet.Of(Array.ConvertAll(row.GetString(0).Split(','), hour => int.Parse(hour, CultureInfo.InvariantCulture))));
        return [.. edges.Zip(hours, (edge, its) => edge with { Hours = its })];
    }

    private static Dictionary<string, HourSet> Reports(StoreReader reader, string within) => reader.Engine
        .Read($"SELECT node, array_to_string(list(hour), ',') FROM (SELECT DISTINCT unnest(node_names(nodes)) AS node, {Hour} AS hour FROM edges_1m WHERE {within}) GROUP BY node",
            row => (Node: row.GetString(0), Hours: HourSet.Of(Array.ConvertAll(row.GetString(1).Split(','), hour => int.Parse(hour, CultureInfo.InvariantCulture)))))
        .ToDictionary(report => report.Node, report => report.Hours, StringComparer.Ordinal);

    private static List<ObservationGap> Gaps(StoreReader reader, long sinceUs, long untilUs) => reader.Engine.Read(
        $"""
        SELECT node, epoch_us(since), epoch_us(until), source || ' ' || aspect || ': ' || level FROM gaps
        WHERE {AboutConnections} AND since < {Engine.Time(untilUs)} AND (until IS NULL OR until > {Engine.Time(sinceUs)}) ORDER BY ALL
        """,
        row => new ObservationGap(row.GetString(0), row.GetInt64(1), row.IsDBNull(2) ? null : row.GetInt64(2), row.GetString(3)));

    /// <summary>The spans between two accounts in which the count of what was dropped grew.</summary>
    private static List<ObservationGap> Losses(StoreReader reader, long sinceUs, long untilUs) => reader.Engine.Read(
        $"""
        SELECT node, epoch_us(begun), epoch_us(ended), hop || ' dropped ' || lost::VARCHAR || ' ' || unit || ' (' || reason || ')'
        FROM (SELECT node, hop, unit, reason, coalesce(lag("at") OVER told, since) AS begun, "at" AS ended, dropped - coalesce(lag(dropped) OVER told, 0) AS lost
            FROM losses WINDOW told AS (PARTITION BY node, process, hop, unit, reason ORDER BY "at"))
        WHERE lost > 0 AND begun < {Engine.Time(untilUs)} AND ended > {Engine.Time(sinceUs)} ORDER BY ALL
        """,
        row => new ObservationGap(row.GetString(0), row.GetInt64(1), row.GetInt64(2), row.GetString(3)));

    /// <summary>The addresses that clients were told for the outside names that edges lead to.</summary>
    private static Dictionary<ulong, IReadOnlyList<NetBlock>> NamedAddresses(StoreReader reader, IReadOnlyList<Edge> edges)
    {
        var named = edges.Select(edge => edge.Dst).Where(end => end.Kind == EntityKind.External).DistinctBy(end => end.Id).ToLookup(end => (end.Scope, end.Name));
        return named.Count == 0 ? [] : reader.Engine
            .Read("SELECT DISTINCT scope, name, addr(address) FROM names", row => (Scope: row.GetString(0), Name: row.GetString(1), Address: row.GetString(2)))
            .GroupBy(told => (told.Scope, told.Name), told => told.Address)
            .SelectMany(told => named[told.Key].Select(end => (end.Id, Blocks: (IReadOnlyList<NetBlock>)[.. told.Select(one => NetBlock.Of(NetAddress.Parse(one))).Distinct().Order()])))
            .ToDictionary(end => end.Id, end => end.Blocks);
    }
}
