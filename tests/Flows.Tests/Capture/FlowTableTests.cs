using System.Runtime.CompilerServices;
using Flows.Capture;
using Flows.Capture.Flow;
using Flows.Capture.Packets;
using Flows.Core.Facts;
using Flows.Tests.Support;
using Xunit;

namespace Flows.Tests.Capture;

public sealed class FlowTableTests
{
    private const long Second = 1_000_000;
    private static readonly NetAddress Client = NetAddress.Parse("10.0.0.9");
    private static readonly NetAddress Server = NetAddress.Parse("10.0.0.2");

    private readonly RowCollector rows = new();
    private readonly Core.Accounting.HopAccount account = PacketTracker.NewAccount();

    [Fact]
    public void A_handshake_and_fins_both_ways_end_closed_with_the_last_ack_inside()
    {
        var tracker = NewTracker();
        Open(tracker, 0);
        Tcp(tracker, 1, forward: true, TcpFlags.Fin | TcpFlags.Ack);
        Tcp(tracker, 2, forward: false, TcpFlags.Fin | TcpFlags.Ack);
        Tcp(tracker, 3, forward: true, TcpFlags.Ack);
        tracker.Advance(20 * Second);

        var row = Assert.Single(rows.Rows);
        Assert.Equal((FlowState.Closed, EndReason.End, DirectionBy.Syn, 4UL, 2UL), (row.State, row.EndReason, row.DirectionBy, row.FwdPackets!.Value, row.RevPackets!.Value));
        Assert.Equal((Client, Server, (ushort)40000, (ushort)443), (row.Src, row.Dst, row.SrcPort, row.DstPort));
    }

    [Fact]
    public void A_half_closed_connection_goes_on()
    {
        var tracker = NewTracker();
        Open(tracker, 0);
        Tcp(tracker, Second, forward: true, TcpFlags.Fin | TcpFlags.Ack);
        Tcp(tracker, 30 * Second, forward: false, TcpFlags.Ack, payload: 100);
        Assert.Empty(rows.Rows);
        tracker.Finish();

        Assert.Equal((FlowState.Established, EndReason.Forced), (rows.Rows[0].State, rows.Rows[0].EndReason));
    }

    [Fact]
    public void Answers_tell_refused_from_unanswered_and_reset()
    {
        var tracker = NewTracker();
        Tcp(tracker, 0, forward: true, TcpFlags.Syn, seq: 5, port: 1);
        Tcp(tracker, 0, forward: true, TcpFlags.Syn, seq: 5, port: 2);
        Tcp(tracker, 1, forward: false, TcpFlags.Rst | TcpFlags.Ack, port: 2);
        Open(tracker, 0, port: 3);
        Tcp(tracker, 1, forward: false, TcpFlags.Rst, port: 3);
        tracker.Advance(60 * Second);

        Assert.Equal(
            [(1, FlowState.Unanswered, EndReason.Idle), (2, FlowState.Refused, EndReason.End), (3, FlowState.Reset, EndReason.End)],
            rows.Rows.Select(row => ((int)row.DstPort, row.State, row.EndReason)).Order());
    }

    [Fact]
    public void A_syn_with_the_same_number_is_a_repeat_and_with_another_a_new_connection()
    {
        var tracker = NewTracker();
        Tcp(tracker, 0, forward: true, TcpFlags.Syn, seq: 5);
        Tcp(tracker, Second, forward: true, TcpFlags.Syn, seq: 5);
        Tcp(tracker, 2 * Second, forward: true, TcpFlags.Syn, seq: 6);
        tracker.Finish();

        Assert.Equal([2UL, 1UL], rows.Rows.Select(row => row.FwdPackets!.Value));
        Assert.NotEqual(rows.Rows[0].ConnId, rows.Rows[1].ConnId);
    }

