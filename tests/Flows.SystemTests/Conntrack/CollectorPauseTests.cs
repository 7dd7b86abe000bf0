using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Flows.SystemTests.Cli;
using Xunit;

namespace Flows.SystemTests.Conntrack;

/// <summary>Row 25 of the fault matrix: the whole collector is stopped under load and goes on later.</summary>
public sealed class CollectorPauseTests
{
    private const int FirstPort = 10_000;

    [Fact]
    public async Task A_stopped_collector_counts_what_it_lost_and_gets_every_end()
    {
        ConntrackNetns.Require();
        var pause = TimeSpan.FromSeconds(ConntrackNetns.Long ? 30 : 3);
        var connections = ConntrackNetns.Long ? 45_000 : 5_000;
        using var directory = new TemporaryDirectory();
        using var net = new ConntrackNetns();
        await using var up = net.InServer(() => FlowsProcess.Start("up", "--store", directory["store"], "--listen", "127.0.0.1:4739", "--node", "paused", "--conntrack-buffer", "1"));
        await up.SaysAsync("serving on");
        await ConntrackRun.UntilAsync(() => net.InServer(() => File.ReadLines("/proc/thread-self/net/netlink").Any(line => line.Contains(" 00000007 ", StringComparison.Ordinal))), () => "the collector does not listen");

        // Refused connections begin and end at once: a NEW and a DESTROY each, more than the buffer holds.
        up.Signal(FlowsProcess.SigStop);
        var began = TimeProvider.System.GetTimestamp();
        net.InClient(() => { Refuse(connections); return 0; });
        var rest = pause - TimeProvider.System.GetElapsedTime(began);
        if (rest > TimeSpan.Zero)
        {
            await Task.Delay(rest, TestContext.Current.CancellationToken);
        }

        up.Signal(FlowsProcess.SigCont);
        await ConntrackRun.UntilAsync(() => net.Entries() == 0, () => $"{net.Entries()} entries wait for their end to be read", secondsMax: 40);

        // The books travel with the reports, every 5 s.
        long kernel = 0;
        (long Lost, bool Holds) counted = default;
        await ConntrackRun.UntilAsync(
            () =>
            {
                kernel = net.EventDrops();
                counted = net.InServer(Books);
                return kernel > 0 && counted.Lost == kernel;
            },
            () => $"the kernel dropped {kernel}, the collector counted {counted.Lost}");
        Assert.True(counted.Holds, "seen = forwarded + dropped + in flight");

        var (ended, _) = await up.EndAsync(FlowsProcess.SigTerm);
        Assert.True(ended.ExitCode == 0, ended.ToString());
        var rows = await FlowsProcess.RunAsync(
            "sql", "--store", directory["store"], "--output", "csv",
            "SELECT count(*) AS n, count(DISTINCT src_port) AS ports, count_if(state = 'refused' AND fwd_packets = 1 AND rev_packets = 1) AS whole FROM flow_log WHERE dst_port = 4444");
        Assert.True(rows.ExitCode == 0, rows.ToString());
        Assert.Equal($"{connections},{connections},{connections}", rows.Output.Split('\n')[1].Trim());
        TestContext.Current.TestOutputHelper?.WriteLine($"{connections} connections, {kernel} events lost and counted");
    }

    private static void Refuse(int connections)
    {
        var to = new IPEndPoint(IPAddress.Parse("10.77.0.2"), 4444);
        for (var i = 0; i < connections; i++)
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(IPAddress.Any, FirstPort + i));
            Assert.Throws<SocketException>(() => socket.Connect(to));
        }
    }

    /// <summary>The conntrack hop of the process, as its metrics show it.</summary>
    private static (long Lost, bool Holds) Books()
    {
        using var client = new HttpClient();
        long lost = 0, seen = 0, forwarded = 0, dropped = 0, waiting = 0;
        var metrics = client.GetStringAsync("http://127.0.0.1:4739/metrics").GetAwaiter().GetResult();
        foreach (var line in metrics.Split('\n').Where(line => line.Contains("hop=\"conntrack\"", StringComparison.Ordinal)))
        {
            var value = (long)double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture);
            lost += line.Contains("netlink_overrun", StringComparison.Ordinal) ? value : 0;
            seen += line.StartsWith("flows_hop_seen", StringComparison.Ordinal) ? value : 0;
            forwarded += line.StartsWith("flows_hop_forwarded", StringComparison.Ordinal) ? value : 0;
            dropped += line.StartsWith("flows_hop_dropped", StringComparison.Ordinal) ? value : 0;
            waiting += line.StartsWith("flows_hop_in_flight", StringComparison.Ordinal) ? value : 0;
        }

        return (lost, seen == forwarded + dropped + waiting);
    }
}
