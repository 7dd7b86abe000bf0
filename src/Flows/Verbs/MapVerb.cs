using System.CommandLine;
using Flows.Core;
using Flows.Core.Map;
using Flows.Store;

namespace Flows.Verbs;

/// <summary><c>flows map</c>: what talks to what, as coarse as asked.</summary>
internal static class MapVerb
{
    public static Command Create()
    {
        var store = CommonOptions.Store();
        var since = CommonOptions.Since();
        var until = CommonOptions.Until();
        var output = CommonOptions.Output("table", "json", "csv", "dot", "mermaid");
        var level = new Option<string>("--level", "-l")
        {
            Description = "What stands for a node of the map.",
            HelpName = string.Join('|', Enum.GetValues<MapLevel>().Select(MapGraph.TextOf)),
            DefaultValueFactory = _ => MapGraph.TextOf(MapLevel.Workload),
        };
        level.AcceptOnlyFromAmong([.. Enum.GetValues<MapLevel>().Select(MapGraph.TextOf)]);

        var verb = new Command("map", """
            Draw who talked to whom, with the names that held at the time.

            Example: the namespaces of the last day, as a picture
              flows map --store /var/lib/flows --level namespace --since 1d --output dot | dot -Tsvg > map.svg
            """)
        { store, since, until, level, output };
        verb.SetAction(parsed =>
        {
            var (sinceUs, untilUs) = CommonOptions.Span(parsed.GetValue(since), parsed.GetValue(until), TimeProvider.System);
            var chosen = Enum.GetValues<MapLevel>().First(one => MapGraph.TextOf(one) == parsed.GetValue(level));
            using var reader = StoreReader.Open(parsed.GetRequiredValue(store).FullName);
            Print(EdgeGraph.Of(reader.Edges(sinceUs, untilUs), chosen), parsed.GetRequiredValue(output), parsed.InvocationConfiguration.Output);
            return (int)ExitCode.Ok;
        });
        return verb;
    }

    /// <summary>Prints a map in one of the verb's formats.</summary>
    internal static void Print(MapGraph graph, string format, TextWriter to)
    {
        switch (format)
        {
            case "json":
                to.WriteLine(MapJson.Text(graph));
                break;
            case "dot":
                to.Write(MapText.Dot(graph));
                break;
            case "mermaid":
                to.Write(MapText.Mermaid(graph));
                break;
            default:
                var table = new DataTable([.. MapText.Columns]);
                foreach (var row in MapText.Rows(graph))
                {
                    table.Add(row);
                }

                table.Print(format, to);
                break;
        }
    }
}
