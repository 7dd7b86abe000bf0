using Flows.Core.Facts;
using Flows.Core.Map;

namespace Flows.Store;

/// <summary>
/// The views that people query, over exactly the files of one state. The same SQL is written to <c>views.sql</c> for a stock DuckDB:
/// <c>cd STORE; duckdb -init views.sql</c>.
/// </summary>
internal static class Views
{
    /// <param name="manifest">Names the files.</param>
    /// <param name="prefix">Put before every path; empty for paths relative to the store.</param>
    public static string Sql(Manifest manifest, string prefix) => $"""
        -- Views over this store, for DuckDB: cd into this directory, then: duckdb -init views.sql
        -- Written anew with every state of the store; the files that it names stay for some minutes after they are superseded.
        {Macros.Sql}
        {string.Join("\n", StoreLayout.Tables.Select(table => $"CREATE OR REPLACE VIEW {table} AS SELECT * FROM {ScanOf(table, manifest, prefix)};"))}
        {InventoryViews}
        {Names(manifest)}
        {Named}
        """;

    private static string ScanOf(string table, Manifest manifest, string prefix)
    {
        var scan = LayeredTable.Of(table)?.Scan(prefix, manifest) ?? Engine.Scan(prefix, manifest.FilesOf(table), TableColumns.Of(table));
        return table switch
        {
            // What files of earlier versions do not have.
            StoreLayout.Identities => $"(SELECT * REPLACE (coalesce(end_uncertain, false) AS end_uncertain, coalesce(ports, '{"{}"}') AS ports) FROM {scan})",
            StoreLayout.Entities => $"(SELECT * REPLACE (coalesce(ports, '{"{}"}') AS ports) FROM {scan})",
            _ => scan,
        };
    }

    /// <summary>What held at a moment: of the statements about one interval the one learned last, and of those the one that ends first.</summary>
    private static string InventoryViews => string.Join("\n", new[] { StoreLayout.ServicePorts, StoreLayout.Backends, StoreLayout.ClusterObjects }.Select(table => $"""
        CREATE OR REPLACE MACRO {table}_at(moment) AS TABLE
        SELECT * FROM (SELECT * FROM {table} QUALIFY row_number() OVER (PARTITION BY interval_id ORDER BY learned_at DESC, valid_to NULLS LAST) = 1)
        WHERE valid_from <= moment AND (valid_to IS NULL OR moment < valid_to);
        """));

    private static string Names(Manifest manifest) => $"""
        CREATE OR REPLACE VIEW nodes AS SELECT * FROM (VALUES {Pairs(manifest.Nodes)}) t(node_id, node) WHERE node_id <> 0;
        CREATE OR REPLACE VIEW scopes AS SELECT * FROM (VALUES {Pairs(manifest.Scopes)}) t(scope_id, scope) WHERE scope_id <> 0;
        CREATE OR REPLACE MACRO node_names(ids) AS list_sort(list_transform(ids, lambda id: coalesce({NodeMap(manifest)}[id], id::VARCHAR)));
        CREATE OR REPLACE MACRO state_text(code) AS {CodeText<FlowState>()};
        CREATE OR REPLACE MACRO direction_text(code) AS {CodeText<DirectionBy>()};
        CREATE OR REPLACE MACRO source_text(code) AS {CodeText<FlowSource>()};
        CREATE OR REPLACE MACRO end_reason_text(code) AS {CodeText<EndReason>()};
        CREATE OR REPLACE MACRO resolved_text(code) AS {CodeText<ResolvedBy>()};
        """;

    /// <summary>A map literal from node_id to name; never empty, since an empty one has no type.</summary>
    private static string NodeMap(Manifest manifest)
    {
        var ids = string.Join(", ", manifest.Nodes.Keys.Append("0").Select(id => id + "::UBIGINT"));
        var names = string.Join(", ", manifest.Nodes.Values.Append("").Select(Engine.Text));
        return $"MAP([{ids}], [{names}])";
    }

