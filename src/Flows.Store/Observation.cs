using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.Core.Map;
using Flows.Core.Policy;

namespace Flows.Store;

/// <summary>Everything in a store that a suggestion rests on.</summary>
public static class Observation
{
    // Without octets the connections are known all the same.
    private const string AboutConnections = "source IN ('conntrack', 'packets') AND aspect NOT LIKE 'accounting%'";

    /// <summary>The input for a suggestion over [since, until): edges with their hours, who held which address, who reported when, and what was lost.</summary>
    /// <exception cref="Core.FlowsException">The pods stand in several clusters and none was chosen.</exception>
    public static PolicyInput Read(StoreReader reader, long sinceUs, long untilUs, string? cluster)
    {
        // Each is half a database's work and half our own.
        using var beside = reader.Beside();
        var known = Task.Run(() => PolicyInput.Of([], beside.Identities(), sinceUs, untilUs, cluster));
        try
        {
            var seen = reader.Seen(sinceUs, untilUs, LabelHistory.None);
            return Of(reader, seen, known.GetAwaiter().GetResult(), sinceUs, untilUs);
        }
        finally
        {
            // Whatever came of it, it still reads from what is let go next.
            Task.WaitAny(known);
        }
    }

    /// <summary>As the other, with the ends of edges as they were.</summary>
    public static PolicyInput Read(StoreReader reader, long sinceUs, long untilUs, string? cluster, IReadOnlyList<IdentityInterval> ledger, LabelHistory history) =>
        Of(reader, reader.Seen(sinceUs, untilUs, history), PolicyInput.Of([], ledger, sinceUs, untilUs, cluster), sinceUs, untilUs);

    private static PolicyInput Of(StoreReader reader, EdgesSeen seen, PolicyInput known, long sinceUs, long untilUs)
    {
        var addresses = new Dictionary<ulong, IReadOnlyList<NetBlock>>(known.Addresses);
        foreach (var (entity, blocks) in NamedAddresses(reader, seen.Edges))
        {
            addresses.TryAdd(entity, blocks);
        }

        return known with { Edges = seen.Edges, Addresses = addresses, Reports = seen.Reports, Gaps = [.. Gaps(reader, sinceUs, untilUs), .. Losses(reader, sinceUs, untilUs)] };
    }

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
