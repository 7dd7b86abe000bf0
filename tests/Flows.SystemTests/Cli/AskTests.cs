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

    // A native executable has only the types that were known when it was built; the wrapper of the engine makes up those of lists and maps.
    [Theory]
    [InlineData("[1::TINYINT, NULL] a, [1::SMALLINT, NULL] b, [1, NULL] c, [1::BIGINT, NULL] d, [1::HUGEINT, NULL] e", "1 ,1 ,1 ,1 ,1 ")]
    [InlineData("[1::UTINYINT, NULL] a, [1::USMALLINT, NULL] b, [1::UINTEGER, NULL] c, [1::UBIGINT, NULL] d, [1::UHUGEINT, NULL] e", "1 ,1 ,1 ,1 ,1 ")]
    [InlineData("[1.5::FLOAT, NULL] a, [1.5::DOUBLE, NULL] b, [1.5::DECIMAL(4, 2), NULL] c, [true, NULL] d, ['x', NULL] e", "1.5 ,1.5 ,1.50 ,true ,x ")]
    [InlineData("[DATE '2026-01-31', NULL] a, [TIME '10:00', NULL] b, [TIMESTAMP '2026-01-31 10:00:00', NULL] c", "2026-01-31 ,10:00 ,2026-01-31T10:00:00.000000Z ")]
    [InlineData("[INTERVAL 3 DAY, NULL] a, ['6ba7b810-9dad-11d1-80b4-00c04fd430c8'::UUID, NULL] b", "3.00:00:00 ,6ba7b810-9dad-11d1-80b4-00c04fd430c8 ")]
    [InlineData("[[1::SMALLINT], [2]] a, [3, 4]::USMALLINT[2] b, {'n': [5::UINTEGER]} c, [{'n': 6}] d", "1 2,3 4,n=5,n=6")]
    [InlineData("map {'x': 1.5::DOUBLE} a, map {'x': 'y'} b, histogram(443::USMALLINT) c, histogram('x') d", "x=1.5,x=y,443=1,x=1")]
    [InlineData("1::HUGEINT a, 1.5::DECIMAL(38, 2) b, 'x'::ENUM('x') c, 'ab'::BLOB d, NULL::STRUCT(n INTEGER) e, NULL::INTEGER[] f", "1,1.5,x,6162,,")]
    public async Task Values_of_any_type_are_shown(string values, string shown)
    {
        var store = await demo.PathAsync();
        var csv = await AnswerAsync("sql", "--store", store, "--output", "csv", $"SELECT {values}");
        Assert.Equal(shown, csv.Split("\r\n")[1]);
        using var json = JsonDocument.Parse(await AnswerAsync("sql", "--store", store, "--output", "json", $"SELECT {values}"));
        Assert.Equal(1, json.RootElement.GetArrayLength());
        var arrow = await FlowsProcess.RunAsync("sql", "--store", store, "--output", "arrow", $"SELECT {values}");
        Assert.True(arrow.ExitCode == 0, arrow.ToString());
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
