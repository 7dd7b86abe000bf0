using System.Text.Json;
using Apache.Arrow.Ipc;
using Xunit;

namespace Flows.SystemTests.Cli;

/// <summary>Questions to the store that the demo filled: <c>flows sql</c>, <c>flows map</c>, <c>flows who</c>.</summary>
public sealed class AskTests(DemoStore demo)
{
    private const string Reused = "10.10.1.50";

    [Fact]
    public async Task Every_level_of_the_map_prints_in_every_format()
    {
        var store = await demo.PathAsync();
        foreach (var level in (string[])["pod", "workload", "service", "namespace"])
        {
            using var json = JsonDocument.Parse(await AnswerAsync("map", "--store", store, "--level", level, "--output", "json"));
            Assert.Equal(JsonValueKind.Object, json.RootElement.ValueKind);
        }

        Assert.StartsWith("digraph", await AnswerAsync("map", "--store", store, "--output", "dot"), StringComparison.Ordinal);
        Assert.Contains("flowchart", await AnswerAsync("map", "--store", store, "--output", "mermaid"), StringComparison.Ordinal);
        Assert.Contains("shop/web", await AnswerAsync("map", "--store", store), StringComparison.Ordinal);
        Assert.StartsWith("from,", await AnswerAsync("map", "--store", store, "--output", "csv"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Reused_address_has_the_name_of_its_time()
    {
        var store = await demo.PathAsync();
        using var answer = JsonDocument.Parse(await AnswerAsync("sql", "--store", store, "--output", "json",
            $"SELECT name, strftime(valid_from + INTERVAL 1 MICROSECOND, '%Y-%m-%dT%H:%M:%S.%fZ') AS at FROM identities WHERE addr(addr) = '{Reused}' ORDER BY valid_from"));
        var holders = answer.RootElement.EnumerateArray().Select(row => (Name: row.GetProperty("name").GetString()!, At: row.GetProperty("at").GetString()!)).ToList();
        Assert.Equal(["report-", "audit-"], holders.Select(holder => holder.Name[..(holder.Name.IndexOf('-', StringComparison.Ordinal) + 1)]));
        foreach (var (name, at) in holders)
        {
            using var who = JsonDocument.Parse(await AnswerAsync("who", Reused, "--at", at, "--store", store, "--output", "json"));
            var candidate = Assert.Single(Assert.Single(who.RootElement.GetProperty("answers").EnumerateArray()).GetProperty("candidates").EnumerateArray());
            Assert.Equal(name, candidate.GetProperty("name").GetString());
        }

        var nobody = await FlowsProcess.RunAsync("who", Reused, "--at", "2020-01-01T00:00:00Z", "--store", store);
        Assert.True(nobody.ExitCode == 3 && nobody.Output.StartsWith("nobody is known", StringComparison.Ordinal), nobody.ToString());
    }

    [Fact]
    public async Task Same_rows_come_in_every_format()
    {
        var store = await demo.PathAsync();
        const string Query = "SELECT src_name, dst_name, dst_port, connections FROM edges ORDER BY ALL";
        var csv = await AnswerAsync("sql", "--store", store, "--output", "csv", Query);
        var lines = csv.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("src_name,dst_name,dst_port,connections", lines[0].TrimEnd('\r'));
        using var json = JsonDocument.Parse(await AnswerAsync("sql", "--store", store, "--output", "json", Query));
        Assert.Equal(lines.Length - 1, json.RootElement.GetArrayLength());
        Assert.Equal(lines.Length + 1, (await AnswerAsync("sql", "--store", store, "--output", "table", Query)).Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);

        var arrow = await FlowsProcess.RunAsync("sql", "--store", store, "--output", "arrow", Query);
        using var reader = new ArrowStreamReader(new MemoryStream(arrow.Bytes));
        var rows = 0;
        while (reader.ReadNextRecordBatch() is { } batch)
        {
            Assert.Equal(["src_name", "dst_name", "dst_port", "connections"], batch.Schema.FieldsList.Select(field => field.Name));
            rows += batch.Length;
            batch.Dispose();
        }

        Assert.Equal(lines.Length - 1, rows);
    }

    [Fact]
    public async Task Query_is_read_from_standard_input()
    {
        var store = await demo.PathAsync();
        var finished = await FlowsProcess.RunWithInputAsync("SELECT 6 * 7 AS answer", "sql", "--store", store, "--output", "csv");
        Assert.True(finished.ExitCode == 0 && finished.Output.ReplaceLineEndings("\n") == "answer\n42\n", finished.ToString());
    }

    [Theory]
    [InlineData("flow_log")]
    [InlineData("edges")]
    [InlineData("dependencies")]
    [InlineData("unresolved")]
    [InlineData("identities")]
    public async Task View_answers(string view) =>
        Assert.True(await CountAsync($"SELECT count(*) FROM {view}") > 0);

    [Fact]
    public async Task Names_in_the_flow_log_are_those_of_the_edges()
    {
        const string Ends = "src_kind, src_namespace, src_name, dst_kind, dst_namespace, dst_name, protocol";
        Assert.Equal(0, await CountAsync($"SELECT count(*) FROM (SELECT DISTINCT {Ends} FROM edges EXCEPT SELECT DISTINCT {Ends} FROM flow_log)"));

        // A node before the translation sees the service alone; the edge takes the backend from the node that translated.
        Assert.Equal(0, await CountAsync($"SELECT count(*) FROM (SELECT DISTINCT {Ends} FROM flow_log WHERE dst_kind <> 'service' EXCEPT SELECT DISTINCT {Ends} FROM edges)"));
    }

    private async Task<long> CountAsync(string query)
    {
        var lines = (await AnswerAsync("sql", "--store", await demo.PathAsync(), "--output", "csv", query)).Split('\n');
        return long.Parse(lines[1], System.Globalization.CultureInfo.InvariantCulture);
    }

    private static async Task<string> AnswerAsync(params string[] arguments)
    {
        var finished = await FlowsProcess.RunAsync(arguments);
        Assert.True(finished.ExitCode == 0 && finished.Error.Length == 0, $"{string.Join(' ', arguments)}: {finished}");
        return finished.Output;
    }
}
