using System.Net.Sockets;
using Flows.Capture.Conntrack;
using Flows.Core.Facts;
using Xunit;
using static Flows.SystemTests.Conntrack.Traffic;

namespace Flows.SystemTests.Conntrack;

/// <summary>Row 28 of the fault matrix: the collector restarts while connections live.</summary>
public sealed class ConntrackRestartTests
{
    [Fact]
    public async Task Living_connections_are_known_again_after_a_restart_their_ends_seen_and_nothing_counted_twice()
    {
        ConntrackNetns.Require();
        var connections = ConntrackNetns.Long ? 50_000 : 8_000;
        using var net = new ConntrackNetns();
        net.ToolInServer("sysctl -qw net.core.somaxconn=65535 net.ipv4.tcp_max_syn_backlog=65535");
        net.InClient(() => ConntrackNetns.Tool("sysctl", "-qw net.ipv4.ip_local_port_range=\"1100 65000\""));

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
                    Abandon(Connect("10.77.0.2", 8080));
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
            Assert.All(earlier, row => Assert.Equal((0u, EndReason.Forced, FlowState.Established), (row.WindowNo, row.EndReason, row.State)));
            Assert.All(later, row => Assert.Equal((1u, EndReason.End, FlowState.Reset, DirectionBy.CtNew), (row.WindowNo, row.EndReason, row.State, row.DirectionBy)));
            Assert.Equal(earlier.Select(row => row.ConnId).Order(), later.Select(row => row.ConnId).Order());

            // SYN, SYN+ACK, ACK before; the RST of the listener that closes after.
            Assert.All(earlier, row => Assert.Equal((2UL, 1UL), (row.FwdPackets, row.RevPackets)));
            Assert.All(later, row => Assert.Equal((0UL, 1UL, 40UL), (row.FwdPackets, row.RevPackets, row.RevBytes)));
        }
        finally
        {
            File.Delete(memory);
        }
    }
}