    [Fact]
    public void A_syn_after_the_close_is_a_new_connection_at_once()
    {
        var tracker = NewTracker();
        for (uint round = 0; round < 3; round++)
        {
            Open(tracker, round * 1000, seq: round * 77);
            Tcp(tracker, (round * 1000) + 1, forward: false, TcpFlags.Rst);
        }

        tracker.Finish();
        Assert.Equal(3, rows.Rows.Select(row => row.ConnId).Distinct().Count());
        Assert.All(rows.Rows, row => Assert.Equal(FlowState.Reset, row.State));
    }

    [Fact]
    public void A_missed_syn_is_inferred_from_its_answer()
    {
        var tracker = NewTracker();
        Tcp(tracker, 0, forward: false, TcpFlags.Syn | TcpFlags.Ack, seq: 90, ack: 6);
        Tcp(tracker, 1, forward: true, TcpFlags.Ack, seq: 6);
        tracker.Finish();

        Assert.Equal((Client, DirectionBy.SynAck, FlowState.Established), (rows.Rows[0].Src, rows.Rows[0].DirectionBy, rows.Rows[0].State));
    }

    [Fact]
    public void Mid_stream_tcp_is_oriented_by_port_without_a_claim()
    {
        var tracker = NewTracker();
        Tcp(tracker, 0, forward: false, TcpFlags.Ack, payload: 10);
        tracker.Finish();

        Assert.Equal((Client, DirectionBy.PortOrder, FlowState.MidStream), (rows.Rows[0].Src, rows.Rows[0].DirectionBy, rows.Rows[0].State));
    }

    [Fact]
    public void Udp_is_a_request_until_answered_and_ends_after_silence()
    {
        var tracker = NewTracker();
        Udp(tracker, 0, forward: true);
        Udp(tracker, 1, forward: false);
        Udp(tracker, 44 * Second, forward: true);
        Udp(tracker, 90 * Second, forward: true);
        tracker.Finish();

        Assert.Equal(
            [(FlowState.Established, EndReason.Idle, 2UL, 1UL), (FlowState.Unanswered, EndReason.Forced, 1UL, 0UL)],
            rows.Rows.Select(row => (row.State, row.EndReason, row.FwdPackets!.Value, row.RevPackets!.Value)));
        Assert.All(rows.Rows, row => Assert.Equal(DirectionBy.Request, row.DirectionBy));
    }

    [Fact]
    public void Udp_that_meets_port_unreachable_is_refused()
    {
        var tracker = NewTracker();
        Udp(tracker, 0, forward: true);
        var quoted = Frames.Ip(Client, Server, IpProtocol.Udp, Frames.Udp(40000, 443));
        Track(tracker, 1, Frames.Ip(Server, Client, IpProtocol.Icmp, Frames.Icmp(3, 3, 0, quoted)));
        tracker.Finish();

        Assert.Equal(FlowState.Refused, rows.Rows.Single(row => row.Protocol == IpProtocol.Udp).State);
        Assert.Equal((ushort)0x0303, rows.Rows.Single(row => row.Protocol == IpProtocol.Icmp).IcmpTypeCode);
    }

    [Fact]
    public void Echo_request_and_reply_are_one_flow()
    {
        var tracker = NewTracker();
        Track(tracker, 0, Frames.Ip(Client, Server, IpProtocol.Icmp, Frames.Icmp(8, 0, 77)));
        Track(tracker, 1, Frames.Ip(Server, Client, IpProtocol.Icmp, Frames.Icmp(0, 0, 77)));
        tracker.Finish();

        var row = Assert.Single(rows.Rows);
        Assert.Equal((Client, (ushort)77, (ushort)0, FlowState.Established), (row.Src, row.SrcPort, row.DstPort, row.State));
    }

