namespace Flows.Store;

/// <summary>The fixed questions that pages and boards ask.</summary>
public enum NamedQuery
{
    /// <summary>One row: connections, bytes, edges, entities, nodes, first and last seen.</summary>
    Summary,

    /// <summary>Per minute: connections, refused, unanswered, bytes.</summary>
    EdgesOverTime,

    /// <summary>Who depends on whom, most connections first.</summary>
    Dependencies,

    /// <summary>Peers that nobody named, or several did.</summary>
    Unresolved,

    /// <summary>The last account of each process and hop.</summary>
    Losses,

    /// <summary>Pairs by bytes.</summary>
    TopTalkers,
}

/// <summary>The answer to a fixed question. Cells are null, text, numbers, DateTime (UTC) or lists of text.</summary>
public sealed record QueryResult(IReadOnlyList<string> Columns, IReadOnlyList<object?[]> Rows);

/// <summary>The SQL of the fixed questions; <c>$since</c>, <c>$until</c> and <c>$limit</c> are literals by then.</summary>
internal static class NamedQueries
{
    private const string Within = "bucket >= date_trunc('minute', $since) AND bucket < $until";

    public static string Sql(NamedQuery query) => query switch
    {
        NamedQuery.Summary => $"""
            SELECT coalesce(sum(connections), 0)::BIGINT AS connections, coalesce(sum(refused), 0)::BIGINT AS refused, coalesce(sum(unanswered), 0)::BIGINT AS unanswered,
                coalesce(sum(fwd_bytes + rev_bytes), 0)::BIGINT AS bytes, count(DISTINCT (src_entity, dst_entity, protocol, dst_port)) AS edges,
                (SELECT count(*) FROM nodes) AS nodes, min(first_seen) AS first_seen, max(last_seen) AS last_seen
            FROM edges_1m WHERE {Within}
            """,
        NamedQuery.EdgesOverTime => $"""
            SELECT * FROM (SELECT bucket, sum(connections)::BIGINT AS connections, sum(refused)::BIGINT AS refused, sum(unanswered)::BIGINT AS unanswered,
                sum(fwd_bytes)::BIGINT AS fwd_bytes, sum(rev_bytes)::BIGINT AS rev_bytes, count(*) AS edges
            FROM edges_1m WHERE {Within} GROUP BY bucket ORDER BY bucket DESC LIMIT $limit) ORDER BY bucket
            """,
        NamedQuery.Dependencies => $"""
            SELECT src_kind, src_namespace, coalesce(nullif(src_workload, ''), src_name) AS src_workload, dst_kind, dst_namespace, coalesce(nullif(dst_workload, ''), dst_name) AS dst_workload,
                svc_name AS service, protocol, dst_port AS port, sum(connections)::BIGINT AS connections, sum(answered)::BIGINT AS answered, sum(refused)::BIGINT AS refused,
                sum(unanswered)::BIGINT AS unanswered, sum(fwd_bytes + rev_bytes)::BIGINT AS bytes, min(first_seen) AS first_seen, max(last_seen) AS last_seen
            FROM edges WHERE {Within} GROUP BY ALL ORDER BY connections DESC, src_workload, dst_workload, protocol, port LIMIT $limit
            """,
        NamedQuery.Unresolved => $"""
            SELECT kind, scope, name AS candidates, side, sum(connections)::BIGINT AS connections, sum(bytes)::BIGINT AS bytes, min(first_seen) AS first_seen, max(last_seen) AS last_seen
            FROM (SELECT src_entity AS entity_id, 'src' AS side, connections, fwd_bytes + rev_bytes AS bytes, first_seen, last_seen FROM edges_1m WHERE src_resolved_by IN (0, 3) AND {Within}
                UNION ALL SELECT dst_entity, 'dst', connections, fwd_bytes + rev_bytes, first_seen, last_seen FROM edges_1m WHERE dst_resolved_by IN (0, 3) AND {Within})
            JOIN entities USING (entity_id) GROUP BY ALL ORDER BY connections DESC, candidates, side LIMIT $limit
            """,
        NamedQuery.Losses => """
            SELECT node, process, since, "at", hop, unit, seen, forwarded, in_flight, reason, dropped FROM losses l
            WHERE "at" >= $since AND "at" < $until QUALIFY rank() OVER (PARTITION BY node, process, hop ORDER BY "at" DESC) = 1
            ORDER BY node, process, hop, reason LIMIT $limit
            """,
        NamedQuery.TopTalkers => $"""
            SELECT src_kind, src_namespace, src_name, dst_kind, dst_namespace, dst_name, protocol, dst_port, sum(fwd_bytes + rev_bytes)::BIGINT AS bytes, sum(connections)::BIGINT AS connections
            FROM edges WHERE {Within} GROUP BY ALL ORDER BY bytes DESC, src_name, dst_name, protocol, dst_port LIMIT $limit
            """,
        _ => throw new ArgumentOutOfRangeException(nameof(query), query, "No such question."),
    };
}
