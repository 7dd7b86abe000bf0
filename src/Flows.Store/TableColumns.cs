using Flows.Core.Facts;

namespace Flows.Store;

/// <summary>Names and DuckDB types of a stored table's columns, in stored order.</summary>
internal sealed record TableColumns(params (string Name, string Type)[] All)
{
    public static readonly TableColumns Flows = new([.. FlowColumns.All.Select(column => (column.Name, column.StoreType))]);

    public static readonly TableColumns Edges = new(
        ("bucket", "TIMESTAMP"), ("src_entity", "UBIGINT"), ("dst_entity", "UBIGINT"), ("svc_entity", "UBIGINT"), ("protocol", "UTINYINT"),
        ("dst_port", "USMALLINT"), ("svc_port", "USMALLINT"), ("connections", "BIGINT"), ("answered", "BIGINT"), ("refused", "BIGINT"),
        ("unanswered", "BIGINT"), ("direction_trusted", "BIGINT"), ("snat_unresolved", "BIGINT"), ("fwd_bytes", "BIGINT"), ("rev_bytes", "BIGINT"), ("fwd_packets", "BIGINT"),
        ("rev_packets", "BIGINT"), ("first_seen", "TIMESTAMP"), ("last_seen", "TIMESTAMP"), ("nodes", "UBIGINT[]"),
        ("src_resolved_by", "UTINYINT"), ("dst_resolved_by", "UTINYINT"))
    {
        // snat_unresolved
        Grew = true,
    };

    public static readonly TableColumns Losses = new(
        ("node", "VARCHAR"), ("process", "VARCHAR"), ("since", "TIMESTAMP"), ("at", "TIMESTAMP"), ("hop", "VARCHAR"), ("unit", "VARCHAR"),
        ("seen", "BIGINT"), ("forwarded", "BIGINT"), ("in_flight", "BIGINT"), ("reason", "VARCHAR"), ("dropped", "BIGINT"));

    public static readonly TableColumns Identities = new(
        ("interval_id", "UBIGINT"), ("entity_id", "UBIGINT"), ("scope", "VARCHAR"), ("addr", "BLOB"), ("prefix_len", "UTINYINT"), ("kind", "VARCHAR"),
        ("uid", "VARCHAR"), ("cluster", "VARCHAR"), ("namespace", "VARCHAR"), ("name", "VARCHAR"), ("workload_kind", "VARCHAR"), ("workload", "VARCHAR"),
        ("node", "VARCHAR"), ("host_network", "BOOLEAN"), ("labels", "VARCHAR"), ("selector", "VARCHAR"), ("valid_from", "TIMESTAMP"),
        ("valid_to", "TIMESTAMP"), ("learned_at", "TIMESTAMP"), ("revoked_at", "TIMESTAMP"), ("origin", "VARCHAR"), ("end_uncertain", "BOOLEAN"),
        ("ports", "VARCHAR"))
    {
        // end_uncertain, ports
        Grew = true,
    };

    public static readonly TableColumns Timeline = new(
        ("scope_id", "UBIGINT"), ("addr_lo", "BLOB"), ("addr_hi", "BLOB"), ("prefix_len", "UTINYINT"), ("valid_from", "TIMESTAMP"), ("valid_to", "TIMESTAMP"),
        ("entity_id", "UBIGINT"), ("candidates", "UBIGINT[]"), ("resolved_by", "UTINYINT"), ("learned_at", "TIMESTAMP"));

    public static readonly TableColumns Entities = new(
        ("entity_id", "UBIGINT"), ("kind", "VARCHAR"), ("scope", "VARCHAR"), ("uid", "VARCHAR"), ("cluster", "VARCHAR"), ("namespace", "VARCHAR"),
        ("name", "VARCHAR"), ("workload_kind", "VARCHAR"), ("workload", "VARCHAR"), ("node", "VARCHAR"), ("host_network", "BOOLEAN"),
        ("labels", "VARCHAR"), ("selector", "VARCHAR"), ("ports", "VARCHAR"))
    {
        // ports
        Grew = true,
    };

    /// <summary>What the ports of services meant; see <see cref="Core.Identity.ServicePort"/>.</summary>
    public static readonly TableColumns ServicePorts = new(
        ("interval_id", "UBIGINT"), ("service_id", "UBIGINT"), ("scope", "VARCHAR"), ("protocol", "UTINYINT"), ("port", "USMALLINT"), ("name", "VARCHAR"),
        ("target_port", "VARCHAR"), ("node_port", "USMALLINT"), ("valid_from", "TIMESTAMP"), ("valid_to", "TIMESTAMP"), ("learned_at", "TIMESTAMP"));

    /// <summary>Who stood behind them; see <see cref="Core.Identity.Backend"/>.</summary>
    public static readonly TableColumns Backends = new(
        ("interval_id", "UBIGINT"), ("service_id", "UBIGINT"), ("scope", "VARCHAR"), ("addr", "BLOB"), ("protocol", "UTINYINT"), ("port", "USMALLINT"),
        ("port_name", "VARCHAR"), ("target_id", "UBIGINT"), ("ready", "BOOLEAN"), ("serving", "BOOLEAN"), ("terminating", "BOOLEAN"),
        ("valid_from", "TIMESTAMP"), ("valid_to", "TIMESTAMP"), ("learned_at", "TIMESTAMP"));

