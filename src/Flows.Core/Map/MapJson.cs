using System.Text;
using System.Text.Json;

namespace Flows.Core.Map;

/// <summary>
/// Writes a map as JSON for programs and pages: <c>{"level", "nodes": [...], "links": [...]}</c>; a link names its ends by the
/// nodes' <c>id</c>. Everything outside ASCII and all of HTML's own characters are escaped, so the text may stand in a page.
/// </summary>
public static class MapJson
{
    /// <summary>The map as indented JSON.</summary>
    public static string Text(MapGraph graph)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            Write(graph, json);
        }

        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }

    /// <summary>Writes the map as one object.</summary>
    public static void Write(MapGraph graph, Utf8JsonWriter json)
    {
        var ids = graph.Nodes.Index().ToDictionary(node => node.Item.Key, node => node.Index + 1);
        json.WriteStartObject();
        json.WriteString("level", MapGraph.TextOf(graph.Level));
        json.WriteStartArray("nodes");
        foreach (var node in graph.Nodes)
        {
            WriteNode(node, ids[node.Key], json);
        }

        json.WriteEndArray();
        json.WriteStartArray("links");
        foreach (var link in graph.Links)
        {
            WriteLink(link, ids, json);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteNode(MapNode node, int id, Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteNumber("id", id);
        json.WriteString("kind", node.Kind);
        json.WriteString("label", node.Label);
        json.WriteString("cluster", node.Cluster);
        json.WriteString("scope", node.Scope);
        json.WriteString("namespace", node.Namespace);
        json.WriteNumber("entities", node.Entities);
        WriteTexts("addresses", node.Addresses, json);
        json.WriteNumber("address_count", node.AddressCount);
        WriteTexts("flags", MapGraph.TextOf(node.Flags), json);
        json.WriteEndObject();
    }

    private static void WriteLink(MapLink link, Dictionary<string, int> ids, Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteNumber("from", ids[link.From.Key]);
        json.WriteNumber("to", ids[link.To.Key]);
        json.WriteStartArray("ports");
        foreach (var port in link.Ports)
        {
            json.WriteStartObject();
            json.WriteString("protocol", Facts.IpProtocol.NameOf(port.Protocol));
            json.WriteNumber("port", port.Port);
            json.WriteNumber("connections", port.Connections);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        foreach (var (name, count) in (ReadOnlySpan<(string, long)>)
            [
                ("connections", link.Connections), ("answered", link.Answered), ("refused", link.Refused), ("unanswered", link.Unanswered),
                ("direction_trusted", link.DirectionTrusted), ("fwd_bytes", link.FwdBytes), ("rev_bytes", link.RevBytes),
                ("fwd_packets", link.FwdPackets), ("rev_packets", link.RevPackets),
            ])
        {
            json.WriteNumber(name, count);
        }

        json.WriteString("first_seen", UnixTime.Text(link.FirstSeenUs));
        json.WriteString("last_seen", UnixTime.Text(link.LastSeenUs));
        WriteTexts("nodes", link.Witnesses, json);
        WriteTexts("backends", link.Backends, json);
        WriteTexts("flags", MapGraph.TextOf(link.Flags), json);
        json.WriteEndObject();
    }

    private static void WriteTexts(string name, IReadOnlyList<string> texts, Utf8JsonWriter json)
    {
        json.WriteStartArray(name);
        foreach (var text in texts)
        {
            json.WriteStringValue(text);
        }

        json.WriteEndArray();
    }
}
