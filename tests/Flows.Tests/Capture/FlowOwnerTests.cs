using Flows.Capture;
using Flows.Capture.Flow;
using Flows.Capture.Packets;
using Flows.Core.Facts;
using Flows.Tests.Support;
using Xunit;

namespace Flows.Tests.Capture;

/// <summary>Several interfaces of a node see the same flow; one of them counts each direction.</summary>
public sealed class FlowOwnerTests
{
    private const long Second = 1_000_000;
    private const byte Veth = 1;
    private const byte Bridge = 2;
    private const byte Uplink = 3;
    private static readonly NetAddress Client = NetAddress.Parse("10.0.0.9");
    private static readonly NetAddress Server = NetAddress.Parse("10.0.0.2");

    private readonly RowCollector rows = new();
    private readonly Core.Accounting.HopAccount account = PacketTracker.NewAccount();
    private readonly PacketTracker tracker;

    public FlowOwnerTests() =>
        tracker = new(new FlowTable(new ObservationPoint("n", "s"), FlowSource.Packets, new FlowTableOptions(), rows.Add), account);

    [Fact]
    public void What_three_interfaces_see_is_counted_once_and_the_books_hold()
    {
        foreach (var observer in new[] { Veth, Bridge, Uplink })
        {
            Connection(observer, 0, isn: 5);
        }

        tracker.Finish();
        var row = Assert.Single(rows.Rows);
        Assert.Equal((3UL, 2UL, FlowState.Closed), (row.FwdPackets!.Value, row.RevPackets!.Value, row.State));
        var report = account.Report();
        Assert.Equal((15L, 5L, 10L), (report.Seen, report.Forwarded, report.Dropped["seen_elsewhere"]));
        Assert.True(report.Holds);
    }

    [Fact]
    public void Rings_read_one_after_another_keep_reused_ports_apart()
    {
        // The first ring holds two connections on the same ports before the second ring is read.
        Connection(Veth, 0, isn: 5);
        Connection(Veth, Second, isn: 9000);
        Connection(Bridge, 0, isn: 5);
        Connection(Bridge, Second, isn: 9000);
        tracker.Finish();

        Assert.Equal([(3UL, 2UL), (3UL, 2UL)], rows.Rows.Select(row => (row.FwdPackets!.Value, row.RevPackets!.Value)));
    }

    [Fact]
    public void Each_direction_has_an_owner_of_its_own()
    {
        // Requests leave by one interface, answers come by another; a third sees both.
        for (var turn = 0; turn < 5; turn++)
        {
            Udp(Veth, turn, forward: true);
            Udp(Uplink, turn + 1, forward: false);
            Udp(Bridge, turn + 2, forward: true);
            Udp(Bridge, turn + 3, forward: false);
        }

        tracker.Finish();
        Assert.Equal((5UL, 5UL), (rows.Rows.Single().FwdPackets!.Value, rows.Rows.Single().RevPackets!.Value));
    }

    [Fact]
    public void A_direction_whose_owner_fell_silent_moves_though_the_other_goes_on()
    {
        for (var tenth = 0; tenth < 200; tenth++)
        {
            // After 5 s the requests take another way; the answers stay.
            Udp(tenth < 50 ? Veth : Uplink, tenth * Second / 10, forward: true);
            Udp(Veth, (tenth * Second / 10) + 1, forward: false);
        }

        tracker.Finish();
        var row = Assert.Single(rows.Rows);
        Assert.Equal(200UL, row.RevPackets!.Value);
        Assert.InRange(200UL - row.FwdPackets!.Value, 30UL, 50UL);
        Assert.Equal((long)(200UL - row.FwdPackets!.Value), account.Report().Dropped["seen_elsewhere"]);
    }

    [Fact]
    public void A_packet_that_comes_late_moves_no_owner()
    {
        Udp(Veth, 20 * Second, forward: true);
        Udp(Bridge, 10 * Second, forward: true);
        Udp(Veth, 21 * Second, forward: true);
        tracker.Finish();

        Assert.Equal(2UL, rows.Rows.Single().FwdPackets!.Value);
    }

    [Fact]
    public void A_connection_that_another_interface_opens_after_the_end_is_a_new_one()
    {
        Connection(Veth, 0, isn: 5);
        Connection(Uplink, Second, isn: 9000);
        tracker.Finish();

        Assert.Equal(2, rows.Rows.Count);
        Assert.All(rows.Rows, row => Assert.Equal((3UL, 2UL, FlowState.Closed), (row.FwdPackets!.Value, row.RevPackets!.Value, row.State)));
    }

    private void Connection(byte observer, long timeUs, uint isn)
    {
        Tcp(observer, timeUs, forward: true, TcpFlags.Syn, isn, 0);
        Tcp(observer, timeUs + 1, forward: false, TcpFlags.Syn | TcpFlags.Ack, 90, isn + 1);
        Tcp(observer, timeUs + 2, forward: true, TcpFlags.Ack | TcpFlags.Fin, isn + 1, 91);
        Tcp(observer, timeUs + 3, forward: false, TcpFlags.Ack | TcpFlags.Fin, 91, isn + 2);
        Tcp(observer, timeUs + 4, forward: true, TcpFlags.Ack, isn + 2, 92);
    }

    private void Tcp(byte observer, long timeUs, bool forward, byte flags, uint seq, uint ack) => Track(observer, timeUs, forward
        ? Frames.Ip(Client, Server, IpProtocol.Tcp, Frames.Tcp(40000, 443, flags, seq, ack, 0))
        : Frames.Ip(Server, Client, IpProtocol.Tcp, Frames.Tcp(443, 40000, flags, seq, ack, 0)));

    private void Udp(byte observer, long timeUs, bool forward) => Track(observer, timeUs, forward
        ? Frames.Ip(Client, Server, IpProtocol.Udp, Frames.Udp(40000, 443))
        : Frames.Ip(Server, Client, IpProtocol.Udp, Frames.Udp(443, 40000)));

    private void Track(byte observer, long timeUs, byte[] packet) => tracker.Track(packet, LinkType.Raw, packet.Length, timeUs, observer);
}