    private static string Pairs(IReadOnlyDictionary<string, string> names) =>
        string.Join(", ", names.Append(new("0", "")).Select(name => $"({name.Key}::UBIGINT, {Engine.Text(name.Value)})"));

    /// <summary>A code's public name: its member in snake_case.</summary>
    private static string CodeText<T>() where T : struct, Enum
    {
        var cases = Enum.GetValues<T>().Select(code =>
            $"WHEN {Convert.ToInt32(code, System.Globalization.CultureInfo.InvariantCulture)} THEN '{System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(code.ToString())}'");
        return $"CASE code {string.Join(' ', cases)} ELSE code::VARCHAR END";
    }

    /// <summary>
    /// The joins that name one end of a flow: the exact claim when its connection began, else at its own time, else the narrowest range. Spans do not overlap, so a plain range join
    /// finds one at most; DuckDB 1.5.6's ASOF LEFT JOIN gave rows without a match the values of another row.
    /// </summary>
    private static string NameJoin(string end, string address) => $"""
        LEFT JOIN (SELECT * FROM timeline WHERE prefix_len = 128) {end}_x ON {end}_x.scope_id = f.scope_id AND {end}_x.addr_lo = {address}
            AND f.window_start >= {end}_x.valid_from AND f.window_start < coalesce({end}_x.valid_to, 'infinity'::TIMESTAMP)
        LEFT JOIN (SELECT * FROM timeline WHERE prefix_len = 128) {end}_b ON f.conn_start < f.window_start AND {end}_b.scope_id = f.scope_id AND {end}_b.addr_lo = {address}
            AND f.conn_start >= {end}_b.valid_from AND f.conn_start < coalesce({end}_b.valid_to, 'infinity'::TIMESTAMP)
        LEFT JOIN (SELECT * FROM timeline WHERE prefix_len < 128) {end}_r ON {end}_r.scope_id = f.scope_id AND {address} >= {end}_r.addr_lo AND {address} <= {end}_r.addr_hi
            AND f.window_start >= {end}_r.valid_from AND f.window_start < coalesce({end}_r.valid_to, 'infinity'::TIMESTAMP)
        LEFT JOIN entities {end}_e ON {end}_e.entity_id = coalesce({end}_b.entity_id, {end}_x.entity_id, {end}_r.entity_id)
        """;

    /// <summary>
    /// The joins that say whose sockets a flow's ends are, and by which name its initiator knew the address that it dialled: the last binding that the same
    /// client was given for it by then, for as long as it counts (<see cref="Asking"/>). Both sides have one row a key, so no flow is doubled. The names are joined from their side, since they are few
    /// beside the flows: without any, this costs nothing.
    /// </summary>
    private static readonly string FactJoins = $"""
        LEFT JOIN owned src_o ON src_o.owner_id = f.src_owner_id AND src_o.node = n.node
        LEFT JOIN owned dst_o ON dst_o.owner_id = f.dst_owner_id AND dst_o.node = n.node
        LEFT JOIN (
            SELECT d.scope_id, d.src_addr, d.dst_addr, d.window_start, arg_max(t.name, (t.seen_at, t.name)) AS fqdn
            FROM flows d
            JOIN (SELECT s.scope_id, m.client, m.address, m.name, m.seen_at, m.seen_at + {Asking.Grace("m.ttl_seconds")} AS ends_at
                FROM names m JOIN scopes s ON s.scope = m.scope) t
                ON t.scope_id = d.scope_id AND t.client = d.src_addr AND t.address = d.dst_addr AND t.seen_at <= d.window_start + {Asking.Slack} AND d.window_start < t.ends_at
            GROUP BY d.scope_id, d.src_addr, d.dst_addr, d.window_start) told
            ON told.scope_id = f.scope_id AND told.src_addr = f.src_addr AND told.dst_addr = f.dst_addr AND told.window_start = f.window_start
        """;

