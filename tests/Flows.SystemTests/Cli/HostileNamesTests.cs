using System.Globalization;
using System.Text.Json;
using Xunit;

namespace Flows.SystemTests.Cli;

/// <summary>Names that are made to be misread go in through every format, are kept as they are, and come out as text.</summary>
public sealed class HostileNamesTests : IDisposable
{
    private static readonly string[] Names =
    [
        "bell\u0007\u001b[31mred", "rtl\u202egpj.exe", "<img src=x onerror=alert(1)>", "'; DROP TABLE identities; --", "a\"b,c", "line\nbreak", "=cmd|'/c calc'!A1",
        "no", "1e3", "0x1F", "~", "2026-01-01", "null", "{{7*7}}", "${label:app}", "../../etc/passwd", "\ud83d\ude00 zw\u200bj\u2028", new('x', 253),
    ];

    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Theory]
    [InlineData("jsonl")]
    [InlineData("csv")]
    [InlineData("yaml")]
    public async Task Hostile_names_are_kept_as_data_and_shown_as_text(string format)
    {
        var file = directory.Write($"fleet.{format}", format switch
        {
            "csv" => "addr,kind,name,label:app\n" + string.Concat(Names.Select((name, i) => $"10.0.0.{i},vm,{Quoted(name)},{Quoted(name)}\n")),
            "yaml" => string.Concat(Names.Select((name, i) => $"- addr: 10.0.0.{i}\n  kind: vm\n  name: {Escaped(name)}\n  labels: {{app: {Escaped(name)}}}\n")),
            _ => string.Concat(Names.Select((name, i) => $$$"""{"addr":"10.0.0.{{{i}}}","kind":"vm","name":{{{Escaped(name)}}},"labels":{"app":{{{Escaped(name)}}}}}""" + "\n")),
        });
        await using (var server = FlowsProcess.Start("serve", "--store", directory["store"], "--listen", $"unix:{directory["flows.sock"]}", "--inventory", file))
        {
            await server.SaysAsync("serving on");
            var (ended, _) = await server.EndAsync(FlowsProcess.SigTerm);
            Assert.DoesNotContain("fleet.", ended.Error, StringComparison.Ordinal);
        }

        // 1. Kept as they are: what comes out as data is what went in.
        using var sql = JsonDocument.Parse((await RunAsync("sql", "--output", "json", "SELECT name FROM identities ORDER BY name")).Output);
        Assert.Equal(Names.Order(StringComparer.Ordinal), sql.RootElement.EnumerateArray().Select(row => row.GetProperty("name").GetString()!).Order(StringComparer.Ordinal));
        using var labels = JsonDocument.Parse((await RunAsync("labels", "--output", "json")).Output);
        var apps = labels.RootElement.EnumerateArray().Select(one => one.GetProperty("labels").GetProperty("app").GetProperty("value").GetString()!);
        Assert.Equal(Names.Order(StringComparer.Ordinal), apps.Order(StringComparer.Ordinal));

        // 2. Shown as text: nothing in a table moves the cursor, turns the line around or breaks it.
        AssertOneLineEach((await RunAsync("sql", "SELECT name, labels FROM identities")).Output);
        AssertVisible((await RunAsync("labels")).Output);
        foreach (var i in Enumerable.Range(0, Names.Length))
        {
            AssertVisible((await RunAsync("who", string.Create(CultureInfo.InvariantCulture, $"10.0.0.{i}"))).Output);
        }

        // 3. Every name is a cell of its own, also the one with a line end; and no spreadsheet runs one in a report.
        var csv = (await RunAsync("sql", "--output", "csv", "SELECT name FROM identities")).Output;
        Assert.All(Names, name => Assert.Contains(name.AsSpan().ContainsAny("\",\r\n") ? Quoted(name) : name, csv, StringComparison.Ordinal));
        Assert.DoesNotContain(",=cmd", (await RunAsync("labels", "--output", "csv")).Output, StringComparison.Ordinal);
    }

    private Task<Finished> RunAsync(params string[] arguments) => FlowsProcess.RunAsync([.. arguments, "--store", directory["store"]]);

    /// <summary>As JSON, which is also YAML, but for characters that JSON writes as two.</summary>
    private static string Escaped(string text) => JsonSerializer.Serialize(text).Replace("\\uD83D\\uDE00", "\ud83d\ude00", StringComparison.Ordinal);

    private static string Quoted(string cell) => $"\"{cell.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    /// <summary>Nothing moves the cursor or breaks a line.</summary>
    private static void AssertOneLineEach(string output) => Assert.DoesNotContain(output, one => one is not ('\n' or '\r') && char.IsControl(one));

    private static void AssertVisible(string output)
    {
        Assert.NotEmpty(output);
        Assert.DoesNotContain(output, one => one != '\n' && CharUnicodeInfo.GetUnicodeCategory(one) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator);
    }
}
