using System.Net;
using System.Net.Sockets;
using Flows.Capture;
using Flows.Capture.Conntrack;
using Flows.Capture.Recording;
using Flows.Core;
using Flows.Core.Accounting;
using Flows.Core.Facts;
using SharpPcap;
using SharpPcap.LibPcap;
using Xunit;

namespace Flows.SystemTests.Conntrack;

/// <summary>The source against the real kernel: two namespaces, real connections, true NAT.</summary>
public sealed class ConntrackSourceTests
{
    private static readonly ObservationPoint Point = new("node-1", "test");

    [Fact]
    public async Task Real_connections_become_rows_and_the_recording_gives_the_same_rows()
    {
        ConntrackNetns.Require();
        using var net = new ConntrackNetns();
        using var run = await SourceRun.StartAsync(net);
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

        using var run = await SourceRun.StartAsync(net, activeTimeout: TimeSpan.FromSeconds(2));
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
        using var run = await SourceRun.StartAsync(net);
        net.ToolInServer("conntrack -F");
        Send(peer, socket, 100);
        Send(socket, peer, 100);
        var rows = await run.StopAsync();

        var picked = rows.Single(row => row.EndReason == EndReason.Forced);
        Assert.Equal((DirectionBy.PortOrder, FlowState.MidStream, (ushort)8080), (picked.DirectionBy, picked.State, picked.DstPort));
        Assert.Equal("10.77.0.1", picked.Src.ToString());
    }

    [Fact]
    public async Task Without_accounting_counters_are_null_and_a_warning_says_so()
    {
        ConntrackNetns.Require();
        using var net = new ConntrackNetns(accounting: false);
        using var run = await SourceRun.StartAsync(net);
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
        using var run = await SourceRun.StartAsync(net);
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
        using var run = await SourceRun.StartAsync(net, receiveBufferBytes: 16 << 10, firstRowDelay: TimeSpan.FromSeconds(1));
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
        var source = new ConntrackSource(Point, (in FlowRow _) => { }, new HopAccount("conntrack", "events"), TimeProvider.System, new());
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

    private static Socket Listen(AddressFamily family, string address)
    {
        var socket = new Socket(family, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 5000 };
        socket.Bind(new IPEndPoint(IPAddress.Parse(address), 8080));
        socket.Listen();
        return socket;
    }

    private static Socket Answering(string address, int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 5000 };
        socket.Bind(new IPEndPoint(IPAddress.Parse(address), port));
        return socket;
    }

    private static Socket Connect(string address, int port)
    {
        var ip = IPAddress.Parse(address);
        var socket = new Socket(ip.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 5000, NoDelay = true };
        socket.Connect(ip, port);
        return socket;
    }

    private static SocketError TryConnect(ConntrackNetns net, string address, int port) => net.InClient(() =>
    {
        try
        {
            using var socket = Connect(address, port);
            return SocketError.Success;
        }
        catch (SocketException fault)
        {
            return fault.SocketErrorCode;
        }
    });

    private static void Exchange(ConntrackNetns net, Socket listener, string address, int port, int request, int response)
    {
        using var socket = net.InClient(() => Connect(address, port));
        using var peer = listener.Accept();
        Send(socket, peer, request);
        Send(peer, socket, response);
        socket.Shutdown(SocketShutdown.Both);
        peer.Shutdown(SocketShutdown.Both);
    }

    private static void Ask(ConntrackNetns net, string address, int port, Socket? answering = null)
    {
        using var socket = net.InClient(() => new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 5000 });
        socket.SendTo(new byte[30], new IPEndPoint(IPAddress.Parse(address), port));
        if (answering is not null)
        {
            var buffer = new byte[100];
            EndPoint from = new IPEndPoint(IPAddress.Any, 0);
            var length = answering.ReceiveFrom(buffer, ref from);
            answering.SendTo(buffer.AsSpan(0, length), from);
            socket.Receive(buffer);
        }
    }

    private static void Send(Socket from, Socket to, int bytes)
    {
        from.Send(new byte[bytes]);
        var buffer = new byte[bytes];
        for (var got = 0; got < bytes;)
        {
            got += to.Receive(buffer.AsSpan(got));
        }
    }

    /// <summary>A source at work in the server's namespace, with all that it gave.</summary>
    private sealed class SourceRun : IDisposable
    {
        private readonly List<FlowRow> rows = [];
        private readonly string file = Path.GetTempFileName();
        private readonly RecordingWriter recording;
        private readonly int recordingInterface;
        private readonly CancellationTokenSource stop = new();
        private readonly Task running;

        private SourceRun(ConntrackNetns net, ConntrackSourceOptions options, TimeSpan firstRowDelay)
        {
            recording = new RecordingWriter(File.Create(file), 64 << 20, "flows.node=node-1");
            recordingInterface = recording.AddInterface("conntrack", RecordingWriter.LinkTypeNetlink);
            Source = new ConntrackSource(Point, Sink, Account, TimeProvider.System, options, Tap);
            running = net.InServer(() => Source.RunAsync(stop.Token));

            void Sink(in FlowRow row)
            {
                if (rows.Count == 0)
                {
                    Thread.Sleep(firstRowDelay);
                }

                rows.Add(row);
            }
        }

        public int RowCount => rows.Count;

        public HopAccount Account { get; } = new("conntrack", "events");

        public ConntrackSource Source { get; }

        public static async Task<SourceRun> StartAsync(
            ConntrackNetns net, TimeSpan? activeTimeout = null, int receiveBufferBytes = 64 << 20, TimeSpan firstRowDelay = default)
        {
            var options = new ConntrackSourceOptions { ActiveTimeout = activeTimeout ?? TimeSpan.FromMinutes(1), ReceiveBufferBytes = receiveBufferBytes };
            var run = new SourceRun(net, options, firstRowDelay);
            await await Task.WhenAny(run.Source.Started, run.running).WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
            return run;
        }

        public async Task<List<FlowRow>> StopAsync()
        {
            // What the last packets caused is in the kernel's queue already: events are queued as the packets pass.
            await stop.CancelAsync();
            await running.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
            return rows;
        }

        public (List<FlowRow> Rows, HopReport Report) Replay()
        {
            var again = new List<FlowRow>();
            var account = new HopAccount("conntrack", "events");
            var replay = new ConntrackReplay(Point, (in FlowRow row) => again.Add(row), account);
            recording.Dispose();
            using var device = new CaptureFileReaderDevice(file);
            device.Open();
            Assert.Equal(RecordingWriter.LinkTypeNetlink, (int)device.LinkType);
            while (device.GetNextPacket(out var packet) == GetPacketStatus.PacketRead)
            {
                var time = packet.Header.Timeval;
                replay.OnPacket(packet.Data, ((long)time.Seconds * UnixTime.Second) + (long)time.MicroSeconds);
            }

            replay.Complete();
            return (again, account.Report());
        }

        public void Dispose()
        {
            stop.Dispose();
            recording.Dispose();
            File.Delete(file);
        }

        private void Tap(ReadOnlySpan<byte> datagram, long timeUs) => Assert.True(recording.WriteNetlink(recordingInterface, datagram, timeUs));
    }
}
