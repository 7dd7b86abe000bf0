using System.Globalization;
using Flows.Core;

namespace Flows.Store;

/// <summary>
/// Rolls flows up to edges per minute: merges what several nodes and sources saw of one connection, names its ends as of then, and sums.
/// A bucket is always built from the facts alone, within its own view of [bucket - margin, bucket + 1 min + margin), so that the
/// result does not depend on the order in which facts and names arrived.
/// </summary>
/// <param name="skew">How far clocks may be apart.</param>
internal sealed class EdgeRollup(TimeSpan skew)
{
    /// <summary>Rows so far outside a bucket may still belong to a connection of it. Under half a minute, or a row had three buckets.</summary>
    public long MarginUs { get; } = Math.Clamp((long)skew.TotalMicroseconds * 2, 1, 20 * UnixTime.Second);

    private string Margin => Interval(MarginUs);

    /// <summary>SQL for a row's translation as one value.</summary>
    private static string NatOf(string row) =>
        $"{{'dst_addr': {row}.nat_dst_addr, 'dst_port': {row}.nat_dst_port, 'src_addr': {row}.nat_src_addr, 'src_port': {row}.nat_src_port}}";

    private string Skew => Interval((long)skew.TotalMicroseconds);

    /// <summary>SQL for the two buckets, mostly the same, whose views hold a row of this time.</summary>
    /// <remarks>Clamped to the times that a store can hold: a file may begin at the epoch itself.</remarks>
    public string BucketsOf(string time) =>
        $"list_distinct([date_trunc('minute', greatest({time} - {Margin}, {Engine.Time(0)})), date_trunc('minute', least({time} + {Margin}, {Engine.Time(StoreLayout.TimeMaxUs)}))])";

    /// <summary>Fills the temporary table <c>rolled</c> with the edges of the buckets in table <c>dirty</c>, and <c>strangers</c> with their unknown peers.</summary>
    /// <param name="engine">Holds <c>dirty</c>.</param>
    /// <param name="flows">Scan of the flows that overlap the buckets' views.</param>
    /// <param name="timeline">Scan of the timeline.</param>
    /// <param name="fromUs">First dirty bucket.</param>
    /// <param name="toUs">End of the last dirty bucket.</param>
    public void Build(Engine engine, string flows, string timeline, long fromUs, long toUs)
    {
        var from = Engine.Time(fromUs - MarginUs);
        var to = Engine.Time(toUs + MarginUs);
        engine.Execute(Merge(flows, from, to));
        engine.Execute(Name(timeline, from, to));
        engine.Execute(Sum);
        engine.Execute("DROP TABLE merged; DROP TABLE named");
    }

