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
