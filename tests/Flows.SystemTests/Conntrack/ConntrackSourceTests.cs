using System.Net;
using System.Net.Sockets;
using Flows.Capture;
using Flows.Capture.Conntrack;
using Flows.Core;
using Flows.Core.Accounting;
using Flows.Core.Facts;
using Xunit;
using static Flows.SystemTests.Conntrack.Traffic;

namespace Flows.SystemTests.Conntrack;

/// <summary>The source against the real kernel: two namespaces, real connections, true NAT.</summary>
public sealed class ConntrackSourceTests
{
    [Fact]
    public async Task Real_connections_become_rows_and_the_recording_gives_the_same_rows()
    {
        ConntrackNetns.Require();
        using var net = new ConntrackNetns();
        using var run = await ConntrackRun.StartAsync(net);
        using var listener = net.InServer(() => Listen(AddressFamily.InterNetwork, "10.77.0.2"));
        using var listener6 = net.InServer(() => Listen(AddressFamily.InterNetworkV6, "fd77::2"));

        Exchange(net, listener, "10.96.0.10", 80, 1000, 5000);
        Exchange(net, listener6, "fd77::2", 8080, 10, 20);
        Assert.Equal(SocketError.ConnectionRefused, TryConnect(net, "10.77.0.2", 4444));
        Ask(net, "10.77.0.2", 9999);
        using var udp = net.InServer(() => Answering("10.77.0.2", 5353));
        Ask(net, "10.77.0.2", 5353, udp);

        // Past the shortened timeouts, so that DESTROY events take part.
        await Task.Delay(TimeSpan.FromSeconds(5), TestContext.Current.CancellationToken);
        var rows = await run.StopAsync();

        var vip = Assert.Single(rows, row => row.Dst == NetAddress.Parse("10.96.0.10"));
        Assert.Equal(("10.77.0.1", (ushort)80, IpProtocol.Tcp), (vip.Src.ToString(), vip.DstPort, vip.Protocol));
        Assert.Equal(("10.77.0.2", (ushort?)8080), (vip.NatDst.ToString(), vip.NatDstPort));
        Assert.Equal((FlowState.Closed, EndReason.End, DirectionBy.CtNew, 0u), (vip.State, vip.EndReason, vip.DirectionBy, vip.WindowNo));
        Assert.True(vip.FwdBytes >= 1000 + (vip.FwdPackets * 40) && vip.RevBytes >= 5000 + (vip.RevPackets * 40));

        var six = Assert.Single(rows, row => row.Dst == NetAddress.Parse("fd77::2") && row.Protocol == IpProtocol.Tcp);
        Assert.Equal((FlowState.Closed, (NetAddress?)null), (six.State, six.NatDst));

        var refused = Assert.Single(rows, row => row.DstPort == 4444);
        Assert.Equal((FlowState.Refused, EndReason.End, 1UL, 1UL), (refused.State, refused.EndReason, refused.FwdPackets, refused.RevPackets));

        // What a filter drops on input is never confirmed: conntrack does not know it at all.
        Assert.DoesNotContain(rows, row => row.DstPort == 9999);
        var dns = Assert.Single(rows, row => row.DstPort == 5353);
        Assert.Equal((FlowState.Established, EndReason.Idle, 1UL, 1UL), (dns.State, dns.EndReason, dns.FwdPackets, dns.RevPackets));
        Assert.All(rows, row => Assert.True(row.WindowStartUs <= row.WindowEndUs && row.ConnStartUs <= row.WindowStartUs));
        Assert.True(run.Account.Report().Holds, run.Account.Report().ToString());
        Assert.Empty(run.Source.Warnings);

        var (replayed, report) = run.Replay();
        Assert.Equal(rows, replayed);
        Assert.Equal(run.Account.Report().Seen, report.Seen);
        Assert.Equal(run.Account.Report().Forwarded, report.Forwarded);
    }

    [Fact]
    public async Task A_connection_older_than_the_source_and_one_that_outlives_it_are_told_apart()
    {
        ConntrackNetns.Require();
        using var net = new ConntrackNetns();
        using var listener = net.InServer(() => Listen(AddressFamily.InterNetwork, "10.77.0.2"));
        using var old = net.InClient(() => Connect("10.77.0.2", 8080));
        using var oldServer = listener.Accept();
        Send(old, oldServer, 4000);

        using var run = await ConntrackRun.StartAsync(net, activeTimeout: TimeSpan.FromSeconds(2));
        Send(old, oldServer, 100);
        using var young = net.InClient(() => Connect("10.77.0.2", 8080));
        using var youngServer = listener.Accept();
        Send(young, youngServer, 300);
        await Task.Delay(TimeSpan.FromSeconds(3), TestContext.Current.CancellationToken);
        Send(young, youngServer, 70);
        var rows = await run.StopAsync();

        var oldRows = rows.Where(row => row.SrcPort == ((IPEndPoint)old.LocalEndPoint!).Port).ToList();
        var youngRows = rows.Where(row => row.SrcPort == ((IPEndPoint)young.LocalEndPoint!).Port).ToList();

        // The old one's SYN is proven by its window scale, its earlier bytes are not ours.
        Assert.All(oldRows, row => Assert.Equal((DirectionBy.CtNew, FlowState.Established), (row.DirectionBy, row.State)));
        Assert.InRange(oldRows.Sum(row => (long)row.FwdBytes!), 100, 1000);
        Assert.True(oldRows[0].ConnStartUs < oldRows[0].WindowStartUs);
        Assert.Equal((EndReason.Active, EndReason.Forced), (youngRows[0].EndReason, youngRows[^1].EndReason));
        Assert.Equal(Enumerable.Range(0, youngRows.Count).Select(number => (uint)number), youngRows.Select(row => row.WindowNo));
        Assert.InRange(youngRows.Sum(row => (long)row.FwdBytes!), 370, 1200);
        Assert.Equal(rows, run.Replay().Rows);
    }

