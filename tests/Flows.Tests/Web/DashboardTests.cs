using System.Text.Json;
using System.Text.RegularExpressions;
using Flows.Store;
using Flows.Web.Metrics;
using Flows.Web;
using Xunit;

namespace Flows.Tests.Web;

public sealed partial class DashboardTests
{
    private const string Prometheus = "flows-prometheus";
    private const string Infinity = "flows";

    public static TheoryData<string> Boards => [.. Directory.GetFiles(Repository.PathOf("dashboards"), "*.json").Select(Path.GetFileName).OfType<string>().Order(StringComparer.Ordinal)];

    public static TheoryData<string, string> Panels
    {
        get
        {
            var panels = new TheoryData<string, string>();
            foreach (var board in Boards)
            {
                foreach (var panel in All(board.Data))
                {
                    panels.Add(board.Data, panel.GetProperty("title").GetString()!);
                }
            }

            return panels;
        }
    }

    [Theory]
    [MemberData(nameof(Panels))]
    public void Panel_asks_only_for_what_exists(string board, string title)
    {
        var panel = All(board).Single(one => one.GetProperty("title").GetString() == title);
        Assert.NotEqual(0, panel.GetProperty("targets").GetArrayLength());
        foreach (var target in panel.GetProperty("targets").EnumerateArray())
        {
            if (target.GetProperty("datasource").GetProperty("uid").GetString() == Prometheus)
            {
                var names = MetricName().Matches(target.GetProperty("expr").GetString()!).Select(match => match.Value).ToArray();
                Assert.NotEmpty(names);
                Assert.All(names, name => Assert.Contains(name, FlowMetrics.PrometheusNames));
                continue;
            }

            Assert.Equal(Infinity, target.GetProperty("datasource").GetProperty("uid").GetString());
            var url = target.GetProperty("url").GetString()!;
            var query = NamedQuery.Of(QueryName().Match(url).Groups[1].Value);
            Assert.NotNull(query);
            Assert.Contains("limit=", url, StringComparison.Ordinal);
            Assert.All(target.GetProperty("columns").EnumerateArray(), column => Assert.Contains(column.GetProperty("selector").GetString(), query.Columns));
        }
    }

    [Theory]
    [MemberData(nameof(Boards))]
    public void Panels_do_not_overlap_and_use_only_what_grafana_brings(string board)
    {
        string[] builtIn = ["stat", "timeseries", "table", "nodeGraph"];
        var cells = new HashSet<(int X, int Y)>();
        foreach (var panel in All(board))
        {
            Assert.Contains(panel.GetProperty("type").GetString(), builtIn);
            var at = panel.GetProperty("gridPos");
            foreach (var x in Enumerable.Range(at.GetProperty("x").GetInt32(), at.GetProperty("w").GetInt32()))
            {
                Assert.InRange(x, 0, 23);
                Assert.All(Enumerable.Range(at.GetProperty("y").GetInt32(), at.GetProperty("h").GetInt32()), y => Assert.True(cells.Add((x, y))));
            }
        }
    }

    [Fact]
    public void Boards_have_names_of_their_own() =>
        Assert.All((string[])["uid", "title"], name => Assert.Equal(Boards.Count, Boards.Select(board => Read(board.Data).GetProperty(name).GetString()).Distinct().Count()));

    private static JsonElement Read(string board) => JsonDocument.Parse(File.ReadAllText(Repository.PathOf("dashboards", board))).RootElement;

    private static JsonElement[] All(string board)
    {
        var dashboard = Read(board);
        Assert.Equal(42, dashboard.GetProperty("schemaVersion").GetInt32());
        return [.. dashboard.GetProperty("panels").EnumerateArray()];
    }

    [GeneratedRegex(@"\bflows_\w+")]
    private static partial Regex MetricName();

    [GeneratedRegex(@"^/api/v1/query/(\w+)\?")]
    private static partial Regex QueryName();
}
