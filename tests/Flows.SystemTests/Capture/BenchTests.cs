using System.Text.Json;
using Flows.SystemTests.Cli;
using Flows.SystemTests.Conntrack;
using Xunit;

namespace Flows.SystemTests.Capture;

/// <summary>The comparisons with the peers run to their end at tiny sizes. How fast anything was is not asked.</summary>
public sealed class BenchTests
{
    private static readonly string Program = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "../../../../Flows.Benchmarks/bin/Release/net10.0/Flows.Benchmarks"));

    [Theory]
    [InlineData("p1", "/usr/sbin/softflowd", 12)]
    [InlineData("p3", "/usr/sbin/ulogd", 7)]
    [InlineData("p4", "/bin/sh", 4)]
    public async Task A_comparison_measures_both_sides_and_cleans_up(string bar, string peer, int lines)
    {
        ConntrackNetns.Require();
        if (!File.Exists(peer))
        {
            Assert.Skip($"needs {peer}, which './dev bench capture' installs");
        }

        using var cache = new TemporaryDirectory();
        var run = await FlowsProcess.ToolAsync(Program, "capture", bar, "--quick", "--output", "json", "--product", FlowsProcess.Executable, "--cache", cache.Path, "--captures", cache["none"]);

        Assert.True(run.ExitCode == 0, run.ToString());
        using var told = JsonDocument.Parse(run.Output);
        Assert.True(told.RootElement.GetArrayLength() >= lines, run.Output);
        Assert.All(told.RootElement.EnumerateArray(), line =>
        {
            Assert.Equal(bar, line.GetProperty("bar").GetString());
            Assert.True(line.GetProperty("ours").GetDouble() > 0, run.Output);
            Assert.True(line.GetProperty("theirs").GetDouble() > 0, run.Output);
        });
        var spaces = await FlowsProcess.ToolAsync("ip", "netns", "list");
        Assert.DoesNotContain("flowsbench", spaces.Output, StringComparison.Ordinal);
    }
}
