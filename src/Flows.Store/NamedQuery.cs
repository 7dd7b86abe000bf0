namespace Flows.Store;

/// <summary>
/// A fixed question that pages and boards may ask: nobody's SQL runs in the serving process. Names and columns are public; a test
/// holds the dashboards and the answers to this list.
/// </summary>
public sealed record NamedQuery
{
    private const string Within = "bucket >= date_trunc('minute', $since) AND bucket < $until";
    private const string WithinHours = "bucket >= date_trunc('hour', $since) AND bucket < $until";

    /// <summary>
    /// The rules that decided. Of a denial they stand in brackets at the end of each sentence of why, and where no rule did, what isolates the end.
    /// </summary>
    private const string DecidedBy = """
        CASE WHEN verdict IN ('denied', 'unsure') THEN array_to_string(regexp_extract_all(why, '\(([^()]*)\)(; |$)', 1), ' and ')
            WHEN verdict = 'not_needed' THEN why ELSE coalesce(nullif(rules, ''), 'no policy') END
        """;

    private NamedQuery(string name, string description, string[] columns, string sql) => (Name, Description, Columns, Sql) = (name, description, columns, sql);

    public static IReadOnlyList<NamedQuery> All { get; } =
    [
        new("summary", "The store in one row.",
            ["flows", "connections", "edges", "entities", "unresolved_share", "bytes", "first_seen", "last_seen"],
            $"""
            SELECT (SELECT count(*) FROM flows WHERE window_start >= $since AND window_start < $until) AS flows, coalesce(sum(connections), 0)::BIGINT AS connections,
                count(DISTINCT (src_entity, dst_entity, svc_entity, protocol, dst_port, svc_port)) AS edges, (SELECT count(*) FROM entities) AS entities,
                coalesce(sum(connections) FILTER (src_resolved_by IN (0, 3) OR dst_resolved_by IN (0, 3)) / nullif(sum(connections), 0), 0)::DOUBLE AS unresolved_share,
                coalesce(sum(fwd_bytes + rev_bytes), 0)::BIGINT AS bytes, min(first_seen) AS first_seen, max(last_seen) AS last_seen
            FROM edges_1m WHERE {Within}
            """),
        new("edges_over_time", "Connections and bytes per minute and namespace of the source, with their outcomes.",
            ["time", "namespace", "connections", "answered", "refused", "unanswered", "fwd_bytes", "rev_bytes"],
            $"""
            SELECT * FROM (SELECT bucket AS "time", coalesce(nullif(src_namespace, ''), src_kind) AS namespace, sum(connections)::BIGINT AS connections, sum(answered)::BIGINT AS answered,
                sum(refused)::BIGINT AS refused, sum(unanswered)::BIGINT AS unanswered, sum(fwd_bytes)::BIGINT AS fwd_bytes, sum(rev_bytes)::BIGINT AS rev_bytes
            FROM edges WHERE {Within} GROUP BY ALL ORDER BY "time" DESC, namespace LIMIT $limit) ORDER BY "time", namespace
            """),
        new("dependencies", "Which workload depends on which, with ports and volumes; most connections first.",
            ["src", "dst", "service", "protocol", "dst_port", "connections", "answered", "refused", "unanswered", "fwd_bytes", "rev_bytes", "first_seen", "last_seen"],
            $"""
            SELECT {Called("src")} AS src, {Called("dst")} AS dst, svc_name AS service, protocol, dst_port, sum(connections)::BIGINT AS connections, sum(answered)::BIGINT AS answered,
                sum(refused)::BIGINT AS refused, sum(unanswered)::BIGINT AS unanswered, sum(fwd_bytes)::BIGINT AS fwd_bytes, sum(rev_bytes)::BIGINT AS rev_bytes,
                min(first_seen) AS first_seen, max(last_seen) AS last_seen
            FROM edges WHERE {Within} GROUP BY ALL ORDER BY connections DESC, src, dst, protocol, dst_port LIMIT $limit
            """),
        new("unresolved", "Ends that nobody named, or several did, by traffic.",
            ["address", "scope", "resolved_by", "connections", "bytes", "first_seen", "last_seen"],
            $"""
            SELECT name AS address, scope, kind AS resolved_by, sum(connections)::BIGINT AS connections, sum(bytes)::BIGINT AS bytes, min(first_seen) AS first_seen, max(last_seen) AS last_seen
            FROM (SELECT src_entity AS entity_id, connections, fwd_bytes + rev_bytes AS bytes, first_seen, last_seen FROM edges_1m WHERE src_resolved_by IN (0, 3) AND {Within}
                UNION ALL SELECT dst_entity, connections, fwd_bytes + rev_bytes, first_seen, last_seen FROM edges_1m WHERE dst_resolved_by IN (0, 3) AND {Within})
            JOIN entities USING (entity_id) GROUP BY ALL ORDER BY connections DESC, address LIMIT $limit
            """),
        new("losses", "What each process has dropped, where and why, as of its last account.",
            ["time", "node", "hop", "unit", "reason", "count"],
            """
            SELECT "at" AS "time", node, hop, unit, reason, dropped AS "count" FROM losses
            WHERE "at" >= $since AND "at" < $until AND dropped > 0 QUALIFY rank() OVER (PARTITION BY node, process, hop ORDER BY "at" DESC) = 1
            ORDER BY node, hop, reason LIMIT $limit
            """),
        new("coverage", "What each source of each node sees as of the end of the span; what sees least first.",
            ["time", "node", "source", "aspect", "level", "detail"],
            """
            SELECT "at" AS "time", node, source, aspect, level, detail FROM coverage
            WHERE "at" < $until QUALIFY row_number() OVER (PARTITION BY node, source, aspect ORDER BY "at" DESC, process DESC, level DESC) = 1
            ORDER BY level = 'none' DESC, level = 'partial' DESC, node, source, aspect LIMIT $limit
            """),
        new("gaps", "When a source did not see everything, and what it missed; the latest first. Without an end where it lasts.",
            ["since", "until", "node", "source", "aspect", "level", "detail"],
            """
            SELECT since, until, node, source, aspect, level, detail FROM gaps
            WHERE since < $until AND (until IS NULL OR until > $since) ORDER BY until IS NULL DESC, since DESC, node, source, aspect LIMIT $limit
            """),
        new("owners", "Who owned sockets on which node; the latest found first.",
            ["time", "node", "owner_id", "kind", "name", "uid", "unit", "container_id", "pod_uid", "executable", "pid"],
            """
            SELECT seen_at AS "time", node, owner_id::VARCHAR AS owner_id, kind, name, uid, unit, container_id, pod_uid, executable, pid FROM owners
            WHERE seen_at >= $since AND seen_at < $until QUALIFY row_number() OVER (PARTITION BY node, owners.owner_id ORDER BY seen_at DESC) = 1
            ORDER BY "time" DESC, node, kind, name LIMIT $limit
            """),
        new("names", "Which client was told which address for a name; the latest first.",
            ["time", "node", "scope", "client", "name", "address", "ttl_seconds"],
            """
            SELECT max(seen_at) AS "time", node, scope, addr(client) AS client, name, addr(address) AS address, arg_max(ttl_seconds, seen_at) AS ttl_seconds FROM names
            WHERE seen_at >= $since AND seen_at < $until GROUP BY node, scope, names.client, name, names.address
            ORDER BY "time" DESC, client, name, address LIMIT $limit
            """),
        new("clusters", "The clusters of which pods are known, with how many were ever seen.",
            ["cluster", "pods"],
            "SELECT cluster, count(*) AS pods FROM entities WHERE kind = 'pod' GROUP BY cluster ORDER BY cluster LIMIT $limit"),
        new("readiness", """
            How far each workload is known from its answered edges alone: the share of edges (peer, port and direction) that only one hour has seen, which estimates how likely
            the next hour brings a new one, and how long ago the last new one came. The least known first.
            """,
            ["cluster", "namespace", "workload", "edges", "connections", "sightings", "seen_once", "unseen_share", "last_new", "quiet_hours"],
            $"""
            WITH ends AS (
                SELECT src_entity AS own, 'egress' AS direction, {Called("dst")} AS peer, protocol, dst_port, bucket, connections, first_seen, last_seen
                FROM edges WHERE src_kind = 'pod' AND answered > 0 AND {Within}
                UNION ALL SELECT dst_entity, 'ingress', {Called("src")}, protocol, dst_port, bucket, connections, first_seen, last_seen
                FROM edges WHERE dst_kind = 'pod' AND answered > 0 AND {Within}),
            known AS (
                SELECT cluster, namespace, coalesce(nullif(workload, ''), name) AS workload, direction, peer, protocol, dst_port, sum(connections) AS connections,
                    count(DISTINCT date_trunc('hour', bucket)) AS hours, min(first_seen) AS first_seen, max(last_seen) AS last_seen
                FROM ends JOIN entities e ON e.entity_id = own GROUP BY ALL)
            SELECT cluster, namespace, workload, count(*) AS edges, sum(connections)::BIGINT AS connections, sum(hours)::BIGINT AS sightings, count_if(hours = 1)::BIGINT AS seen_once,
                (count_if(hours = 1) / sum(hours))::DOUBLE AS unseen_share, max(first_seen) AS last_new,
                date_diff('hour', max(first_seen), (SELECT max(last_seen) FROM known)) AS quiet_hours
            FROM known GROUP BY cluster, namespace, workload ORDER BY unseen_share DESC, quiet_hours, cluster, namespace, workload LIMIT $limit
            """),
        new("drafts", "The drafts of policies that were held against what came in, the latest first, and what they would have done to how many connections.",
            ["draft", "cluster", "first_hour", "last_hour", "last_seen", "allowed", "denied", "unsure", "not_needed"],
            $"""
            SELECT draft, cluster, min(bucket) AS first_hour, max(bucket) AS last_hour, max(last_seen) AS last_seen,
                {CountOf("allowed")}, {CountOf("denied")}, {CountOf("unsure")}, {CountOf("not_needed")}
            FROM decisions_1h WHERE {WithinHours} GROUP BY draft, cluster ORDER BY last_hour DESC, last_seen DESC, draft, cluster LIMIT $limit
            """),
        new("decisions", "Connections that a draft would have denied, or may have; the latest first.",
            ["time", "draft", "cluster", "verdict", "src", "dst", "service", "protocol", "dst_port", "connections", "why", "first_seen", "last_seen"],
            $"""
            SELECT bucket AS "time", draft, cluster, verdict, {Called("src")} AS src, {Called("dst")} AS dst, svc_name AS service, protocol, dst_port, sum(connections)::BIGINT AS connections, why,
                min(first_seen) AS first_seen, max(last_seen) AS last_seen
            FROM decisions WHERE {WithinHours} AND verdict IN ('denied', 'unsure') GROUP BY ALL ORDER BY last_seen DESC, draft, src, dst, protocol, dst_port LIMIT $limit
            """),
        new("decision_rules", "What decided for or against connections in each draft: denials first, then by connections.",
            ["draft", "cluster", "verdict", "decided_by", "connections", "edges", "first_seen", "last_seen"],
            $"""
            SELECT draft, cluster, verdict, {DecidedBy} AS decided_by, sum(connections)::BIGINT AS connections, count(DISTINCT (src_entity, dst_entity, protocol, dst_port)) AS edges,
                min(first_seen) AS first_seen, max(last_seen) AS last_seen
            FROM decisions_1h WHERE {WithinHours} GROUP BY draft, cluster, verdict, decided_by
            ORDER BY list_position(['denied', 'unsure', 'allowed', 'not_needed'], verdict), connections DESC, draft, cluster, decided_by LIMIT $limit
            """),
        new("decisions_over_time", "Connections by hour, draft and what it would have done to them.",
            ["time", "draft", "cluster", "verdict", "connections"],
            $"""
            SELECT * FROM (SELECT bucket AS "time", draft, cluster, verdict, sum(connections)::BIGINT AS connections
            FROM decisions_1h WHERE {WithinHours} GROUP BY ALL ORDER BY "time" DESC, draft, cluster, verdict LIMIT $limit) ORDER BY "time", draft, cluster, verdict
            """),
    ];

    public string Name { get; }

    public string Description { get; }

    /// <summary>The columns of the answer, in order.</summary>
    public IReadOnlyList<string> Columns { get; }

    /// <summary>With <c>$since</c>, <c>$until</c> and <c>$limit</c> in place of literals.</summary>
    internal string Sql { get; }

    /// <summary>The question with this name, or null.</summary>
    public static NamedQuery? Of(string name) => All.FirstOrDefault(query => query.Name == name);

    private static string CountOf(string verdict) => $"coalesce(sum(connections) FILTER (verdict = '{verdict}'), 0)::BIGINT AS {verdict}";

    /// <summary>An end of an edge as one text: <c>shop/api</c>, or the name where there is no workload or namespace.</summary>
    private static string Called(string end) => $"CASE WHEN {end}_namespace = '' THEN '' ELSE {end}_namespace || '/' END || coalesce(nullif({end}_workload, ''), {end}_name)";
}

/// <summary>The answer to a fixed question. Cells are null, text, numbers, booleans, times (UTC) or lists of text.</summary>
public sealed record QueryResult(IReadOnlyList<string> Columns, IReadOnlyList<IReadOnlyList<object?>> Rows);