    [Fact]
    public async Task A_picked_up_connection_is_not_trusted()
    {
        ConntrackNetns.Require();
        using var net = new ConntrackNetns();
        using var listener = net.InServer(() => Listen(AddressFamily.InterNetwork, "10.77.0.2"));
        using var socket = net.InClient(() => Connect("10.77.0.2", 8080));
        using var peer = listener.Accept();
        using var run = await ConntrackRun.StartAsync(net);
        net.ToolInServer("conntrack -F");
        Send(peer, socket, 100);
        Send(socket, peer, 100);
        var rows = await run.StopAsync();

        // Before the flush it was known from its SYN, after it nothing is proven.
        Assert.Equal([DirectionBy.CtNew, DirectionBy.PortOrder], rows.Select(row => row.DirectionBy));
        Assert.Equal([FlowState.Established, FlowState.MidStream], rows.Select(row => row.State));
        Assert.All(rows, row => Assert.Equal((EndReason.Forced, (ushort)8080, "10.77.0.1"), (row.EndReason, row.DstPort, row.Src.ToString())));
    }

    [Fact]
    public async Task Without_accounting_counters_are_null_and_a_warning_says_so()
    {
        ConntrackNetns.Require();
        using var net = new ConntrackNetns(accounting: false);
        using var run = await ConntrackRun.StartAsync(net);
        Assert.Equal(SocketError.ConnectionRefused, TryConnect(net, "10.77.0.2", 4444));
        var rows = await run.StopAsync();
        var refused = Assert.Single(rows, row => row.DstPort == 4444);
        Assert.Equal((FlowState.Refused, (ulong?)null), (refused.State, refused.FwdBytes));
        Assert.Contains("nf_conntrack_acct is 0", Assert.Single(run.Source.Warnings));
    }

    [Fact]
    public async Task A_burst_is_counted_to_the_last_connection()
    {
        const int Connections = 2000;
        ConntrackNetns.Require();
        using var net = new ConntrackNetns();
        using var run = await ConntrackRun.StartAsync(net);
        net.InClient(() =>
        {
            for (var i = 0; i < Connections; i++)
            {
                using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                Assert.Throws<SocketException>(() => socket.Connect("10.77.0.2", 4444));
            }

            return 0;
        });
        var rows = await run.StopAsync();
        Assert.Equal(Connections, rows.Count(row => row is { DstPort: 4444, State: FlowState.Refused }));
        Assert.Equal(Connections, rows.Select(row => row.ConnId).Distinct().Count());
        Assert.True(run.Account.Report().Holds);
    }

    [Fact]
    public async Task A_reader_that_fell_behind_loses_no_end_and_counts_what_it_lost()
    {
        const int Connections = 1000;
        ConntrackNetns.Require();
        using var net = new ConntrackNetns();

        // Some twenty events fit; the sink holds the reader up at the first row.
        using var run = await ConntrackRun.StartAsync(net, receiveBufferBytes: 16 << 10, firstRowDelay: TimeSpan.FromSeconds(1));
        net.InClient(() =>
        {
            for (var i = 0; i < Connections; i++)
            {
                using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                Assert.Throws<SocketException>(() => socket.Connect("10.77.0.2", 4444));
            }

            return 0;
        });
        var deadline = TimeProvider.System.GetTimestamp();
        while (run.RowCount < Connections && TimeProvider.System.GetElapsedTime(deadline) < TimeSpan.FromSeconds(20))
        {
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }

        var rows = await run.StopAsync();
        var report = run.Account.Report();
        Assert.True(report.Holds && report.Dropped["netlink_overrun"] > 0, report.ToString());
        Assert.Equal(Connections, rows.Count(row => row is { DstPort: 4444, State: FlowState.Refused, FwdPackets: 1, RevPackets: 1 }));
        Assert.Equal(Connections, rows.Count(row => row.WindowNo == 0));
        Assert.Equal(rows, run.Replay().Rows);
    }

    [Fact]
    public async Task Without_the_capability_the_error_names_it()
    {
        ConntrackNetns.Require();
        using var net = new ConntrackNetns();
        var source = new ConntrackSource(ConntrackRun.Point, (in FlowRow _) => { }, new HopAccount("conntrack", "events"), TimeProvider.System, new());
        var running = net.InClient(() =>
        {
            ConntrackNetns.DropCapabilities();
            return source.RunAsync(CancellationToken.None);
        });
        var fault = await Assert.ThrowsAsync<FlowsException>(() => running);
        Assert.Equal(ExitCode.Failed, fault.ExitCode);
        Assert.Contains("CAP_NET_ADMIN", fault.Message);
        Assert.True(source.Started.IsCanceled);
    }
}
