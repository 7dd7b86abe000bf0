using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Flows.Capture;
using Flows.Capture.Flow;
using Flows.Capture.Live;
using Flows.Capture.Packets;
using Flows.Core;
using Flows.Core.Facts;
using Xunit;

namespace Flows.SystemTests.Capture;

/// <summary>Captures real traffic on a veth pair between two namespaces that the test makes and removes.</summary>
public sealed partial class InterfaceSourceTests : IDisposable
{
    private static readonly IPAddress ClientAddress = IPAddress.Parse("10.99.7.1");
    private static readonly IPAddress ServerAddress = IPAddress.Parse("10.99.7.2");

    private readonly string client = $"flc{Environment.ProcessId}";
    private readonly string server = $"fls{Environment.ProcessId}";
    private readonly List<FlowRow> rows = [];

    [Fact]
    public async Task Rows_equal_what_was_sent()
    {
        MakeNamespaces();
        var account = PacketTracker.NewAccount();
        using var stop = new CancellationTokenSource();
        var source = NewSource("eth0", account);
        var run = In(server, () => source.RunAsync(stop.Token));
        await source.Opened;

        Exchange();
        await stop.CancelAsync();
        await run;

        var udp = Assert.Single(rows, row => row.Protocol == IpProtocol.Udp && row.DstPort == 5353);
        Assert.Equal((50UL, 50UL * 128, 0UL), (udp.FwdPackets!.Value, udp.FwdBytes!.Value, udp.RevPackets!.Value));
        Assert.Equal((NetAddress.FromIPAddress(ClientAddress), FlowState.Unanswered, DirectionBy.Request), (udp.Src, udp.State, udp.DirectionBy));

        var tcp = Assert.Single(rows, row => row.Protocol == IpProtocol.Tcp && row.DstPort == 8080);
        Assert.Equal((FlowState.Closed, EndReason.End, DirectionBy.Syn, FlowSource.Packets), (tcp.State, tcp.EndReason, tcp.DirectionBy, tcp.Source));
        Assert.True(tcp.RevBytes >= 100_000, $"only {tcp.RevBytes} bytes came back");

        var refused = Assert.Single(rows, row => row.Protocol == IpProtocol.Tcp && row.DstPort == 8081);
        Assert.Equal(FlowState.Refused, refused.State);

        var report = account.Report();
        Assert.True(report.Holds);
        Assert.Equal(report.Forwarded, rows.Sum(row => (long)(row.FwdPackets + row.RevPackets)!.Value));
        Assert.False(report.Dropped.ContainsKey("pcap_kernel"));
    }

    [Fact]
    public async Task An_idle_source_stops_when_told()
    {
        MakeNamespaces();
        using var stop = new CancellationTokenSource();
        var source = NewSource("lo", PacketTracker.NewAccount());
        var run = In(server, () => source.RunAsync(stop.Token));
        await source.Opened;

        await stop.CancelAsync();
        await run.WaitAsync(TimeSpan.FromSeconds(5), TestContext.Current.CancellationToken);
    }

    public void Dispose()
    {
        foreach (var name in new[] { client, server }.Where(name => File.Exists($"/run/netns/{name}")))
        {
            Ip($"netns delete {name}");
        }
    }

    private InterfaceSource NewSource(string name, Core.Accounting.HopAccount account)
    {
        var table = new FlowTable(new ObservationPoint("n", "s"), FlowSource.Packets, new FlowTableOptions(), (in FlowRow row) => rows.Add(row));
        var options = new InterfaceSourceOptions { Interfaces = [name], RingBytes = 2 << 20 };
        return new InterfaceSource(options, new PacketTracker(table, account), account, new NodeNotes(), TimeProvider.System);
    }

    /// <summary>50 datagrams of 100 bytes unanswered, a TCP download of 100,000 bytes, and a refused connection.</summary>
    private void Exchange()
    {
        using var sink = In(server, () => new UdpClient(new IPEndPoint(ServerAddress, 5353)));
        using var listener = In(server, () => new TcpListener(ServerAddress, 8080));
        listener.Start();
        using var sender = In(client, () => new UdpClient(new IPEndPoint(ClientAddress, 40001)));
        for (var datagram = 0; datagram < 50; datagram++)
        {
            sender.Send(new byte[100], new IPEndPoint(ServerAddress, 5353));
        }

        using (var caller = In(client, () => new TcpClient(new IPEndPoint(ClientAddress, 40002))))
        {
            caller.Connect(ServerAddress, 8080);
            using var answerer = listener.AcceptTcpClient();
            var (upstream, downstream) = (caller.GetStream(), answerer.GetStream());
            downstream.Write(new byte[100_000]);
            upstream.ReadExactly(new byte[100_000]);
            caller.Client.Shutdown(SocketShutdown.Send);
            Assert.Equal(0, downstream.Read(new byte[1]));
            answerer.Client.Shutdown(SocketShutdown.Send);
            Assert.Equal(0, upstream.Read(new byte[1]));
        }

        using var refused = In(client, () => new TcpClient(new IPEndPoint(ClientAddress, 40003)));
        Assert.Throws<SocketException>(() => refused.Connect(ServerAddress, 8081));
    }

    private void MakeNamespaces()
    {
        RequireRoot();
        Ip($"netns add {client}");
        Ip($"netns add {server}");
        Ip($"-n {client} link add eth0 type veth peer name eth0 netns {server}");
        foreach (var (name, address) in new[] { (client, ClientAddress), (server, ServerAddress) })
        {
            Ip($"-n {name} address add {address}/24 dev eth0");
            Ip($"-n {name} link set lo up");
            Ip($"-n {name} link set eth0 up");
        }
    }

    private static void RequireRoot()
    {
        var able = Environment.IsPrivilegedProcess && File.Exists("/sbin/ip");
        Assert.SkipWhen(!able && Environment.GetEnvironmentVariable("CI") != "true", "Capturing between namespaces needs root and iproute2.");
        Assert.True(able, "Capturing between namespaces needs root and iproute2.");
    }

    /// <summary>Runs something on a thread inside a namespace: sockets and threads made there stay there.</summary>
    private static T In<T>(string name, Func<T> make)
    {
        T result = default!;
        Exception? fault = null;
        var thread = new Thread(() =>
        {
            try
            {
                using var handle = File.OpenHandle($"/run/netns/{name}");
                const int CloneNewNet = 0x40000000;
                Assert.Equal(0, SetNamespace((int)handle.DangerousGetHandle(), CloneNewNet));
                result = make();
            }
            catch (Exception e)
            {
                // Carried to the test's own thread.
                fault = e;
            }
        });
        thread.Start();
        thread.Join();
        return fault is null ? result : throw new InvalidOperationException($"In namespace {name}: {fault.Message}", fault);
    }

    private static void Ip(string arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("/sbin/ip", arguments) { RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"ip {arguments}: {error}");
    }

    [LibraryImport("libc", EntryPoint = "setns", SetLastError = true)]
    private static partial int SetNamespace(int descriptor, int type);
}