    /// <summary>Owners as last told, by id and by the node that may speak of it; and what sources did not see, until they said otherwise.</summary>
    private const string FactViews = """
        CREATE OR REPLACE VIEW owned AS
        SELECT node, owner_id, arg_max(kind || '/' || name, seen_at) AS owner FROM owners GROUP BY node, owner_id;
        CREATE OR REPLACE VIEW gaps AS
        SELECT node, source, aspect, level, since, until, detail
        FROM (SELECT node, source, aspect, level, detail, "at" AS since, lead("at") OVER (PARTITION BY node, source, aspect ORDER BY "at", process, level) AS until FROM coverage)
        WHERE level <> 'full' AND (until IS NULL OR until > since);
        """;

    private static string NameColumns(string end, string kind, string name) =>
        $"{kind} AS {end}_kind, {end}_e.namespace AS {end}_namespace, {end}_e.workload AS {end}_workload, {name} AS {end}_name";

    /// <summary>The name of a flow's own end: who is unknown has an empty namespace and workload, as in the edges.</summary>
    private static string EndColumns(string end, string kind, string name) =>
        $"{kind} AS {end}_kind, coalesce({end}_e.namespace, '') AS {end}_namespace, coalesce({end}_e.workload, '') AS {end}_workload, {name} AS {end}_name";

