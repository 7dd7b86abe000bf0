using System.Globalization;
using System.Text;
using Flows.Core.Facts;

namespace Flows.Core.Map;

/// <summary>Writes maps as Graphviz DOT, Mermaid, and rows of a table. Names in them are text of strangers and can never become syntax.</summary>
public static class MapText
{
    /// <summary>Ports that a label or cell lists; a scan's link has thousands. JSON has all of them.</summary>
    private const int PortsShown = 8;

    /// <summary>The columns of <see cref="Rows"/>.</summary>
    public static IReadOnlyList<string> Columns { get; } =
        ["from", "from_kind", "to", "to_kind", "ports", "connections", "answered", "refused", "unanswered", "bytes", "first_seen", "last_seen", "nodes", "flags"];

    /// <summary>One row per link, in the order of the links.</summary>
    public static IEnumerable<object?[]> Rows(MapGraph graph) => graph.Links.Select(link => new object?[]
    {
        LabelOf(link.From), link.From.Kind, LabelOf(link.To), link.To.Kind, PortsOf(link), link.Connections, link.Answered, link.Refused, link.Unanswered,
        link.FwdBytes + link.RevBytes, UnixTime.Text(link.FirstSeenUs), UnixTime.Text(link.LastSeenUs), link.Witnesses, MapGraph.TextOf(link.Flags),
    });

    /// <summary>A Graphviz digraph: <c>flows map --output dot | dot -Tsvg</c>.</summary>
    public static string Dot(MapGraph graph)
    {
        var names = NamesOf(graph);
        var text = new StringBuilder("digraph flows {\n  rankdir=LR;\n  node [shape=box];\n");
        foreach (var node in graph.Nodes)
        {
            var style = (node.Flags & (MapMarks.UnknownEnd | MapMarks.AmbiguousEnd)) != 0 ? ", style=dashed" : "";
            text.Append(CultureInfo.InvariantCulture, $"  {names[node.Key]} [label=\"{InDot(LabelOf(node))}\\n{InDot(DetailOf(node))}\"{style}];\n");
        }

        foreach (var link in graph.Links)
        {
            var style = IsDoubtful(link) ? ", style=dashed" : "";
            text.Append(CultureInfo.InvariantCulture, $"  {names[link.From.Key]} -> {names[link.To.Key]} [label=\"{InDot(LabelOf(link))}\"{style}];\n");
        }

        return text.Append("}\n").ToString();
    }

    /// <summary>A Mermaid flowchart, for pages that render it.</summary>
    public static string Mermaid(MapGraph graph)
    {
        var names = NamesOf(graph);
        var text = new StringBuilder("flowchart LR\n");
        foreach (var node in graph.Nodes)
        {
            text.Append(CultureInfo.InvariantCulture, $"  {names[node.Key]}[\"{InMermaid(LabelOf(node))}<br/>{InMermaid(DetailOf(node))}\"]\n");
        }

        foreach (var link in graph.Links)
        {
            var arrow = IsDoubtful(link) ? "-.->" : "-->";
            text.Append(CultureInfo.InvariantCulture, $"  {names[link.From.Key]} {arrow}|\"{InMermaid(LabelOf(link))}\"| {names[link.To.Key]}\n");
        }

        return text.ToString();
    }

    /// <summary>What a node is called where there is no room for lists: its label, and of unknown ends the addresses.</summary>
    private static string LabelOf(MapNode node) => node.AddressCount switch
    {
        0 => VisibleText.Of(node.Label),
        1 when node.Addresses[0] == node.Label => VisibleText.Of(node.Label),
        _ => VisibleText.Of($"{node.Label} ({string.Join(", ", node.Addresses)}{(node.AddressCount > node.Addresses.Count ? $" and {node.AddressCount - node.Addresses.Count} more" : "")})"),
    };

    private static string DetailOf(MapNode node) => (node.Entities > 1 ? $"{node.Kind}, {node.Entities}" : node.Kind)
        + (node.Flags.HasFlag(MapMarks.Scanner) ? ", scanner" : "");

    private static string LabelOf(MapLink link)
    {
        var flags = MapGraph.TextOf(link.Flags & ~(MapMarks.AmbiguousEnd | MapMarks.UnknownEnd));
        return $"{PortsOf(link)}: {link.Connections.ToString(CultureInfo.InvariantCulture)}{(flags.Count > 0 ? $" ({string.Join(", ", flags)})" : "")}";
    }

    private static string PortsOf(MapLink link)
    {
        var shown = string.Join(' ', link.Ports.Take(PortsShown).Select(TextOf));
        return link.Ports.Count > PortsShown ? $"{shown} and {link.Ports.Count - PortsShown} more" : shown;
    }

    /// <summary>Such as <c>tcp/443</c>; the bare protocol where it has no ports.</summary>
    internal static string TextOf(MapPort port) => port.Port == 0 && port.Protocol is not (IpProtocol.Tcp or IpProtocol.Udp or IpProtocol.Sctp)
        ? IpProtocol.NameOf(port.Protocol)
        : $"{IpProtocol.NameOf(port.Protocol)}/{port.Port.ToString(CultureInfo.InvariantCulture)}";

    private static bool IsDoubtful(MapLink link) =>
        (link.Flags & (MapMarks.RefusedOnly | MapMarks.UnansweredOnly | MapMarks.FailedOnly | MapMarks.UntrustedDirection)) != 0;

    /// <summary>Nodes are called n1, n2, ... in the text, so a name never stands where syntax could.</summary>
    private static Dictionary<string, string> NamesOf(MapGraph graph) => graph.Nodes.Index()
        .ToDictionary(node => node.Item.Key, node => string.Create(CultureInfo.InvariantCulture, $"n{node.Index + 1}"));

    /// <summary>
    /// Within double quotes DOT knows the quote and the backslash; a doubled backslash also defuses escapes such as \N, and the HTML
    /// entities that Graphviz reads in labels begin with an ampersand.
    /// </summary>
    private static string InDot(string text) => VisibleText.Of(text)
        .Replace("&", "&amp;", StringComparison.Ordinal)
        .Replace("\\", "\\\\", StringComparison.Ordinal)
        .Replace("\"", "\\\"", StringComparison.Ordinal);

    /// <summary>
    /// Mermaid has directives (%%{...}%%), markdown (`...`), HTML and its own entities (#34;) even within quotes, so all but plain characters
    /// of ASCII is written as an entity.
    /// </summary>
    private static string InMermaid(string text)
    {
        var safe = new StringBuilder(text.Length);
        foreach (var rune in VisibleText.Of(text).EnumerateRunes())
        {
            _ = Rune.IsLetterOrDigit(rune) || " ._-/:,()".Contains((char)rune.Value, StringComparison.Ordinal)
                ? safe.Append(rune)
                : safe.Append(CultureInfo.InvariantCulture, $"#{rune.Value};");
        }

        return safe.ToString();
    }
}
