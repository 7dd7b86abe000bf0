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
    public string BucketsOf(string time) => $"list_distinct([{Earliest(time)}, {Latest(time)}])";

    /// <summary>A query for the buckets whose views hold a row of this scan.</summary>
    public string AllBucketsOf(string flows) => $"SELECT {Earliest("window_start")} AS bucket FROM {flows} UNION SELECT {Latest("window_start")} FROM {flows}";

    private string Earliest(string time) => $"date_trunc('minute', greatest({time} - {Margin}, {Engine.Time(0)}))";

    private string Latest(string time) => $"date_trunc('minute', least({time} + {Margin}, {Engine.Time(StoreLayout.TimeMaxUs)}))";

    /// <summary>Fills the temporary table <c>rolled</c> with the edges of the buckets in table <c>dirty</c>, and <c>strangers</c> with their unknown peers.</summary>
    /// <param name="engine">Holds <c>dirty</c>.</param>
    /// <param name="flows">Scan of the flows that overlap the buckets' views.</param>
    /// <param name="scans">Who was told about.</param>
    /// <param name="fromUs">First dirty bucket.</param>
    /// <param name="toUs">End of the last dirty bucket.</param>
    public void Build(Engine engine, string flows, NameScans scans, long fromUs, long toUs)
    {
        var from = Engine.Time(fromUs - MarginUs);
        var to = Engine.Time(toUs + MarginUs);
        var seen = $"(SELECT * FROM {flows} WHERE window_start >= {from} AND window_start < {to})";
        engine.Execute(Told(seen));
        var told = IsAny(engine, "told");

        // Each statement reads the files again, which costs less than a table of all these rows would.
        var informed = Informed(seen, told);
        engine.Execute(Several(informed));
        engine.Execute(Merge(informed));

        // Who held the addresses when the oldest of these connections began is asked, too.
        var begun = engine.Read($"SELECT epoch_us(min(conn_start)) FROM {seen}", row => row.IsDBNull(0) ? fromUs : row.GetInt64(0))[0];
        engine.Execute(EndNames.Tables(seen, scans, Engine.Time(Math.Min(Math.Max(begun, 0), fromUs - MarginUs)), to));
        engine.Execute(EndNames.HeldThen(Connections(informed)));
        engine.Execute(Sum(informed));
        engine.Execute($"{EndNames.Strangers}; {EndNames.Drop}; DROP TABLE told; DROP TABLE several; DROP TABLE merged");
    }

    private static bool IsAny(Engine engine, string table) => engine.Read($"SELECT EXISTS(SELECT 1 FROM {table})", row => row.GetBoolean(0))[0];

    /// <summary>
    /// Translations for those who saw only what was dialled: a witness before the translation, such as a capture in the client, takes it from the
    /// witness that made it.
    /// </summary>
    private string Told(string seen) => $"""
        CREATE OR REPLACE TEMP TABLE told AS
        WITH translations AS (
            SELECT scope_id, protocol, src_addr, src_port, dst_addr, dst_port, conn_start,
                any_value(nat_dst_addr) AS nat_dst_addr, any_value(nat_dst_port) AS nat_dst_port, any_value(nat_src_addr) AS nat_src_addr, any_value(nat_src_port) AS nat_src_port
            FROM {seen} WHERE nat_dst_addr IS NOT NULL OR nat_src_addr IS NOT NULL GROUP BY ALL)
        SELECT v.node_id, v.source, v.conn_id,
            arg_min({NatOf("t")}, abs(epoch_us(t.conn_start) - epoch_us(v.conn_start))) AS nat
        FROM {seen} v JOIN translations t USING (scope_id, protocol, src_addr, src_port, dst_addr, dst_port)
        WHERE v.nat_dst_addr IS NULL AND v.nat_src_addr IS NULL AND t.conn_start BETWEEN v.conn_start - {Skew} AND v.conn_start + {Skew} GROUP BY ALL
        """;

    /// <summary>The rows with what they were told, who answered them, their own bucket, and the hash of their connection as the responder sees it.</summary>
    private static string Informed(string seen, bool told)
    {
        var rows = !told ? seen : $"""
            (SELECT v.* REPLACE (
                coalesce(v.nat_dst_addr, t.nat.dst_addr) AS nat_dst_addr, coalesce(v.nat_dst_port, t.nat.dst_port) AS nat_dst_port,
                coalesce(v.nat_src_addr, t.nat.src_addr) AS nat_src_addr, coalesce(v.nat_src_port, t.nat.src_port) AS nat_src_port)
            FROM {seen} v LEFT JOIN told t USING (node_id, source, conn_id))
            """;
        return $"""
            (SELECT *, date_trunc('minute', window_start) AS bucket, coalesce(nat_dst_addr, dst_addr) AS answered_addr, coalesce(nat_dst_port, dst_port) AS answered_port,
                hash(scope_id, coalesce(nat_src_addr, src_addr), coalesce(nat_src_port, src_port), coalesce(nat_dst_addr, dst_addr), coalesce(nat_dst_port, dst_port), protocol) AS wire_key
            FROM {rows})
            """;
    }

    /// <summary>The rows that a bucket's view holds: its own, and those of its neighbours that begin within the margin.</summary>
    private string Viewed(string informed) => $"""
        (SELECT * FROM {informed} UNION ALL BY NAME
        SELECT * REPLACE (CASE WHEN {Earliest("window_start")} < bucket THEN {Earliest("window_start")} ELSE {Latest("window_start")} END AS bucket)
        FROM {informed} WHERE {Earliest("window_start")} < bucket OR {Latest("window_start")} > bucket)
        """;

    /// <summary>The connections of which a bucket's view holds several rows. They are few where one point watches, and only they need merging.</summary>
    private string Several(string informed) => $"""
        CREATE OR REPLACE TEMP TABLE several AS
        SELECT bucket, wire_key FROM {Viewed(informed)} v SEMI JOIN dirty USING (bucket) GROUP BY ALL HAVING count(*) > 1
        """;

    private const string IsAnswered = "state IN (3, 4, 5) OR (state IN (0, 6) AND fwd_packets > 0 AND rev_packets > 0)";

    /// <summary>
    /// One row per connection and bucket where there are several. Connections of one wire key that began within the skew of each other are told apart by
    /// rank: the n-th at one point is the n-th at another. A zone of conntrack is a point of its own: in one scope addresses are unique, so that equal
    /// connections in two zones, or in a pod's network namespace and the node's, are one connection met twice. A window counts in the minute in which its first
    /// witness saw it begin.
    /// </summary>
    private string Merge(string informed) => $"""
        CREATE OR REPLACE TEMP TABLE merged AS
        WITH gaps AS (
            SELECT v.*, CASE WHEN conn_start - lag(conn_start) OVER (PARTITION BY bucket, wire_key ORDER BY conn_start) > {Skew} THEN 1 ELSE 0 END AS gap
            FROM {Viewed(informed)} v SEMI JOIN several USING (bucket, wire_key)),
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
                bool_or({IsAnswered}) AS answered,
                bool_or(state = 2) AS refused, bool_or(state = 1) AS unanswered,
                bool_or(direction_by BETWEEN 1 AND 5) AS proven, bool_or(direction_by = 6) AS requested,
                sum(fwd_bytes)::BIGINT AS fwd_bytes, sum(rev_bytes)::BIGINT AS rev_bytes, sum(fwd_packets)::BIGINT AS fwd_packets, sum(rev_packets)::BIGINT AS rev_packets,
                min(started) AS first_seen, max(window_end) AS last_seen, min(conn_start) AS begun, max(src_owner_id) AS src_owner, max(dst_owner_id) AS dst_owner
            FROM placed WHERE date_trunc('minute', started) = bucket GROUP BY ALL)
        SELECT bucket, min(scope_id) AS scope_id, min(protocol) AS protocol, min(dst) AS dst, min(dst_port) AS dst_port,
            coalesce(max(nat_src), max(plain_src)) AS src, max(svc) AS svc, max(svc_port) AS svc_port,
            bool_or(begins) AS begins, bool_or(answered) AS answered, bool_or(refused) AS refused, bool_or(unanswered) AS unanswered,
            bool_or(proven) OR (bool_or(requested) AND bool_or(answered)) AS trusted,
            max(fwd_bytes) AS fwd_bytes, max(rev_bytes) AS rev_bytes, max(fwd_packets) AS fwd_packets, max(rev_packets) AS rev_packets,
            min(first_seen) AS first_seen, max(last_seen) AS last_seen, min(begun) AS begun,
            max(src_owner) AS src_owner, arg_max(node_id, src_owner) AS src_teller, max(dst_owner) AS dst_owner, arg_max(node_id, dst_owner) AS dst_teller,
            list_sort(list(DISTINCT node_id)) AS nodes
        FROM points GROUP BY bucket, wire_key, session, nth
        """;

    /// <summary>What <see cref="Merge"/> makes of a connection with one row in its bucket's view, without the windows and groups that it takes there.</summary>
    private static string Alone(string informed) => $"""
        SELECT bucket, scope_id, protocol, answered_addr AS dst, answered_port AS dst_port,
            src_addr AS src, CASE WHEN nat_dst_addr IS NOT NULL THEN dst_addr END AS svc, CASE WHEN nat_dst_addr IS NOT NULL THEN dst_port END AS svc_port,
            window_no = 0 AS begins, {IsAnswered} AS answered, state = 2 AS refused, state = 1 AS unanswered,
            direction_by BETWEEN 1 AND 5 OR (direction_by = 6 AND ({IsAnswered})) AS trusted,
            fwd_bytes::BIGINT AS fwd_bytes, rev_bytes::BIGINT AS rev_bytes, fwd_packets::BIGINT AS fwd_packets, rev_packets::BIGINT AS rev_packets,
            window_start AS first_seen, window_end AS last_seen, conn_start AS begun,
            src_owner_id AS src_owner, node_id AS src_teller, dst_owner_id AS dst_owner, node_id AS dst_teller, [node_id] AS nodes
        FROM {informed} i SEMI JOIN dirty USING (bucket) ANTI JOIN several USING (bucket, wire_key)
        """;

    /// <summary>All connections of the dirty buckets, each once.</summary>
    private static string Connections(string informed) => $"(SELECT * FROM merged UNION ALL BY NAME {Alone(informed)})";

    /// <summary>Names the ends as of then, and sums.</summary>
    /// <remarks>
    /// A node's address as initiator that the node itself does not vouch for may be anybody's: a pod or a machine behind the node's masquerade that no
    /// collector there resolved. Such connections are counted as <c>snat_unresolved</c>.
    /// </remarks>
    private static string Sum(string informed) => $"""
        CREATE OR REPLACE TEMP TABLE rolled AS
        WITH named AS (
            SELECT m.*, {EndNames.Entity("s", owned: true, asked: false)} AS src_entity, {EndNames.Entity("d", owned: true, asked: true)} AS dst_entity,
                CASE WHEN m.svc IS NOT NULL THEN coalesce(np.entity, {EndNames.Entity("v", owned: false, asked: false)}) END AS svc_entity,
                {EndNames.ResolvedBy("s", owned: true, asked: false)} AS src_resolved_by, {EndNames.ResolvedBy("d", owned: true, asked: true)} AS dst_resolved_by,
                {EndNames.NodeOf("s")} IS NOT NULL AND NOT list_contains(m.nodes, {EndNames.NodeOf("s")}) AS snat
            FROM {Connections(informed)} m
            JOIN {EndNames.Joins("s", "m.src", "src")}
            JOIN {EndNames.Joins("d", "m.dst", "dst")}
            LEFT JOIN {EndNames.Joins("v", "m.svc", owner: null)}
            {EndNames.NodePort}
            {EndNames.Asked})
        SELECT bucket, src_entity, dst_entity, svc_entity, protocol, dst_port, svc_port,
            count_if(begins)::BIGINT AS connections, count_if(begins AND answered)::BIGINT AS answered, count_if(begins AND refused AND NOT answered)::BIGINT AS refused,
            count_if(begins AND unanswered AND NOT refused AND NOT answered)::BIGINT AS unanswered, count_if(begins AND trusted)::BIGINT AS direction_trusted,
            count_if(begins AND snat)::BIGINT AS snat_unresolved,
            coalesce(sum(fwd_bytes), 0)::BIGINT AS fwd_bytes, coalesce(sum(rev_bytes), 0)::BIGINT AS rev_bytes,
            coalesce(sum(fwd_packets), 0)::BIGINT AS fwd_packets, coalesce(sum(rev_packets), 0)::BIGINT AS rev_packets,
            min(first_seen) AS first_seen, max(last_seen) AS last_seen,
            CASE WHEN count(*) = 1 THEN any_value(nodes) ELSE list_sort(list_distinct(flatten(list(nodes)))) END AS nodes,
            max(src_resolved_by) AS src_resolved_by, max(dst_resolved_by) AS dst_resolved_by
        FROM named GROUP BY bucket, src_entity, dst_entity, svc_entity, protocol, dst_port, svc_port
        """;

    private static string Interval(long us) => string.Create(CultureInfo.InvariantCulture, $"to_microseconds({us})");
}