    private static string Named => $"""
        {FactViews}
        CREATE OR REPLACE VIEW flow_log AS
        SELECT f.window_start, f.window_end, f.conn_start, n.node, sc.scope,
            {EndColumns("src", "coalesce(src_e.kind, 'unknown')", "coalesce(src_e.name, addr(f.src_addr))")}, addr(f.src_addr) AS src_addr, f.src_port,
            {EndColumns("dst", "coalesce(dst_e.kind, 'unknown')", "coalesce(dst_e.name, addr(coalesce(f.nat_dst_addr, f.dst_addr)))")}, addr(f.dst_addr) AS dst_addr, f.dst_port,
            {NameColumns(
                "svc",
                "CASE WHEN f.nat_dst_addr IS NOT NULL THEN coalesce(svc_e.kind, 'unknown') END",
                "CASE WHEN f.nat_dst_addr IS NOT NULL THEN coalesce(svc_e.name, addr(f.dst_addr)) END")},
            addr(f.nat_dst_addr) AS nat_dst_addr, f.nat_dst_port, addr(f.nat_src_addr) AS nat_src_addr, f.nat_src_port, protocol_text(f.protocol) AS protocol,
            f.fwd_packets, f.rev_packets, f.fwd_bytes, f.rev_bytes, f.fwd_tcp_flags, f.rev_tcp_flags, f.icmp_type_code,
            state_text(f.state) AS state, end_reason_text(f.end_reason) AS end_reason, direction_text(f.direction_by) AS direction_by, source_text(f.source) AS source,
            f.conn_id, f.window_no, f.sampling, f.zone, src_o.owner AS src_owner, dst_o.owner AS dst_owner, told.fqdn AS dst_fqdn, f.batch_id
        FROM (SELECT *, coalesce(nat_dst_addr, dst_addr) AS answered_addr, CASE WHEN nat_dst_addr IS NOT NULL THEN dst_addr END AS svc_addr FROM flows) f
        LEFT JOIN nodes n ON n.node_id = f.node_id LEFT JOIN scopes sc ON sc.scope_id = f.scope_id
        {NameJoin("src", "f.src_addr")}
        {NameJoin("dst", "f.answered_addr")}
        {NameJoin("svc", "f.svc_addr")}
        {FactJoins};
        CREATE OR REPLACE VIEW edges AS
        SELECT e.bucket, {NameColumns("src", "s.kind", "s.name").Replace("src_e.", "s.", StringComparison.Ordinal)},
            {NameColumns("dst", "d.kind", "d.name").Replace("dst_e.", "d.", StringComparison.Ordinal)},
            {NameColumns("svc", "v.kind", "v.name").Replace("svc_e.", "v.", StringComparison.Ordinal)}, protocol_text(e.protocol) AS protocol, e.dst_port, e.svc_port,
            e.connections, e.answered, e.refused, e.unanswered, e.direction_trusted, coalesce(e.snat_unresolved, 0) AS snat_unresolved,
            e.fwd_bytes, e.rev_bytes, e.fwd_packets, e.rev_packets, e.first_seen, e.last_seen,
            node_names(e.nodes) AS nodes, resolved_text(e.src_resolved_by) AS src_resolved_by, resolved_text(e.dst_resolved_by) AS dst_resolved_by,
            e.src_entity, e.dst_entity, e.svc_entity
        FROM edges_1m e LEFT JOIN entities s ON s.entity_id = e.src_entity LEFT JOIN entities d ON d.entity_id = e.dst_entity LEFT JOIN entities v ON v.entity_id = e.svc_entity;
        CREATE OR REPLACE VIEW decisions AS
        SELECT e.bucket, e.draft, e.cluster, e.verdict, {NameColumns("src", "s.kind", "s.name").Replace("src_e.", "s.", StringComparison.Ordinal)},
            {NameColumns("dst", "d.kind", "d.name").Replace("dst_e.", "d.", StringComparison.Ordinal)},
            {NameColumns("svc", "v.kind", "v.name").Replace("svc_e.", "v.", StringComparison.Ordinal)}, protocol_text(e.protocol) AS protocol, e.dst_port, e.svc_port,
            e.connections, e.why, e.rules, e.first_seen, e.last_seen, e.src_entity, e.dst_entity, e.svc_entity
        FROM decisions_1h e LEFT JOIN entities s ON s.entity_id = e.src_entity LEFT JOIN entities d ON d.entity_id = e.dst_entity LEFT JOIN entities v ON v.entity_id = e.svc_entity;
        CREATE OR REPLACE VIEW dependencies AS
        SELECT src_kind, src_namespace, coalesce(nullif(src_workload, ''), src_name) AS src_workload, dst_kind, dst_namespace, coalesce(nullif(dst_workload, ''), dst_name) AS dst_workload,
            svc_namespace, svc_name AS service, protocol, dst_port AS port, sum(connections)::BIGINT AS connections, sum(answered)::BIGINT AS answered, sum(refused)::BIGINT AS refused,
            sum(unanswered)::BIGINT AS unanswered, sum(fwd_bytes + rev_bytes)::BIGINT AS bytes, min(first_seen) AS first_seen, max(last_seen) AS last_seen,
            list_sort(list_distinct(flatten(list(nodes)))) AS nodes
        FROM edges GROUP BY ALL;
        CREATE OR REPLACE VIEW unresolved AS
        SELECT x.kind, x.scope, x.name AS candidates, u.side, sum(u.connections)::BIGINT AS connections, sum(u.bytes)::BIGINT AS bytes, count(*) AS edges,
            min(u.first_seen) AS first_seen, max(u.last_seen) AS last_seen
        FROM (SELECT src_entity AS entity_id, 'src' AS side, connections, fwd_bytes + rev_bytes AS bytes, first_seen, last_seen FROM edges_1m WHERE src_resolved_by IN (0, 3)
            UNION ALL SELECT dst_entity, 'dst', connections, fwd_bytes + rev_bytes, first_seen, last_seen FROM edges_1m WHERE dst_resolved_by IN (0, 3)) u
        JOIN entities x USING (entity_id) GROUP BY ALL;
        CREATE OR REPLACE MACRO who(address, moment) AS TABLE
        WITH spans AS (SELECT * FROM timeline WHERE as_ip(address) >= addr_lo AND as_ip(address) <= addr_hi AND valid_from <= moment AND (valid_to IS NULL OR moment < valid_to)),
            best AS (SELECT * FROM spans s WHERE prefix_len = 128 OR NOT EXISTS (SELECT 1 FROM spans x WHERE x.prefix_len = 128 AND x.scope_id = s.scope_id))
        SELECT e.scope, e.kind, e.namespace, e.name, e.workload_kind, e.workload, e.node, b.valid_from, b.valid_to, resolved_text(b.resolved_by) AS resolved_by, e.entity_id
        FROM (SELECT *, unnest(candidates) AS candidate FROM best) b JOIN entities e ON e.entity_id = b.candidate ORDER BY e.scope, e.name;
        """;
}
