using System.Text.Json;
using Flows.SystemTests.Demo;
using Xunit;

namespace Flows.SystemTests.Cli;

/// <summary><c>flows demo --once</c> from the outside: what it prints for programs, and what it leaves behind.</summary>
public sealed class DemoTests(DemoStore demo)
{
    [Fact]
    public async Task Fleet_on_the_real_kernel_is_seen_as_it_was()
    {
        Require.RootAnd("ip", "nft", "unshare", "nsenter");
        var finished = await demo.RunOnceAsync();
        Assert.True(finished.ExitCode == 0, finished.ToString());
        using var report = JsonDocument.Parse(finished.Output);
        Assert_has_the_contracts_shape_and_holds(report.RootElement);
        Assert.Contains("opening real connections", finished.Error, StringComparison.Ordinal);
        Assert.DoesNotContain(Processes(), line => line.Contains("demo-pod", StringComparison.Ordinal) && line.StartsWith(FlowsProcess.Executable, StringComparison.Ordinal) && BelongsToNobody(line));
    }

    [Fact]
    public async Task Recording_of_a_run_replays_to_the_same_edges()
    {
        Require.RootAnd("ip", "nft", "unshare", "nsenter");
        var live = await demo.RunOnceAsync();
        Assert.True(live.ExitCode == 0, live.ToString());
        var replayed = await FlowsProcess.RunAsync("demo", "--once", "--replay", demo.Recording, "--output", "json");
        Assert.True(replayed.ExitCode == 0, replayed.ToString());
        using var before = JsonDocument.Parse(live.Output);
        using var after = JsonDocument.Parse(replayed.Output);
        Assert_has_the_contracts_shape_and_holds(after.RootElement);
        Assert.Equal(before.RootElement.GetProperty("edges").GetRawText(), after.RootElement.GetProperty("edges").GetRawText());

        // The details count equations and processes, which differ between a fleet and a file.
        Assert.Equal(CheckNames(before), CheckNames(after));
    }

    private static IEnumerable<string?> CheckNames(JsonDocument report) => report.RootElement.GetProperty("checks").EnumerateArray().Select(check => check.GetProperty("name").GetString());

    [Fact]
    public async Task Nobody_special_replays_the_recording_in_the_executable()
    {
        Require.RootAnd("setpriv");
        using var home = new Nobody();
        var finished = await home.RunAsync("demo", "--once", "--output", "json");
        Assert.True(finished.ExitCode == 0, finished.ToString());
        using var report = JsonDocument.Parse(finished.Output);
        Assert_has_the_contracts_shape_and_holds(report.RootElement);
        Assert.Contains("not root: replaying the recording", finished.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.GetDirectories(home.Temporary, "flows-demo-*"));
    }

    private static void Assert_has_the_contracts_shape_and_holds(JsonElement report)
    {
        Assert_members(report, "checks", "conservation", "edges");
        var edges = report.GetProperty("edges");
        Assert_members(edges, "expected", "invented", "missing", "observed");
        Assert.InRange(edges.GetProperty("expected").GetInt32(), 40, 1000);
        Assert.Equal(edges.GetProperty("expected").GetInt32(), edges.GetProperty("observed").GetInt32());
        Assert.Empty(edges.GetProperty("missing").EnumerateArray());
        Assert.Empty(edges.GetProperty("invented").EnumerateArray());
        Assert.NotEmpty(report.GetProperty("checks").EnumerateArray());
        Assert.All(report.GetProperty("checks").EnumerateArray(), check =>
        {
            Assert_members(check, "detail", "name", "ok");
            Assert.True(check.GetProperty("ok").GetBoolean(), check.GetRawText());
        });
        Assert.NotEmpty(report.GetProperty("conservation").EnumerateArray());
        Assert.All(report.GetProperty("conservation").EnumerateArray(), hop =>
        {
            Assert_members(hop, "dropped", "forwarded", "hop", "in_flight", "seen", "unit");
            var known = hop.GetProperty("forwarded").GetInt64() + hop.GetProperty("in_flight").GetInt64()
                + hop.GetProperty("dropped").EnumerateObject().Sum(reason => reason.Value.GetInt64());
            Assert.True(hop.GetProperty("seen").GetInt64() == known, hop.GetRawText());
        });
    }

    private static void Assert_members(JsonElement element, params string[] names) =>
        Assert.Equal(names, element.EnumerateObject().Select(member => member.Name).Order(StringComparer.Ordinal));

    // Other tests run fleets of their own meanwhile, below this very process; what the demo left has lost its parent.
    private static bool BelongsToNobody(string line) => line.EndsWith(" 1", StringComparison.Ordinal);

    /// <summary>Command line and parent of every process.</summary>
    private static IEnumerable<string> Processes()
    {
        foreach (var directory in Directory.GetDirectories("/proc").Where(path => int.TryParse(Path.GetFileName(path), out _)))
        {
            var line = "";
            try
            {
                var stat = File.ReadAllText(Path.Combine(directory, "stat"));
                line = File.ReadAllText(Path.Combine(directory, "cmdline")).Replace('\0', ' ') + stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1];
            }
            catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
            {
                continue;
            }

            yield return line;
        }
    }
}
