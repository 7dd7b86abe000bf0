using System.Globalization;
using System.Text.Json;
using Flows.Core;
using Flows.SystemTests.Conntrack;
using Flows.SystemTests.Demo;
using Xunit;

namespace Flows.SystemTests.Cli;

/// <summary>A collector tells what its machine is: real addresses that come and go, in a network namespace of their own.</summary>
public sealed class HostsTests : IDisposable
{
    private const string Node = "edge-1";
    private static readonly TimeSpan ArrivalMax = TimeSpan.FromSeconds(20);
    private static readonly long Slack = UnixTime.Second;

    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public async Task Secondary_and_tunnel_addresses_are_the_hosts_for_exactly_as_long_as_it_has_them()
    {
        Require.RootAnd("ip", "nft", "conntrack");
        using var network = new ConntrackNetns();
        directory.Write("root/etc/flows/labels", "env=prod\nbad line\n");
        directory.Write("root/etc/os-release", "ID=debian\n");
        await using var server = network.InServer(() => FlowsProcess.Start("serve", "--store", directory["store"], "--listen", $"unix:{directory["flows.sock"]}"));
        await server.SaysAsync("serving on");
        await using var collector = network.InServer(() => FlowsProcess.Start(
            "collect", "--server", $"unix:{directory["flows.sock"]}", "--node", Node, "--spool", directory["spool"], "--conntrack", "--host-root", directory["root"], "--no-cloud-metadata"));
        await collector.SaysAsync("collecting on");

        // 1. An address comes and goes while the collector runs, within one turn of its reports.
        await Task.Delay(1500, TestContext.Current.CancellationToken);
        var addedUs = TimeProvider.System.NowUs();
        network.ToolInServer("ip addr add 10.77.0.99/24 dev ct0");
        network.ToolInServer("ip link add vx0 type vxlan id 7 dstport 4789 dev ct0");
        network.ToolInServer("ip addr add 10.200.0.1/32 dev vx0");
        await Task.Delay(2500, TestContext.Current.CancellationToken);
        var removedUs = TimeProvider.System.NowUs();
        network.ToolInServer("ip addr del 10.77.0.99/24 dev ct0");

        // 2. Of the secondary address the ledger knows both ends, of the others the beginning.
        var (from, to) = await HeldAsync("10.77.0.99", mustEnd: true);
        Assert.InRange(from, addedUs - Slack, addedUs + Slack);
        Assert.InRange(to!.Value, removedUs - Slack, removedUs + Slack);
        Assert.Equal((3, 0, 3), (await WhoAsync("10.77.0.99", addedUs - (2 * Slack)), await WhoAsync("10.77.0.99", (addedUs + removedUs) / 2), await WhoAsync("10.77.0.99", removedUs + (2 * Slack))));
        var (tunnel, open) = await HeldAsync("10.200.0.1", mustEnd: false);
        Assert.InRange(tunnel, addedUs - Slack, addedUs + Slack);
        Assert.Null(open);

        // 3. The primary one was there before the collector; loopback and link-local are nobody's.
        var (primary, _) = await HeldAsync("10.77.0.2", mustEnd: false);
        Assert.InRange(primary, addedUs - (120 * UnixTime.Second), addedUs);
        Assert.Equal(3, await WhoAsync("127.0.0.1", removedUs));

        // 4. Labels and facts are there; the bad line is told where coverage is told.
        var labels = await FlowsProcess.RunAsync("labels", "--store", directory["store"], "--output", "json");
        using var document = JsonDocument.Parse(labels.Output);
        Assert.Equal("prod", Assert.Single(document.RootElement.EnumerateArray()).GetProperty("labels").GetProperty("env").GetProperty("value").GetString());
        var coverage = await FlowsProcess.RunAsync("sql", "--store", directory["store"], "--output", "csv", "SELECT detail FROM coverage WHERE source = 'host'");
        Assert.Contains("labels:2", coverage.Output, StringComparison.Ordinal);
        await collector.EndAsync(FlowsProcess.SigTerm);
        await server.EndAsync(FlowsProcess.SigTerm);
    }

    private async Task<(long FromUs, long? ToUs)> HeldAsync(string address, bool mustEnd)
    {
        var waited = System.Diagnostics.Stopwatch.StartNew();
        while (true)
        {
            var finished = await FlowsProcess.RunAsync("who", address, "--store", directory["store"], "--output", "json");
            using var document = JsonDocument.Parse(finished.Output);
            var holding = document.RootElement.GetProperty("history").EnumerateArray().Where(said => said.GetProperty("standing").GetString() == "holds").ToList();
            if (holding.Count == 1 && (!mustEnd || holding[0].GetProperty("valid_to").ValueKind != JsonValueKind.Null))
            {
                Assert.Equal((Node, "host"), (holding[0].GetProperty("entity").GetProperty("name").GetString(), holding[0].GetProperty("origin").GetString()));
                Assert.Equal("debian", holding[0].GetProperty("entity").GetProperty("labels").GetProperty("host.os").GetString());
                return (Time(holding[0].GetProperty("valid_from"))!.Value, Time(holding[0].GetProperty("valid_to")));
            }

            Assert.True(waited.Elapsed < ArrivalMax, finished.ToString());
            await Task.Delay(500, TestContext.Current.CancellationToken);
        }
    }

    private async Task<int> WhoAsync(string address, long atUs) =>
        (await FlowsProcess.RunAsync("who", address, "--at", UnixTime.Text(atUs), "--store", directory["store"])).ExitCode;

    private static long? Time(JsonElement text) =>
        text.ValueKind == JsonValueKind.Null ? null : UnixTime.ToUs(DateTimeOffset.Parse(text.GetString()!, CultureInfo.InvariantCulture));
}
