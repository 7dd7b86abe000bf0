using System.Net;
using System.Net.Sockets;
using Flows.Capture.Conntrack;
using Flows.Core.Facts;
using Xunit;
using static Flows.SystemTests.Conntrack.Traffic;

namespace Flows.SystemTests.Conntrack;

/// <summary>Rows 26, 27 and 36 of the fault matrix: lost events, a table that is flushed or full, settings that change under way, late starts.</summary>
public sealed class ConntrackFaultTests
{
    [Fact]
    public async Task An_overrun_is_counted_as_the_kernel_counts_it_and_repaired_within_5_s()
    {
        ConntrackNetns.Require();
        var flows = ConntrackNetns.Long ? 200_000 : 40_000;
        using var net = new ConntrackNetns();
        net.Sysctl("udp_timeout", 120);
        var options = new ConntrackSourceOptions { ReceiveBufferBytes = 208 << 10, LookEvery = TimeSpan.FromMilliseconds(200) };
        using var run = await ConntrackRun.StartAsync(act => net.InServer(act), options);

        // A reader that stands still for half of the burst, and one that runs for the rest of it.
        run.Hold(() => net.InClient(() => { Flood("10.77.0.2", flows / 2); return 0; }));
        net.InClient(() => { Flood("10.77.0.2", flows - (flows / 2), sourcePort: 6000); return 0; });

        Assert.InRange(net.Entries(), flows * 9 / 10, flows + 100);
        var repaired = await ConntrackRun.UntilAsync(() => run.Source.Connections == net.Entries(), () => $"{run.Source.Connections} of {net.Entries()}");
        Assert.True(repaired < TimeSpan.FromSeconds(5), $"repaired after {repaired.TotalSeconds:0.0} s");
        await run.BecomesAsync("buffer", CoverageLevel.Partial);
        await ConntrackRun.UntilAsync(
            () => run.Account.Report().Dropped.GetValueOrDefault("netlink_overrun") == net.EventDrops(),
            () => $"counted {run.Account.Report()}, the kernel {net.EventDrops()}");
        Assert.InRange(net.EventDrops(), flows / 4, flows * 2);
        Assert.True(run.IsRunning);
        var report = run.Account.Report();
        Assert.True(report.Holds, report.ToString());
        TestContext.Current.TestOutputHelper?.WriteLine($"{flows} flows, {net.EventDrops()} events lost, repaired after {repaired.TotalSeconds:0.00} s");
    }

    [Fact]
    public async Task A_flush_is_said_and_its_rows_are_no_ends_with_zero_bytes()
    {
        ConntrackNetns.Require();
        using var net = new ConntrackNetns();
        using var listener = net.InServer(() => Listen(AddressFamily.InterNetwork, "10.77.0.2"));
        net.Sysctl("udp_timeout", 30);
        using var run = await ConntrackRun.StartAsync(net, new ConntrackSourceOptions());
        using var udp = net.InServer(() => Answering("10.77.0.2", 40_123));
        using var asking = net.InClient(() => Answering("10.77.0.1", 50_123));
        var client = new IPEndPoint(IPAddress.Parse("10.77.0.1"), 50_123);
        asking.SendTo(new byte[100], new IPEndPoint(IPAddress.Parse("10.77.0.2"), 40_123));
        udp.Receive(new byte[200]);
        udp.SendTo(new byte[100], client);
        asking.Receive(new byte[200]);
        var pairs = Enumerable.Range(0, 5).Select(_ => (Client: net.InClient(() => Connect("10.77.0.2", 8080)), Server: listener.Accept())).ToList();
        foreach (var (one, other) in pairs)
        {
            Send(one, other, 500);
        }

        await ConntrackRun.UntilAsync(() => run.Source.Connections == 6, () => $"{run.Source.Connections} connections");
        net.ToolInServer("conntrack -F");
        await run.BecomesAsync("flush", CoverageLevel.Partial);
        Assert.All(run.Rows, row => Assert.Equal((FlowState.Established, EndReason.Forced, DirectionBy.CtNew), (row.State, row.EndReason, row.DirectionBy)));
        Assert.All(run.Rows, row => Assert.True(row.FwdBytes >= 128, $"{row.FwdBytes} bytes"));
        Assert.Equal(6, run.Rows.Count);

        // The servers speak first: conntrack holds them for the initiators.
        foreach (var (one, other) in pairs)
        {
            Send(other, one, 200);
            Send(one, other, 200);
        }

        udp.SendTo(new byte[100], client);
        asking.Receive(new byte[200]);
        asking.SendTo(new byte[100], new IPEndPoint(IPAddress.Parse("10.77.0.2"), 40_123));
        udp.Receive(new byte[200]);
        var rows = await run.StopAsync();
        Assert.Equal(12, rows.Count);
        Assert.All(rows.Skip(6), row => Assert.Equal(DirectionBy.PortOrder, row.DirectionBy));
        Assert.All(rows.Where(row => row.Protocol == IpProtocol.Tcp), row => Assert.Equal((8080, "10.77.0.1"), (row.DstPort, row.Src.ToString())));
        Assert.Equal(rows, run.Replay().Rows);
        pairs.ForEach(pair => { pair.Client.Dispose(); pair.Server.Dispose(); });
    }

