namespace Flows.Web;

/// <summary>
/// The fixed questions that pages and dashboards may ask: no SQL of a person runs in the serving process. The column names are public:
/// dashboards name them, and a test holds the dashboards to this list.
/// </summary>
public sealed record NamedQuery(string Name, string Description, IReadOnlyList<string> Columns)
{
    public static IReadOnlyList<NamedQuery> All { get; } =
    [
        new("edges_over_time", "Connections and bytes per bucket of time, namespace and outcome.",
            ["time", "namespace", "connections", "answered", "refused", "unanswered", "fwd_bytes", "rev_bytes"]),
        new("dependencies", "Which workload depends on which, with ports and volumes.",
            ["src", "dst", "service", "protocol", "dst_port", "connections", "answered", "refused", "unanswered", "fwd_bytes", "rev_bytes", "first_seen", "last_seen"]),
        new("unresolved", "Ends that no inventory named, by traffic.",
            ["address", "scope", "resolved_by", "connections", "bytes", "first_seen", "last_seen"]),
        new("losses", "What was dropped, where and why.",
            ["time", "node", "hop", "unit", "reason", "count"]),
        new("summary", "The store in one row.",
            ["flows", "connections", "edges", "entities", "unresolved_share", "bytes", "first_seen", "last_seen"]),
    ];

    /// <summary>The question with this name, or null.</summary>
    public static NamedQuery? Of(string name) => All.FirstOrDefault(query => query.Name == name);
}
