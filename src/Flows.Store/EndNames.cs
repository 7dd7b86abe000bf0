using Flows.Core;
using Flows.Core.Identity;

namespace Flows.Store;

/// <summary>The scans that say who somebody was: what the ledger, the nodes' sockets and DNS answers told.</summary>
/// <param name="Timeline">Who held each address, and when.</param>
/// <param name="Entities">What is known of each holder.</param>
/// <param name="Owners">Whose sockets the owner ids of flows are.</param>
/// <param name="Names">The DNS answers that were seen.</param>
/// <param name="ServicePorts">Which service answers at a port of every node.</param>
internal sealed record NameScans(string Timeline, string Entities, string Owners, string Names, string ServicePorts);

/// <summary>
/// Who the ends of connections were, in the order of belief: the pod or host that owned the very socket, as its node's kernel told; the exact
/// claim on the address when the connection began, since it cannot change hands with the address; the one when it was first seen; for the responder,
/// the name by which this client had asked for the address; the narrowest range; else the address stands for itself.
/// </summary>
internal static class EndNames
{
    /// <summary>
    /// Fills <c>ends</c> (every address once, with the entity that it is while nobody holds it), <c>spans</c> (who holds them), <c>sockets</c>
    /// (whom an owner id means, by the node that may speak of it), <c>asked</c> (the name by which a client knew an address) and <c>node_ports</c> (whose port of every node it is).
    /// </summary>
    /// <param name="seen">The flows.</param>
    /// <param name="scans">Who was told about.</param>
    /// <param name="from">SQL of the first time.</param>
    /// <param name="to">SQL of the end.</param>
    public static string Tables(string seen, NameScans scans, string from, string to) => $"""
        CREATE OR REPLACE TEMP TABLE ends AS
        SELECT row_number() OVER () AS end_id, e.scope_id, e.end_addr, s.scope, addr(e.end_addr) AS address, stable_id('unknown', s.scope, addr(e.end_addr)) AS stranger
        FROM (SELECT DISTINCT scope_id, src_addr AS end_addr FROM {seen} UNION SELECT DISTINCT scope_id, dst_addr FROM {seen}
            UNION SELECT DISTINCT scope_id, nat_dst_addr FROM {seen} WHERE nat_dst_addr IS NOT NULL) e LEFT JOIN scope_names s USING (scope_id);
        CREATE OR REPLACE TEMP TABLE spans AS
        WITH within AS (SELECT * FROM {scans.Timeline} WHERE valid_from < {to} AND (valid_to IS NULL OR valid_to > {from})),
        held AS (
            SELECT e.end_id, true AS exact, t.* FROM within t JOIN ends e ON e.scope_id = t.scope_id AND e.end_addr = t.addr_lo WHERE t.prefix_len = 128
            UNION ALL
            SELECT e.end_id, false, t.* FROM within t JOIN ends e ON e.scope_id = t.scope_id AND e.end_addr >= t.addr_lo AND e.end_addr <= t.addr_hi WHERE t.prefix_len < 128),
        nodes_of AS (
            SELECT h.end_id, h.valid_from, min(stable_id('node', n.name)) AS of_node
            FROM (SELECT end_id, valid_from, unnest(candidates) AS candidate FROM held WHERE exact) h
            JOIN (SELECT DISTINCT entity_id, name FROM {scans.Entities} WHERE kind = 'node') n ON n.entity_id = h.candidate GROUP BY ALL)
        SELECT h.end_id, h.exact, h.valid_from, coalesce(h.valid_to, 'infinity'::TIMESTAMP) AS valid_to, h.entity_id, h.candidates, h.resolved_by, h.learned_at, n.of_node
        FROM held h LEFT JOIN nodes_of n ON h.exact AND n.end_id = h.end_id AND n.valid_from = h.valid_from;
        CREATE OR REPLACE TEMP TABLE sockets AS
        WITH ids AS (SELECT DISTINCT src_owner_id AS owner_id FROM {seen} WHERE src_owner_id IS NOT NULL UNION SELECT DISTINCT dst_owner_id FROM {seen} WHERE dst_owner_id IS NOT NULL),
        told AS (SELECT owner_id, node, arg_max(pod_uid, seen_at) AS pod_uid FROM {scans.Owners} SEMI JOIN ids USING (owner_id) GROUP BY owner_id, node),
        named AS (SELECT DISTINCT entity_id, kind, scope, uid, name FROM {scans.Entities} WHERE kind IN ('pod', 'node', 'host', 'vm'))
        SELECT t.owner_id, stable_id('node', t.node) AS teller, stable_id('scope', n.scope) AS scope_id, true AS is_pod, min(n.entity_id) AS entity
        FROM told t JOIN named n ON n.kind = 'pod' AND n.uid = t.pod_uid
        WHERE t.pod_uid <> '' GROUP BY ALL
        UNION ALL
        SELECT t.owner_id, stable_id('node', t.node), stable_id('scope', n.scope), false, arg_min(n.entity_id, (n.kind <> 'node', n.entity_id))
        FROM told t JOIN named n ON n.kind <> 'pod' AND n.name = t.node
        WHERE t.pod_uid = '' GROUP BY ALL;
        CREATE OR REPLACE TEMP TABLE asked AS
        WITH answers AS (
            SELECT c.end_id AS client_id, a.end_id AS address_id, n.scope, n.seen_at, max(n.name) AS name, max(n.ttl_seconds) AS ttl
            FROM {scans.Names} n JOIN ends c ON c.scope = n.scope AND c.end_addr = n.client JOIN ends a ON a.scope = n.scope AND a.end_addr = n.address
            WHERE n.seen_at < {to} GROUP BY ALL)
        SELECT client_id, address_id, scope, name, stable_id('entity', '', 'external', scope || '/' || name) AS entity, seen_at - {Asking.Slack} AS valid_from,
            least(seen_at + {Asking.Grace("ttl")}, lead(seen_at - {Asking.Slack}, 1, 'infinity'::TIMESTAMP) OVER (PARTITION BY client_id, address_id ORDER BY seen_at)) AS valid_to
        FROM answers;
        CREATE OR REPLACE TEMP TABLE node_ports AS
        WITH latest AS (
            SELECT scope, protocol, node_port, valid_from, arg_max(struct_pack(service := service_id, until := valid_to), learned_at) AS said
            FROM {scans.ServicePorts} WHERE node_port <> 0 AND valid_from < {to} GROUP BY scope, protocol, node_port, interval_id, valid_from)
        SELECT stable_id('scope', scope) AS scope_id, protocol, node_port, said.service AS entity, valid_from,
            least(coalesce(said.until, 'infinity'::TIMESTAMP), lead(valid_from, 1, 'infinity'::TIMESTAMP) OVER (PARTITION BY scope, protocol, node_port ORDER BY valid_from, said.service)) AS valid_to
        FROM latest
        """;