    /// <summary>
    /// One row per connection and bucket. A witness before the translation, such as a capture in the client, knows only what was dialled: it
    /// takes the translation from the witness that made it. Connections of one wire key that began within the skew of each other are told apart by
    /// rank: the n-th at one point is the n-th at another. A zone of conntrack is a point of its own: in one scope addresses are unique, so that equal
    /// connections in two zones, or in a pod's network namespace and the node's, are one connection met twice. A window counts in the minute in which its first
    /// witness saw it begin.
    /// </summary>
    private string Merge(string flows, string from, string to) => $"""
        CREATE OR REPLACE TEMP TABLE merged AS
        WITH seen AS (SELECT * FROM {flows} WHERE window_start >= {from} AND window_start < {to}),
        translations AS (
            SELECT scope_id, protocol, src_addr, src_port, dst_addr, dst_port, conn_start,
                any_value(nat_dst_addr) AS nat_dst_addr, any_value(nat_dst_port) AS nat_dst_port, any_value(nat_src_addr) AS nat_src_addr, any_value(nat_src_port) AS nat_src_port
            FROM seen WHERE nat_dst_addr IS NOT NULL OR nat_src_addr IS NOT NULL GROUP BY ALL),
        told AS (
            SELECT v.node_id, v.source, v.conn_id,
                arg_min({NatOf("t")}, abs(epoch_us(t.conn_start) - epoch_us(v.conn_start))) AS nat
            FROM seen v JOIN translations t USING (scope_id, protocol, src_addr, src_port, dst_addr, dst_port)
            WHERE v.nat_dst_addr IS NULL AND v.nat_src_addr IS NULL AND t.conn_start BETWEEN v.conn_start - {Skew} AND v.conn_start + {Skew} GROUP BY ALL),
        informed AS (
            SELECT v.* REPLACE (
                coalesce(v.nat_dst_addr, t.nat.dst_addr) AS nat_dst_addr, coalesce(v.nat_dst_port, t.nat.dst_port) AS nat_dst_port,
                coalesce(v.nat_src_addr, t.nat.src_addr) AS nat_src_addr, coalesce(v.nat_src_port, t.nat.src_port) AS nat_src_port)
            FROM seen v LEFT JOIN told t USING (node_id, source, conn_id)),
        viewed AS (
            SELECT *, unnest({BucketsOf("window_start")}) AS bucket, coalesce(nat_dst_addr, dst_addr) AS answered_addr, coalesce(nat_dst_port, dst_port) AS answered_port,
                hash(scope_id, coalesce(nat_src_addr, src_addr), coalesce(nat_src_port, src_port), coalesce(nat_dst_addr, dst_addr), coalesce(nat_dst_port, dst_port), protocol) AS wire_key
            FROM informed),
        gaps AS (
            SELECT v.*, CASE WHEN conn_start - lag(conn_start) OVER (PARTITION BY bucket, wire_key ORDER BY conn_start) > {Skew} THEN 1 ELSE 0 END AS gap
            FROM viewed v SEMI JOIN dirty USING (bucket)),
        sessions AS (SELECT *, sum(gap) OVER (PARTITION BY bucket, wire_key ORDER BY conn_start RANGE UNBOUNDED PRECEDING) AS session FROM gaps),
        ranks AS (SELECT *, dense_rank() OVER (PARTITION BY bucket, wire_key, session, node_id, source, zone ORDER BY conn_start, conn_id) AS nth FROM sessions),
        placed AS (
            SELECT *, min(window_start) OVER (PARTITION BY bucket, wire_key, session, nth, window_no ORDER BY window_start RANGE BETWEEN {Skew} PRECEDING AND CURRENT ROW) AS started
            FROM ranks),
        points AS (
            SELECT bucket, wire_key, session, nth, node_id, source, zone,
                min(scope_id) AS scope_id, min(protocol) AS protocol, min(answered_addr) AS dst, min(answered_port) AS dst_port,
                max(src_addr) FILTER (nat_src_addr IS NOT NULL) AS nat_src, max(src_addr) AS plain_src,
                max(dst_addr) FILTER (nat_dst_addr IS NOT NULL) AS svc, max(dst_port) FILTER (nat_dst_addr IS NOT NULL) AS svc_port,
                bool_or(window_no = 0) AS begins,
                bool_or(state IN (3, 4, 5) OR (state IN (0, 6) AND fwd_packets > 0 AND rev_packets > 0)) AS answered,
                bool_or(state = 2) AS refused, bool_or(state = 1) AS unanswered,
                bool_or(direction_by BETWEEN 1 AND 5) AS proven, bool_or(direction_by = 6) AS requested,
                sum(fwd_bytes)::BIGINT AS fwd_bytes, sum(rev_bytes)::BIGINT AS rev_bytes, sum(fwd_packets)::BIGINT AS fwd_packets, sum(rev_packets)::BIGINT AS rev_packets,
                min(started) AS first_seen, max(window_end) AS last_seen
            FROM placed WHERE date_trunc('minute', started) = bucket GROUP BY ALL)
        SELECT bucket, min(scope_id) AS scope_id, min(protocol) AS protocol, min(dst) AS dst, min(dst_port) AS dst_port,
            coalesce(max(nat_src), max(plain_src)) AS src, max(svc) AS svc, max(svc_port) AS svc_port,
            bool_or(begins) AS begins, bool_or(answered) AS answered, bool_or(refused) AS refused, bool_or(unanswered) AS unanswered,
            bool_or(proven) OR (bool_or(requested) AND bool_or(answered)) AS trusted,
            max(fwd_bytes) AS fwd_bytes, max(rev_bytes) AS rev_bytes, max(fwd_packets) AS fwd_packets, max(rev_packets) AS rev_packets,
            min(first_seen) AS first_seen, max(last_seen) AS last_seen, list(DISTINCT node_id) AS nodes
        FROM points GROUP BY bucket, wire_key, session, nth
        """;