    [Fact]
    public void Later_fragments_count_with_their_first_and_strays_are_rejected()
    {
        var tracker = NewTracker();
        Track(tracker, 0, Frames.Ip(Client, Server, IpProtocol.Udp, Frames.Udp(40000, 53, 100), fragment: 0x2000, id: 9));
        Track(tracker, 1, Frames.Ip(Client, Server, IpProtocol.Udp, new byte[50], fragment: 0x000E, id: 9));
        Track(tracker, 2, Frames.Ip(Client, Server, IpProtocol.Udp, new byte[50], fragment: 0x000E, id: 10));
        tracker.Finish();

        Assert.Equal((2UL, 198UL), (rows.Rows[0].FwdPackets!.Value, rows.Rows[0].FwdBytes!.Value));
        Assert.Equal(1, account.Report().Dropped["fragment_unattributed"]);
        Assert.True(account.Report().Holds);
    }

    [Fact]
    public void A_full_table_reports_the_entry_nearest_its_end_and_loses_no_packet()
    {
        var tracker = NewTracker(new FlowTableOptions { EntriesMax = 10 });
        for (ushort port = 1; port <= 1000; port++)
        {
            Tcp(tracker, port, forward: true, TcpFlags.Syn, port: port);
        }

        Assert.Equal(10, tracker.Table.Count);
        Assert.Equal(990, tracker.Table.Evicted);
        Assert.All(rows.Rows, row => Assert.Equal(EndReason.LackOfResources, row.EndReason));
        tracker.Finish();
        Assert.Equal(1000UL, rows.Rows.Aggregate(0UL, (sum, row) => sum + row.FwdPackets!.Value));
    }

    [Fact]
    public void The_clock_alone_reports_windows_and_silence()
    {
        var tracker = NewTracker();
        Open(tracker, 0);
        tracker.Advance(59 * Second);
        Assert.Empty(rows.Rows);
        tracker.Advance(62 * Second);
        Assert.Equal((0u, EndReason.Active), (Assert.Single(rows.Rows).WindowNo, rows.Rows[0].EndReason));
        Tcp(tracker, 70 * Second, forward: true, TcpFlags.Ack, payload: 1);
        tracker.Advance(1000 * Second);

        Assert.Equal((1u, 1UL, 70 * Second), (rows.Rows[1].WindowNo, rows.Rows[1].FwdPackets!.Value, rows.Rows[1].WindowStartUs));
        Assert.Equal(rows.Rows[0].ConnId, rows.Rows[1].ConnId);
        Assert.Equal(0, tracker.Table.Count);
    }

    [Fact]
    public void An_entry_is_two_cache_lines() => Assert.Equal(128, Unsafe.SizeOf<FlowEntry>());

    private PacketTracker NewTracker(FlowTableOptions? options = null) =>
        new(new FlowTable(new ObservationPoint("n", "s"), FlowSource.File, options ?? new FlowTableOptions(), rows.Add), account);

    private static void Open(PacketTracker tracker, long timeUs, ushort port = 443, uint seq = 5)
    {
        Tcp(tracker, timeUs, forward: true, TcpFlags.Syn, port, seq);
        Tcp(tracker, timeUs, forward: false, TcpFlags.Syn | TcpFlags.Ack, port, 90, seq + 1);
        Tcp(tracker, timeUs, forward: true, TcpFlags.Ack, port, seq + 1, 91);
    }

    private static void Tcp(PacketTracker tracker, long timeUs, bool forward, byte flags, ushort port = 443, uint seq = 0, uint ack = 0, int payload = 0)
    {
        var segment = forward ? Frames.Tcp(40000, port, flags, seq, ack, payload) : Frames.Tcp(port, 40000, flags, seq, ack, payload);
        Track(tracker, timeUs, forward ? Frames.Ip(Client, Server, IpProtocol.Tcp, segment) : Frames.Ip(Server, Client, IpProtocol.Tcp, segment));
    }

    private static void Udp(PacketTracker tracker, long timeUs, bool forward) => Track(tracker, timeUs, forward
        ? Frames.Ip(Client, Server, IpProtocol.Udp, Frames.Udp(40000, 443))
        : Frames.Ip(Server, Client, IpProtocol.Udp, Frames.Udp(443, 40000)));

    private static void Track(PacketTracker tracker, long timeUs, byte[] packet) => tracker.Track(packet, LinkType.Raw, packet.Length, timeUs);
}