    /// <summary>
    /// Fills <c>held_then</c>: who held the addresses of connections that are older than what was seen of them when they began. They are few, so that all
    /// others pay for a look into a small table only.
    /// </summary>
    /// <param name="connections">SQL of the connections.</param>
    public static string HeldThen(string connections) => $"""
        CREATE OR REPLACE TEMP TABLE held_then AS
        WITH older AS (SELECT DISTINCT scope_id, begun, unnest([src, dst, svc]) AS end_addr FROM {connections} WHERE begun < first_seen)
        SELECT e.end_id, o.begun, s.entity_id, s.candidates, s.resolved_by, s.learned_at, s.of_node
        FROM older o JOIN ends e ON e.scope_id = o.scope_id AND e.end_addr = o.end_addr
        JOIN spans s ON s.exact AND s.end_id = e.end_id AND o.begun >= s.valid_from AND o.begun < s.valid_to
        """;

    public const string Drop = "DROP TABLE held_then; DROP TABLE ends; DROP TABLE spans; DROP TABLE sockets; DROP TABLE asked; DROP TABLE node_ports";

    /// <summary>The join of a connection's end, of its holder at the time, and of its socket's owner. Nothing of it overlaps, so no connection is doubled.</summary>
    /// <param name="end">How the joined rows are called.</param>
    /// <param name="address">SQL of its address.</param>
    /// <param name="owner">The side, <c>src</c> or <c>dst</c>, whose socket it is; null where it has none.</param>
    public static string Joins(string end, string address, string? owner) => $"""
        ends {end} ON {end}.scope_id = m.scope_id AND {end}.end_addr = {address}
        LEFT JOIN (SELECT * FROM spans WHERE exact) {end}_x ON {end}_x.end_id = {end}.end_id AND m.first_seen >= {end}_x.valid_from AND m.first_seen < {end}_x.valid_to
        LEFT JOIN held_then {end}_b ON {end}_b.end_id = {end}.end_id AND {end}_b.begun = m.begun AND m.begun < m.first_seen
        LEFT JOIN (SELECT * FROM spans WHERE NOT exact) {end}_r ON {end}_r.end_id = {end}.end_id AND m.first_seen >= {end}_r.valid_from AND m.first_seen < {end}_r.valid_to
        {(owner is null ? "" : $"LEFT JOIN sockets {end}_o ON {end}_o.owner_id = m.{owner}_owner AND {end}_o.teller = m.{owner}_teller AND {end}_o.scope_id = m.scope_id")}
        """;