    /// <summary>Namespaces, policies and the like; see <see cref="Core.Identity.ClusterObject"/>.</summary>
    public static readonly TableColumns ClusterObjects = new(
        ("interval_id", "UBIGINT"), ("cluster", "VARCHAR"), ("kind", "VARCHAR"), ("namespace", "VARCHAR"), ("name", "VARCHAR"), ("uid", "VARCHAR"),
        ("json", "VARCHAR"), ("valid_from", "TIMESTAMP"), ("valid_to", "TIMESTAMP"), ("learned_at", "TIMESTAMP"));

    /// <summary>What each source could see; see <see cref="CoverageFact"/>.</summary>
    public static readonly TableColumns Coverage = new(
        ("node", "VARCHAR"), ("process", "VARCHAR"), ("at", "TIMESTAMP"), ("source", "VARCHAR"), ("aspect", "VARCHAR"), ("level", "VARCHAR"), ("detail", "VARCHAR"));

    /// <summary>What the owner ids of flows mean; see <see cref="OwnerFact"/>. A collector says it again after a start.</summary>
    public static readonly TableColumns Owners = new(
        ("owner_id", "UBIGINT"), ("node", "VARCHAR"), ("kind", "VARCHAR"), ("name", "VARCHAR"), ("uid", "UINTEGER"), ("cgroup", "VARCHAR"), ("unit", "VARCHAR"),
        ("container_id", "VARCHAR"), ("pod_uid", "VARCHAR"), ("executable", "VARCHAR"), ("pid", "INTEGER"), ("seen_at", "TIMESTAMP"));

    /// <summary>Names that clients were told; see <see cref="NameFact"/>. Addresses are the 16 bytes that flows have.</summary>
    public static readonly TableColumns Names = new(
        ("node", "VARCHAR"), ("scope", "VARCHAR"), ("client", "BLOB"), ("name", "VARCHAR"), ("address", "BLOB"), ("ttl_seconds", "UINTEGER"), ("seen_at", "TIMESTAMP"));

    /// <summary>What a draft of policies would have done to edges, by the hour; see <see cref="Core.Policy.DraftDecision"/>.</summary>
    public static readonly TableColumns Decisions = new(
        ("bucket", "TIMESTAMP"), ("draft", "VARCHAR"), ("src_entity", "UBIGINT"), ("dst_entity", "UBIGINT"), ("svc_entity", "UBIGINT"), ("protocol", "UTINYINT"),
        ("dst_port", "USMALLINT"), ("svc_port", "USMALLINT"), ("verdict", "VARCHAR"), ("why", "VARCHAR"), ("rules", "VARCHAR"), ("connections", "BIGINT"),
        ("first_seen", "TIMESTAMP"), ("last_seen", "TIMESTAMP"), ("cluster", "VARCHAR"))
    {
        // cluster
        Grew = true,
    };

    /// <summary>Temporary: places in question.</summary>
    public static readonly TableColumns Places = new(("scope", "VARCHAR"), ("addr", "BLOB"), ("prefix_len", "UTINYINT"));

    /// <summary>Temporary: see <see cref="AnswerChange"/>.</summary>
    public static readonly TableColumns Changes = new(
        ("scope_id", "UBIGINT"), ("addr_lo", "BLOB"), ("addr_hi", "BLOB"), ("valid_from", "TIMESTAMP"), ("valid_to", "TIMESTAMP"));

    /// <summary>Temporary: ids of entities.</summary>
    public static readonly TableColumns Ids = new(("entity_id", "UBIGINT"));

    /// <summary>Temporary: what entities that changed were, and when; see <see cref="Core.Policy.LabelHistory"/>.</summary>
    public static readonly TableColumns Versions = new(("entity_id", "UBIGINT"), ("version", "INTEGER"), ("valid_from", "TIMESTAMP"), ("valid_to", "TIMESTAMP"));

    /// <summary>Columns were added when stores had been written without them: there they read as null.</summary>
    public bool Grew { get; init; }

    /// <summary>Names of the columns, for a SELECT.</summary>
    public string List => string.Join(", ", All.Select(column => $"\"{column.Name}\""));

    /// <summary>The columns of the table that has this folder.</summary>
    public static TableColumns Of(string table) => table switch
    {
        StoreLayout.Flows => Flows,
        StoreLayout.Edges => Edges,
        StoreLayout.Losses => Losses,
        StoreLayout.Identities => Identities,
        StoreLayout.TimelineTable => Timeline,
        StoreLayout.Entities => Entities,
        StoreLayout.Coverage => Coverage,
        StoreLayout.Owners => Owners,
        StoreLayout.Names => Names,
        StoreLayout.ServicePorts => ServicePorts,
        StoreLayout.Backends => Backends,
        StoreLayout.ClusterObjects => ClusterObjects,
        StoreLayout.Decisions => Decisions,
        _ => throw new ArgumentOutOfRangeException(nameof(table), table, "No such table."),
    };

    /// <summary>The statement that makes an empty temporary table of these columns.</summary>
    public string Create(string name) => $"CREATE OR REPLACE TEMP TABLE {name} ({string.Join(", ", All.Select(column => $"\"{column.Name}\" {column.Type}"))})";
}
