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

    public static TheoryData<string> Panels => [.. All().Select(panel => panel.GetProperty("title").GetString()!)];

    [Theory]
    [MemberData(nameof(Panels))]
    public void Panel_asks_only_for_what_exists(string title)
    {
        var panel = All().Single(one => one.GetProperty("title").GetString() == title);
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

    [Fact]
    public void Panels_do_not_overlap_and_use_only_what_grafana_brings()
    {
        string[] builtIn = ["stat", "timeseries", "table", "nodeGraph"];
        var cells = new HashSet<(int X, int Y)>();
        foreach (var panel in All())
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

    private static JsonElement[] All()
    {
        var dashboard = JsonDocument.Parse(File.ReadAllText(Repository.PathOf("dashboards", "flows-overview.json"))).RootElement;
        Assert.Equal(42, dashboard.GetProperty("schemaVersion").GetInt32());
        return [.. dashboard.GetProperty("panels").EnumerateArray()];
    }

    [GeneratedRegex(@"\bflows_\w+")]
    private static partial Regex MetricName();

    [GeneratedRegex(@"^/api/v1/query/(\w+)\?")]
    private static partial Regex QueryName();
}