    [Fact]
    public async Task A_start_in_mid_stream_after_a_push_never_confirms_a_reversed_edge()
    {
        ConntrackNetns.Require();
        using var net = new ConntrackNetns();
        using var listener = net.InServer(() => Listen(AddressFamily.InterNetwork, "10.77.0.2"));
        using var socket = net.InClient(() => Connect("10.77.0.2", 8080));
        using var peer = listener.Accept();
        using var udp = net.InServer(() => Answering("10.77.0.2", 5353));
        using var asking = net.InClient(() => Answering("10.77.0.1", 50_123));
        Send(socket, peer, 10);
        net.ToolInServer("conntrack -F");
        Send(peer, socket, 100);
        Send(socket, peer, 100);
        net.Sysctl("udp_timeout", 30);
        udp.SendTo(new byte[10], new IPEndPoint(IPAddress.Parse("10.77.0.1"), 50_123));
        asking.Receive(new byte[100]);
        asking.SendTo(new byte[10], new IPEndPoint(IPAddress.Parse("10.77.0.2"), 5353));
        udp.Receive(new byte[100]);

        using var run = await ConntrackRun.StartAsync(net);
        Send(socket, peer, 100);
        var rows = await run.StopAsync();
        Assert.Equal([IpProtocol.Tcp, IpProtocol.Udp], rows.Select(row => row.Protocol).Order());
        Assert.All(rows, row => Assert.Equal((DirectionBy.PortOrder, "10.77.0.1"), (row.DirectionBy, row.Src.ToString())));
    }

