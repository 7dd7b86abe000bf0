using Flows.Capture;
using Flows.Capture.Files;
using Flows.Capture.Flow;
using Flows.Capture.Packets;
using Flows.Core.Facts;
using Flows.Tests.Support;
using Xunit;

namespace Flows.Tests.Capture;

public sealed class FlowTruthTests
{
    [Theory]
    [InlineData(1, 65535, false, 0)]
    [InlineData(2, 96, false, 0)]
    [InlineData(3, 65535, true, 0)]
    [InlineData(4, 96, false, 0.05)]
    [InlineData(5, 96, true, 0.5)]
    public void Rows_add_up_to_the_connections_that_were_made(int seed, int snaplen, bool vlan, double reuse)
    {
        var capture = new MicroCapture(new MicroOptions(5000, seed, snaplen, vlan, reuse));

        var (rows, report) = Replay(capture);

        Assert.Equal(Sorted(capture.Connections.Select(connection => connection.Truth)), Sorted(rows.Connections()));
        Assert.True(report.Holds);
        Assert.Empty(report.Dropped);
    }

    [Theory]
    [InlineData(11, Encap.QinQ, 96, 0)]
    [InlineData(12, Encap.Vxlan, 65535, 0)]
    [InlineData(13, Encap.Vxlan, 128, 0)]
    [InlineData(14, Encap.VxlanLinuxPort, 65535, 0)]
    [InlineData(15, Encap.Vxlan6Vlan, 65535, 0)]
    [InlineData(16, Encap.Geneve, 65535, 0)]
    [InlineData(17, Encap.Gre, 65535, 0)]
    [InlineData(18, Encap.GreBridging, 65535, 0)]
    [InlineData(19, Encap.IpInIp, 96, 0)]
    [InlineData(20, Encap.IpInIp6, 65535, 0)]
    [InlineData(21, Encap.VxlanInGre, 65535, 0)]
    [InlineData(22, Encap.Mix, 65535, 0)]
    [InlineData(23, Encap.Plain, 65535, 256)]
    [InlineData(24, Encap.QinQ, 96, 576)]
    [InlineData(25, Encap.Vxlan, 65535, 576)]
    [InlineData(26, Encap.Gre, 128, 256)]
    [InlineData(27, Encap.Vxlan6Vlan, 65535, 576)]
    public void Tags_tunnels_and_fragments_change_nothing_about_the_connections_within(int seed, Encap encap, int snaplen, int mtu)
    {
        var capture = new MicroCapture(new MicroOptions(1500, seed, snaplen, Reuse: 0.05, Encap: encap, Mtu: mtu));

        var (rows, report) = Replay(capture);

        Assert.Equal(Sorted(capture.Connections.Select(connection => connection.Truth)), Sorted(rows.Connections()));
        Assert.True(report.Holds);
        Assert.Equal(capture.TunnelFragments, report.Dropped.GetValueOrDefault("tunnel_fragment"));
        Assert.Equal(capture.TunnelFragments, report.DroppedTotal);
        Assert.Equal(encap.IsTunnel() && mtu != 0, capture.TunnelFragments != 0);
    }

    [Fact]
    public void What_is_cut_off_within_a_tunnel_is_counted_with_the_nodes()
    {
        // 96 bytes end before the TCP flags of an inner IPv4 packet, but behind the ports of an inner UDP packet.
        var capture = new MicroCapture(new MicroOptions(1000, Seed: 28, Snaplen: 96, Encap: Encap.Vxlan));

        var (rows, report) = Replay(capture);

        Assert.Equal(report.Seen, report.Forwarded);
        var truth = capture.Connections.Where(connection => connection.Protocol == IpProtocol.Udp && connection.Src.IsV4).Select(connection => connection.Truth);
        Assert.Equal(Sorted(truth), Sorted(rows.Connections().Where(totals => totals.Src != Tunnels.NodeA)));
    }

    [Theory]
    [InlineData(31, 0.05)]
    [InlineData(32, 0.3)]
    public void Connections_on_ports_used_before_are_told_apart(int seed, double reuse)
    {
        var capture = new MicroCapture(new MicroOptions(10_000, seed, Snaplen: 96, Reuse: reuse));

        var truth = capture.Connections.Select(connection => connection.Truth).ToList();
        var found = Replay(capture).Rows.Connections().CountBy(totals => totals).ToDictionary();
        var missed = truth.CountBy(totals => totals).Sum(one => Math.Max(0, one.Value - found.GetValueOrDefault(one.Key)));

        var reused = truth.Count - truth.Select(one => (one.Src, one.Dst, one.SrcPort, one.DstPort, one.Protocol)).Distinct().Count();
        Assert.True(reused > reuse * 0.4 * truth.Count, $"only {reused} connections reuse ports");
        Assert.True(missed <= 0.002 * reused, $"{missed} of {reused} were not told apart");
        Assert.Equal(truth.Count, found.Values.Sum());
    }

    [Fact]
    public void The_same_capture_gives_the_same_rows_in_the_same_order()
    {
        var capture = new MicroCapture(new MicroOptions(1000, Seed: 6, Snaplen: 96, Reuse: 0.05));

        var first = Replay(capture).Rows.Rows;
        var second = Replay(capture).Rows.Rows;

        Assert.Equal(first, second);
    }

    [Fact]
    public void Long_connections_are_reported_in_windows_that_carry_on()
    {
        var capture = new MicroCapture(new MicroOptions(2000, Seed: 7, Snaplen: 96));

        var windows = Replay(capture).Rows.Rows.GroupBy(row => row.ConnId).Where(rows => rows.Count() > 1).ToList();

        Assert.NotEmpty(windows);
        foreach (var rows in windows)
        {
            Assert.Equal(Enumerable.Range(0, rows.Count()), rows.Select(row => (int)row.WindowNo));
            Assert.Single(rows.Select(row => row.ConnStartUs).Distinct());
            Assert.All(rows.SkipLast(1), row => Assert.Equal(EndReason.Active, row.EndReason));
            Assert.All(rows, row => Assert.InRange(row.WindowEndUs - row.WindowStartUs, 0, 60_000_000));
        }
    }

    private static (RowCollector Rows, Core.Accounting.HopReport Report) Replay(MicroCapture capture)
    {
        var rows = new RowCollector();
        var account = PacketTracker.NewAccount();
        var tracker = new PacketTracker(new FlowTable(new ObservationPoint("n", "s"), FlowSource.File, new FlowTableOptions(), rows.Add), account);
        using var reader = CaptureFileReader.Open(capture.ToPcap(), "micro");
        while (reader.TryReadNext(out var packet))
        {
            tracker.Track(packet.Data, packet.LinkType, packet.WireLength, packet.TimestampUs);
        }

        tracker.Finish();
        return (rows, account.Report());
    }

    private static IEnumerable<string> Sorted(IEnumerable<ConnectionTotals> connections) =>
        connections.Select(connection => connection.ToString()).Order(StringComparer.Ordinal);
}