    /// <summary>Who held each address at the time: the exact claim, else the narrowest range, else the address stands for itself.</summary>
    private static string Name(string timeline, string from, string to) => $"""
        CREATE OR REPLACE TEMP TABLE named AS
        WITH ends AS (
            SELECT DISTINCT scope_id, bucket, first_seen, unnest([src, dst, svc]) AS end_addr FROM merged),
        spans AS (SELECT * FROM {timeline} WHERE valid_from < {to} AND (valid_to IS NULL OR valid_to > {from})),
        exact AS (SELECT * FROM spans WHERE prefix_len = 128),
        ranges AS (SELECT * FROM spans WHERE prefix_len < 128)
        SELECT e.scope_id, e.first_seen, e.end_addr,
            coalesce(x.entity_id, r.entity_id) AS entity,
            CASE coalesce(x.resolved_by, r.resolved_by, 0) WHEN 1
                THEN CASE WHEN x.learned_at > e.bucket + INTERVAL 2 MINUTE THEN 2 ELSE 1 END ELSE coalesce(x.resolved_by, r.resolved_by, 0) END::UTINYINT AS resolved_by
        FROM ends e
        LEFT JOIN exact x ON x.scope_id = e.scope_id AND x.addr_lo = e.end_addr AND e.first_seen >= x.valid_from AND e.first_seen < coalesce(x.valid_to, 'infinity'::TIMESTAMP)
        LEFT JOIN ranges r ON r.scope_id = e.scope_id AND e.end_addr >= r.addr_lo AND e.end_addr <= r.addr_hi
            AND e.first_seen >= r.valid_from AND e.first_seen < coalesce(r.valid_to, 'infinity'::TIMESTAMP)
        WHERE e.end_addr IS NOT NULL;
        CREATE OR REPLACE TEMP TABLE strangers AS
        SELECT scope_id, end_addr, scope, address, stable_id('unknown', scope, address) AS entity
        FROM (SELECT n.scope_id, n.end_addr, s.scope, addr(n.end_addr) AS address FROM (SELECT DISTINCT scope_id, end_addr FROM named WHERE entity IS NULL) n JOIN scope_names s USING (scope_id));
        UPDATE named SET entity = s.entity FROM strangers s WHERE named.entity IS NULL AND s.scope_id = named.scope_id AND s.end_addr = named.end_addr
        """;

    private const string Sum = """
        CREATE OR REPLACE TEMP TABLE rolled AS
        SELECT m.bucket, s.entity AS src_entity, d.entity AS dst_entity, v.entity AS svc_entity, m.protocol, m.dst_port, m.svc_port,
            count_if(begins)::BIGINT AS connections, count_if(begins AND answered)::BIGINT AS answered, count_if(begins AND refused AND NOT answered)::BIGINT AS refused,
            count_if(begins AND unanswered AND NOT refused AND NOT answered)::BIGINT AS unanswered, count_if(begins AND trusted)::BIGINT AS direction_trusted,
            coalesce(sum(fwd_bytes), 0)::BIGINT AS fwd_bytes, coalesce(sum(rev_bytes), 0)::BIGINT AS rev_bytes,
            coalesce(sum(fwd_packets), 0)::BIGINT AS fwd_packets, coalesce(sum(rev_packets), 0)::BIGINT AS rev_packets,
            min(m.first_seen) AS first_seen, max(m.last_seen) AS last_seen, list_sort(list_distinct(flatten(list(m.nodes)))) AS nodes,
            max(s.resolved_by) AS src_resolved_by, max(d.resolved_by) AS dst_resolved_by
        FROM merged m
        JOIN (SELECT DISTINCT * FROM named) s ON s.scope_id = m.scope_id AND s.first_seen = m.first_seen AND s.end_addr = m.src
        JOIN (SELECT DISTINCT * FROM named) d ON d.scope_id = m.scope_id AND d.first_seen = m.first_seen AND d.end_addr = m.dst
        LEFT JOIN (SELECT DISTINCT * FROM named) v ON v.scope_id = m.scope_id AND v.first_seen = m.first_seen AND v.end_addr = m.svc
        GROUP BY m.bucket, s.entity, d.entity, v.entity, m.protocol, m.dst_port, m.svc_port
        """;

    private static string Interval(long us) => string.Create(CultureInfo.InvariantCulture, $"to_microseconds({us})");
}
