using System.Net.Sockets;
using Flows.Capture.Conntrack;
using Flows.Core.Facts;
using Xunit;
using static Flows.SystemTests.Conntrack.Traffic;

namespace Flows.SystemTests.Conntrack;

/// <summary>Row 28 of the fault matrix: the collector restarts while connections live.</summary>
public sealed class ConntrackRestartTests
{
    private const int FirstPort = 10_000;

    [Fact]
    public async Task Living_connections_are_known_again_after_a_restart_their_ends_seen_and_nothing_counted_twice()
    {
        ConntrackNetns.Require();
        var connections = ConntrackNetns.Long ? 50_000 : 8_000;
        using var net = new ConntrackNetns();
        net.ToolInServer("sysctl -qw net.core.somaxconn=65535 net.ipv4.tcp_max_syn_backlog=65535");

        // Nobody accepts, and the clients leave without a word: a connection in the queue is established and costs no descriptor.
        using var listener = net.InServer(() => Listen(AddressFamily.InterNetwork, "10.77.0.2", 8080, 60_000));
        var memory = Path.GetTempFileName();
        try
        {
            var options = new ConntrackSourceOptions { MemoryFile = memory };
            var before = await ConntrackRun.StartAsync(act => net.InServer(act), options);
            net.InClient(() =>
            {
                for (var i = 0; i < connections; i++)
                {
                    // The kernel would give out a port again whose socket is gone, though its connection lives.
                    Abandon(Connect("10.77.0.2", 8080, from: FirstPort + i));
                }

                return 0;
            });
            await ConntrackRun.UntilAsync(() => before.Source.Connections == connections, () => $"{before.Source.Connections} connections");
            var earlier = await before.StopAsync();
            before.Dispose();

            using var after = await ConntrackRun.StartAsync(act => net.InServer(act), options);
            Assert.Equal(connections, after.Source.Connections);
            listener.Close();
            await ConntrackRun.UntilAsync(() => after.RowCount >= connections, () => $"{after.RowCount} ends of {connections}", secondsMax: 40);
            var later = await after.StopAsync();

            Assert.Equal(connections, earlier.Count);
            Assert.Equal(connections, later.Count);
            Assert.Equal(earlier.Select(row => row.ConnId).Order(), later.Select(row => row.ConnId).Order());

            // SYN, SYN+ACK and ACK before; the RST of the listener that closes, with its timestamps, after.
            Assert.Equal((0u, EndReason.Forced, FlowState.Established, (ulong?)2, (ulong?)1), Assert.Single(earlier.Select(Told).Distinct()));
            Assert.Equal((1u, EndReason.End, FlowState.Reset, (ulong?)0, (ulong?)1), Assert.Single(later.Select(Told).Distinct()));
            Assert.All(later, row => Assert.Equal((DirectionBy.CtNew, 52UL), (row.DirectionBy, row.RevBytes)));
        }
        finally
        {
            File.Delete(memory);
        }
    }

    private static (uint WindowNo, EndReason Reason, FlowState State, ulong? Fwd, ulong? Rev) Told(FlowRow row) =>
        (row.WindowNo, row.EndReason, row.State, row.FwdPackets, row.RevPackets);
}
