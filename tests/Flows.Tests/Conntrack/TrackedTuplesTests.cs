using Flows.Capture.Conntrack;
using Flows.Core.Facts;
using Flows.Tests.Support;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Flows.Tests.Conntrack;

public sealed class TrackedTuplesTests
{
    private static readonly NetAddress Client = NetAddress.Parse("10.0.0.9");
    private static readonly NetAddress Service = NetAddress.Parse("10.96.0.10");
    private static readonly NetAddress Backend = NetAddress.Parse("10.0.0.2");

    private readonly FakeTimeProvider time = new();
    private readonly TrackedTuples tracked;

    public TrackedTuplesTests() => tracked = new TrackedTuples(time);

    [Fact]
    public void Both_sides_of_a_translation_are_known_in_both_directions()
    {
        Note(40000);
        Assert.True(tracked.Contains(Row(Client, 40000, Service, 80)));
        Assert.True(tracked.Contains(Row(Service, 80, Client, 40000)));
        Assert.True(tracked.Contains(Row(Client, 40000, Backend, 8080)));
        Assert.True(tracked.Contains(Row(Backend, 8080, Client, 40000)));
        Assert.False(tracked.Contains(Row(Client, 40001, Service, 80)));
        Assert.False(tracked.Contains(Row(Client, 40000, Service, 80, IpProtocol.Udp)));
        Assert.False(tracked.Contains(Row(Client, 80, Service, 40000)));
    }

    [Fact]
    public void It_is_remembered_for_as_long_as_a_packet_row_may_come_late()
    {
        Note(40000);
        time.Advance(TimeSpan.FromSeconds(240));
        Note(40001);
        time.Advance(TimeSpan.FromSeconds(59));
        Assert.True(tracked.Contains(Row(Client, 40000, Service, 80)));
        time.Advance(TimeSpan.FromSeconds(10));
        Assert.False(tracked.Contains(Row(Client, 40000, Service, 80)));
        Assert.True(tracked.Contains(Row(Client, 40001, Service, 80)));
        Note(40000);
        Assert.True(tracked.Contains(Row(Client, 40000, Service, 80)));
    }

    [Fact]
    public void A_full_table_of_conntrack_fits()
    {
        for (var connection = 0; connection < 262_144; connection++)
        {
            Note((ushort)connection, new NetAddress(0, 0xFFFF_0A00_0000 + ((ulong)connection >> 16)));
        }

        // Some sets of eight are full by chance before the table is.
        Assert.InRange(tracked.Displaced, 0, 26_000);
    }

    [Fact]
    public void Rows_of_what_conntrack_follows_are_dropped_for_that_reason()
    {
        var rows = new RowCollector();
        var owns = new ConntrackOwns(tracked, rows.Add);
        Note(40000);
        owns.Take(Row(Client, 40000, Service, 80));
        owns.Take(Row(Client, 40001, Service, 80));

        Assert.Equal(40001, Assert.Single(rows.Rows).SrcPort);
        var report = owns.Account.Report();
        Assert.True(report.Holds);
        Assert.Equal((2L, 1L, 1L), (report.Seen, report.Forwarded, report.Dropped["conntrack_owns"]));
    }

    private void Note(ushort port, NetAddress? client = null)
    {
        var from = client ?? Client;
        tracked.Note(new ConntrackTuple(from, Service, port, 80, IpProtocol.Tcp, 0), new ConntrackTuple(Backend, from, 8080, port, IpProtocol.Tcp, 0));
    }

    private static FlowRow Row(NetAddress src, ushort srcPort, NetAddress dst, ushort dstPort, byte protocol = IpProtocol.Tcp) =>
        new() { Src = src, SrcPort = srcPort, Dst = dst, DstPort = dstPort, Protocol = protocol };
}
