using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Flows.SystemTests.Cli;
using Flows.SystemTests.Conntrack;
using Flows.SystemTests.Demo;
using Xunit;

namespace Flows.SystemTests.Doctor;

/// <summary><c>flows doctor</c> on the real kernel: what it finds is so, and what it says mends it.</summary>
public sealed class DoctorTests : IDisposable
{
    private const int Ok = 0, No = 3;

    // A looking of all checks takes half a second on an idle machine; this is for one that is not.
    private static readonly TimeSpan TimeMax = TimeSpan.FromSeconds(20);

    private readonly string bare = $"fld{Environment.ProcessId}";

    public void Dispose()
    {
        if (File.Exists($"/run/netns/{bare}"))
        {
            using var process = Process.Start("ip", $"netns del {bare}");
            process.WaitForExit();
        }
    }

    [Fact]
    public async Task Fresh_namespace_tracks_nothing_until_the_mend_is_run()
    {
        Require.RootAnd("ip", "nft", "sysctl");
        await InBareAsync("true");
        var settings = await InBareAsync("sysctl net.netfilter net.core.rmem_max");
        var inactive = await FindingAsync("conntrack_active", No);
        Assert.Equal("fail", inactive.Status);
        Assert.Contains("not seen: all connections", inactive.Consequence, StringComparison.Ordinal);
        Assert.Equal("", await InBareAsync("nft list ruleset"));
        Assert.Equal(settings, await InBareAsync("sysctl net.netfilter net.core.rmem_max"));

        await InBareAsync(inactive.Mend);
        Assert.Equal("ok", (await FindingAsync("conntrack_active", Ok)).Status);
    }

    [Theory]
    [InlineData("conntrack_accounting", "acct", 0, "warn")]
    [InlineData("conntrack_events", "events", 2, "warn")]
    [InlineData("conntrack_events", "events", 0, "fail")]
    [InlineData("conntrack_timestamps", "timestamp", 0, "warn")]
    public async Task Setting_that_hides_something_is_found_and_the_mend_mends_it(string check, string setting, int value, string status)
    {
        Require.RootAnd("ip", "nft", "sysctl");
        await InBareAsync("nft 'add table inet flows; add chain inet flows track; add rule inet flows track ct state new'");
        await InBareAsync($"sysctl -qw net.netfilter.nf_conntrack_{setting}={value}");
        var finding = await FindingAsync(check, status == "fail" ? No : Ok);
        Assert.Equal(status, finding.Status);
        await InBareAsync(finding.Mend.Split('\n')[0]);
        Assert.Equal("ok", (await FindingAsync(check, Ok)).Status);
    }

    [Fact]
    public async Task Nobody_is_told_which_capabilities_are_missing()
    {
        Require.RootAnd("setpriv");
        using var nobody = new Nobody();
        var finished = await nobody.RunAsync("doctor", "--output", "json");
        Assert.True(finished.ExitCode == No && finished.Error.Length == 0, finished.ToString());
        Assert.Contains("CAP_NET_ADMIN", Find(finished, "cap_net_admin", "fail").Found, StringComparison.Ordinal);
        Assert.Contains("CAP_NET_RAW", Find(finished, "cap_net_raw", "fail").Found, StringComparison.Ordinal);
        Find(finished, "receive_buffer", "warn");
        Find(finished, "flowtables", "unknown");
        Assert.DoesNotContain("the check failed", finished.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_ambient_capabilities_are_all_that_it_takes()
    {
        Require.RootAnd("setpriv", "ip", "nft");
        using var network = new ConntrackNetns();
        using var nobody = new Nobody();
        await nobody.OpenUpAsync();
        var arguments = nobody.Through("net_raw,net_admin", ["doctor", "--interface", "ct*", "--spool", nobody.Temporary, "--output", "json"]);
        var finished = await network.InServer(() => FlowsProcess.ToolAsync("setpriv", arguments));
        Assert.True(finished.ExitCode == Ok && finished.Error.Length == 0, finished.ToString());
        foreach (var check in (string[])["cap_net_admin", "cap_net_raw", "conntrack", "conntrack_active", "conntrack_accounting", "conntrack_events", "receive_buffer", "nic_offloads", "spool"])
        {
            Find(finished, check, "ok");
        }

        Assert.Contains("ct0", Find(finished, "interface_drops", "ok").Found, StringComparison.Ordinal);
        Assert.Contains("lacks CAP_SYS_PTRACE", Find(finished, "process_details", "ok").Found, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Server_that_never_answers_holds_nothing_up()
    {
        using var mute = new TcpListener(IPAddress.Loopback, 0);
        mute.Start();
        var started = Stopwatch.StartNew();
        var finished = await FlowsProcess.RunAsync("doctor", "--server", $"http://127.0.0.1:{((IPEndPoint)mute.LocalEndpoint).Port}", "--output", "json");
        Assert.True(started.Elapsed < TimeMax, $"It took {started.Elapsed.TotalSeconds:0.0} s.");
        Assert.Contains("no answer within", Find(finished, "server").Found, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Server_that_is_well_is_said_to_be()
    {
        using var directory = new TemporaryDirectory();
        await using var server = FlowsProcess.Start("serve", "--store", directory["store"], "--listen", $"unix:{directory["flows.sock"]}");
        await server.SaysAsync("serving on");

        // The doctor has little patience; on a busy machine its second or third look is in time.
        Finished finished;
        var tries = 0;
        do
        {
            finished = await FlowsProcess.RunAsync("doctor", "--server", $"unix:{directory["flows.sock"]}", "--output", "json");
        }
        while (++tries < 10 && Find(finished, "server").Found.Contains("no answer within", StringComparison.Ordinal));
        Find(finished, "server", "ok");
    }

    private async Task<Told> FindingAsync(string check, int exitCode)
    {
        var finished = await FlowsProcess.ToolAsync("ip", "netns", "exec", bare, FlowsProcess.Executable, "doctor", "--output", "json");
        var others = JsonDocument.Parse(finished.Output).RootElement.GetProperty("findings").EnumerateArray().Any(one => one.GetProperty("status").GetString() == "fail");
        Assert.Equal(others ? No : Ok, finished.ExitCode);
        Assert.True(finished.ExitCode == exitCode && finished.Error.Length == 0, finished.ToString());
        return Find(finished, check);
    }

    /// <summary>Runs a shell command in the bare namespace, which is made by the first one.</summary>
    private async Task<string> InBareAsync(string command)
    {
        if (!File.Exists($"/run/netns/{bare}"))
        {
            var made = await FlowsProcess.ToolAsync("ip", "netns", "add", bare);
            Assert.True(made.ExitCode == 0, made.ToString());
        }

        var finished = await FlowsProcess.ToolAsync("ip", "netns", "exec", bare, "sh", "-c", command);
        Assert.True(finished.ExitCode == 0, $"{command}: {finished}");
        return finished.Output;
    }

    private static Told Find(Finished finished, string check, string? status = null)
    {
        using var document = JsonDocument.Parse(finished.Output);
        var one = Assert.Single(document.RootElement.GetProperty("findings").EnumerateArray(), finding => finding.GetProperty("check").GetString() == check);
        var found = new Told(Text("status"), Text("found"), Text("consequence"), Text("mend"));
        Assert.True(status is null || found.Status == status, $"{check}: {found}");
        return found;

        string Text(string field) => one.GetProperty(field).GetString()!;
    }

    private sealed record Told(string Status, string Found, string Consequence, string Mend);
}