    [Fact]
    public async Task Settings_that_change_under_way_are_said_and_taken_back()
    {
        ConntrackNetns.Require();
        using var net = new ConntrackNetns();
        using var listener = net.InServer(() => Listen(AddressFamily.InterNetwork, "10.77.0.2"));
        using var run = await ConntrackRun.StartAsync(net, new ConntrackSourceOptions());
        await run.BecomesAsync("accounting", CoverageLevel.Full);
        foreach (var (name, aspect, value, level) in new[]
        {
            ("acct", "accounting", 0, CoverageLevel.None), ("acct", "accounting", 1, CoverageLevel.Full),
            ("timestamp", "timestamps", 0, CoverageLevel.Partial), ("timestamp", "timestamps", 1, CoverageLevel.Full),
            ("events", "events", 2, CoverageLevel.Partial), ("events", "events", 1, CoverageLevel.Full),
            ("events", "events", 0, CoverageLevel.Partial),
        })
        {
            net.Sysctl(name, value);
            await run.BecomesAsync(aspect, level);
        }

        // Without events what lives is found by dumps, and what is gone ends with counters that nobody knows.
        using var silent = net.InClient(() => Connect("10.77.0.2", 8080));
        using var peer = listener.Accept();
        Send(silent, peer, 300);
        await ConntrackRun.UntilAsync(() => run.Source.Connections == 1, () => "a living connection was not found by a dump");
        Assert.Contains(run.Source.Warnings, text => text.Contains("short and refused ones are missed", StringComparison.Ordinal));
        net.ToolInServer("conntrack -F");
        await ConntrackRun.UntilAsync(() => run.Source.Connections == 0, () => "what is gone was never noticed");
        var gone = Assert.Single(run.Rows, row => row.EndReason == EndReason.Forced);
        Assert.Equal((FlowState.Established, (ulong?)null, DirectionBy.CtNew), (gone.State, gone.FwdBytes, gone.DirectionBy));

        net.Sysctl("events", 1);
        await run.BecomesAsync("events", CoverageLevel.Full);
        using var heard = net.InClient(() => Connect("10.77.0.2", 8080));
        await ConntrackRun.UntilAsync(() => run.Source.Connections > 0, () => "no event after events were switched on again");
        Assert.All(run.Source.Warnings, text => Assert.Contains("deleted at once", text, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Managed_settings_are_kept_on()
    {
        ConntrackNetns.Require();
        using var net = new ConntrackNetns(accounting: false);
        using var run = await ConntrackRun.StartAsync(net, new ConntrackSourceOptions { ManageSysctl = true });
        Assert.Equal(CoverageLevel.Full, run.Coverage("accounting")?.Level);
        net.Sysctl("events", 0);
        await ConntrackRun.UntilAsync(() => net.ToolInServer("sysctl -n net.netfilter.nf_conntrack_events").Trim() == "1", () => "events stayed off");
        Assert.Equal(SocketError.ConnectionRefused, TryConnect(net, "10.77.0.2", 4444));
        var rows = await run.StopAsync();
        Assert.Equal(1UL, Assert.Single(rows).FwdPackets);
    }

    [Fact]
    public async Task A_full_table_of_ours_and_a_small_buffer_are_said()
    {
        ConntrackNetns.Require();
        using var net = new ConntrackNetns();
        using var run = await ConntrackRun.StartAsync(net, new ConntrackSourceOptions { EntriesMax = 50, ReceiveBufferBytes = int.MaxValue });
        Assert.Contains("instead of", run.Coverage("buffer")!.Detail);
        net.InClient(() => { Flood("10.77.0.2", 200); return 0; });
        await run.BecomesAsync("table", CoverageLevel.Partial);
        Assert.Contains("The collector's connection table is full (50 entries)", run.Coverage("table")!.Detail);
        Assert.Equal(50, run.Source.Connections);

        // Refused newcomers are reported when they end; the kernel looks for the expired once in a long while, but at every listing.
        await Task.Delay(1500, TestContext.Current.CancellationToken);
        net.ToolInServer("conntrack -L");
        await ConntrackRun.UntilAsync(() => run.RowCount >= 190, () => $"{run.RowCount} rows, {net.Entries()} entries");
        var rows = await run.StopAsync();
        Assert.InRange(rows.Count, 190, 200);
        Assert.All(rows, row => Assert.Equal((EndReason.Idle, 1UL), (row.EndReason, row.FwdPackets)));
        Assert.True(run.Account.Report().Holds);
    }

    [Fact]
    public async Task A_full_table_of_the_kernel_is_said()
    {
        ConntrackNetns.Require();
        Assert.SkipUnless(ConntrackNetns.Long, "fills the kernel's table of 262,144 entries: ./dev test --long");
        using var net = new ConntrackNetns();
        net.Sysctl("udp_timeout", 120);
        using var run = await ConntrackRun.StartAsync(net, new ConntrackSourceOptions());
        net.InClient(() => { Flood("10.77.0.2", 300_000); return 0; });
        await run.BecomesAsync("table", CoverageLevel.Partial);
        Assert.Contains("The kernel's connection table is", run.Coverage("table")!.Detail);
        Assert.Equal(0, net.EventDrops());
    }

    [Fact]
    public async Task A_namespace_that_tracks_nothing_is_said_until_a_rule_asks_for_it()
    {
        ConntrackNetns.Require();
        using var net = new ConntrackNetns();
        net.ToolInServer("nft flush ruleset");
        net.ToolInServer("conntrack -F");
        using var run = await ConntrackRun.StartAsync(net, new ConntrackSourceOptions());
        net.InClient(() => { Flood("10.77.0.2", 500); return 0; });
        await run.BecomesAsync("activity", CoverageLevel.None);
        Assert.Contains(run.Source.Warnings, text => text.Contains("no rule asks for it", StringComparison.Ordinal));
        ConntrackNetns.Tool("ip", $"netns exec {net.Server} nft -f -", "table inet t { chain in { type filter hook input priority 0; ct state new counter; }\n}");
        net.InClient(() => { Flood("10.77.0.2", 10); return 0; });
        await run.BecomesAsync("activity", CoverageLevel.Full);
    }
}