    /// <summary>The name by which the client had asked for the responder's address when the connection began.</summary>
    public const string Asked = "LEFT JOIN asked q ON q.client_id = s.end_id AND q.address_id = d.end_id AND m.begun >= q.valid_from AND m.begun < q.valid_to";

    /// <summary>The service that answers at the dialled port of a node's own address.</summary>
    public static readonly string NodePort = $"""
        LEFT JOIN node_ports np ON ({NodeOf("v")}) IS NOT NULL AND np.scope_id = m.scope_id AND np.protocol = m.protocol AND np.node_port = m.svc_port
            AND m.first_seen >= np.valid_from AND m.first_seen < np.valid_to
        """;

    /// <summary>The node whose own address the end has.</summary>
    public static string NodeOf(string end) => $"CASE WHEN {end}_b.end_id IS NOT NULL THEN {end}_b.of_node ELSE {end}_x.of_node END";

    /// <summary>Whom the end is taken for.</summary>
    public static string Entity(string end, bool owned, bool asked) =>
        $"coalesce({(owned ? Owner(end) + ", " : "")}{end}_b.entity_id, {end}_x.entity_id, {(asked ? "q.entity, " : "")}{end}_r.entity_id, {end}.stranger)";

    /// <summary>Why, as <see cref="Core.Map.ResolvedBy"/>: an owner counts where it says more than the address did.</summary>
    public static string ResolvedBy(string end, bool owned, bool asked) => $"""
        (CASE {(owned ? $"WHEN {Owner(end)} IS NOT NULL AND {Owner(end)} IS DISTINCT FROM {Held(end, "entity_id")} THEN 4 " : "")}
            WHEN {Held(end, "resolved_by")} = 1 AND {Held(end, "learned_at")} > m.bucket + INTERVAL 2 MINUTE THEN 2
            WHEN {Held(end, "resolved_by")} IS NOT NULL THEN {Held(end, "resolved_by")}
            {(asked ? "WHEN q.entity IS NOT NULL THEN 5 " : "")}
            ELSE coalesce({end}_r.resolved_by, 0) END)::UTINYINT
        """;

    /// <summary>What the exact claim says: the one when the connection began, else the one when it was first seen.</summary>
    private static string Held(string end, string column) => $"coalesce({end}_b.{column}, {end}_x.{column})";

    /// <summary>
    /// A pod's socket is the pod's whatever its address. Any other socket is the machine's, but says so only where the machine is one of several
    /// candidates: inside a container the collector may not see more than that.
    /// </summary>
    private static string Owner(string end) => $"CASE WHEN {end}_o.is_pod OR list_contains({Held(end, "candidates")}, {end}_o.entity) THEN {end}_o.entity END";

    /// <summary>Peers that no ledger names: <c>strangers</c> by address, and by the names that clients asked for.</summary>
    public const string Strangers = """
        CREATE OR REPLACE TEMP TABLE strangers AS
        WITH met AS (SELECT src_entity AS entity FROM rolled UNION SELECT dst_entity FROM rolled UNION SELECT svc_entity FROM rolled WHERE svc_entity IS NOT NULL)
        SELECT 'unknown' AS kind, scope, '' AS uid, address AS name, stranger AS entity FROM ends WHERE stranger IN (FROM met)
        UNION
        SELECT 'external', scope, scope || '/' || name, name, entity FROM asked WHERE entity IN (FROM met)
        """;
}
