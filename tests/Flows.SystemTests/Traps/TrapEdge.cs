using System.Text.Json;

namespace Flows.SystemTests.Traps;

/// <summary>A row of the view <c>edges</c>, summed over time, as one line to compare: who called whom at which port through what, how often, how it ended, how we know, who saw it.</summary>
internal static class TrapEdge
{
    public const string Query = """
        SELECT dst_port, src_kind, src_namespace, src_name, dst_kind, dst_namespace, dst_name, svc_namespace, svc_name, svc_port, protocol, src_resolved_by, dst_resolved_by,
            sum(connections)::BIGINT AS connections, sum(answered)::BIGINT AS answered, sum(refused)::BIGINT AS refused, sum(unanswered)::BIGINT AS unanswered,
            sum(connections - direction_trusted)::BIGINT AS untrusted, sum(snat_unresolved)::BIGINT AS hidden, list_sort(list_distinct(flatten(list(nodes)))) AS nodes
        FROM edges GROUP BY ALL ORDER BY ALL
        """;

    /// <summary>Such as <c>pod shop/a -> pod shop/b tcp/8080 via shop/web:80 | 2 answered | as_of as_of | node-a node-b</c>.</summary>
    public static string Text(JsonElement row)
    {
        var service = Word("svc_name").Length > 0 ? $" via {Name("svc")}:{row.GetProperty("svc_port").GetInt32()}" : "";
        var counts = new[] { "answered", "refused", "unanswered", "untrusted", "hidden" }.Select(what => (What: what, Count: row.GetProperty(what).GetInt64())).ToList();
        var silent = row.GetProperty("connections").GetInt64() - counts.Take(3).Sum(one => one.Count);
        var told = counts.Append(("without an end", silent)).Where(one => one.Item2 != 0).Select(one => $"{one.Item2} {one.Item1}");
        return $"{Word("src_kind")} {Name("src")} -> {Word("dst_kind")} {Name("dst")} {Word("protocol")}/{row.GetProperty("dst_port").GetInt32()}{service}"
            + $" | {string.Join(", ", told)} | {Word("src_resolved_by")} {Word("dst_resolved_by")} | {string.Join(' ', row.GetProperty("nodes").EnumerateArray().Select(node => node.GetString()))}";

        string Word(string column) => row.GetProperty(column) is { ValueKind: JsonValueKind.String } text ? text.GetString()! : "";
        string Name(string end) => Word($"{end}_namespace") is { Length: > 0 } space ? $"{space}/{Word($"{end}_name")}" : Word($"{end}_name");
    }
}
