using Flows.Capture;
using Flows.Capture.Conntrack;
using Flows.Core;
using Flows.Core.Accounting;
using Flows.Core.Facts;
using Flows.Tests.Support;
using Xunit;

namespace Flows.Tests.Conntrack;

public sealed class ConntrackTrackerTests
{
    private const byte SynSent = 1;
    private const byte SynRecv = 2;
    private const byte Established = 3;
    private const byte FinWait = 4;
    private const byte LastAck = 6;
    private const byte TimeWait = 7;
    private const byte Close = 8;
    private const uint Replied = 0xA;

    private static readonly CtMessage Tcp = new();
    private static readonly CtMessage Udp = new() { Protocol = IpProtocol.Udp, DstPort = 53 };

    private readonly List<FlowRow> rows = [];
    private readonly HopAccount account = new("conntrack", "events");
    private readonly ConntrackTracker tracker;
    private long now = 1_700_000_000 * UnixTime.Second;

    public ConntrackTrackerTests()
    {
        tracker = new ConntrackTracker(new ObservationPoint("n1", "s1"), (in FlowRow row) => rows.Add(row), account);
        Mark(ConntrackMarkKind.Start, 42, (ulong)UnixTime.Minute, 1000);
    }

    [Fact]
    public void HTTP_through_a_VIP_ends_at_TIME_WAIT_with_fetched_counters_and_both_tuples()
    {
        EmptyDump(ConntrackDump.Initial);
        var vip = Tcp with { Dst = "172.20.0.10", ReplySrc = "10.2.0.2", ReplySrcPort = 8080 };
        var began = now;
        Open(vip);
        Close4(vip);
        Assert.True(tracker.TryTakeFetch(out var fetch));
        Assert.Equal(NetAddress.Parse("172.20.0.10"), fetch.Key.Orig.Dst);
        Assert.Empty(rows);

        Give(vip with { Sequence = 5, Status = Replied, TcpState = TimeWait, Orig = (6, 500), Reply = (5, 900) });

        var row = Assert.Single(rows);
        Assert.Equal(("172.20.0.10", 80), (row.Dst.ToString(), row.DstPort));
        Assert.Equal(("10.2.0.2", (ushort?)8080), (row.NatDst.ToString(), row.NatDstPort));
        Assert.Null(row.NatSrc);
        Assert.Equal((6UL, 500UL, 5UL, 900UL), (row.FwdPackets, row.FwdBytes, row.RevPackets, row.RevBytes));
        Assert.Equal((FlowState.Closed, EndReason.End, DirectionBy.CtNew, FlowSource.Conntrack), (row.State, row.EndReason, row.DirectionBy, row.Source));
        Assert.Equal((began, 0u), (row.ConnStartUs, row.WindowNo));
        Assert.Equal(1u, row.Sampling);

        Give(vip with { IsDestroy = true, Status = Replied, TcpState = TimeWait, Orig = (6, 500), Reply = (5, 900) });
        Assert.Single(rows);
        Assert.Equal(0, tracker.Count);
        Assert.True(account.Report().Holds);
    }

    [Fact]
    public void What_came_after_the_end_is_a_second_row_at_DESTROY()
    {
        Open(Tcp);
        Close4(Tcp);
        Give(Tcp with { Sequence = 5, TcpState = TimeWait, Status = Replied, Orig = (6, 500), Reply = (5, 900) });
        Give(Tcp with { IsDestroy = true, TcpState = TimeWait, Status = Replied, Orig = (7, 540), Reply = (5, 900) });

        Assert.Equal(2, rows.Count);
        Assert.Equal((1u, 1UL, 40UL, 0UL), (rows[1].WindowNo, rows[1].FwdPackets, rows[1].FwdBytes, rows[1].RevPackets));
        Assert.Equal((rows[0].ConnId, rows[0].ConnStartUs, rows[0].WindowEndUs), (rows[1].ConnId, rows[1].ConnStartUs, rows[1].WindowStartUs));
    }

    [Fact]
    public void A_failed_fetch_leaves_everything_to_DESTROY()
    {
        Open(Tcp);
        Close4(Tcp);
        var ended = now;
        Give(Tcp with { IsDestroy = true, TcpState = TimeWait, Status = Replied, Orig = (6, 500), Reply = (5, 900) });
        var row = Assert.Single(rows);
        Assert.Equal((FlowState.Closed, EndReason.End, 500UL), (row.State, row.EndReason, row.FwdBytes));
        Assert.Equal(ended, row.WindowEndUs);
    }

    [Theory]
    [InlineData(1, Close, FlowState.Refused, EndReason.End)]
    [InlineData(1, SynSent, FlowState.Refused, EndReason.End)]
    [InlineData(0, SynSent, FlowState.Unanswered, EndReason.Idle)]
    [InlineData(0, Close, FlowState.Unanswered, EndReason.Idle)]
    public void A_connection_that_never_was_is_refused_when_a_reply_was_counted(int replies, byte lastState, FlowState state, EndReason reason)
    {
        Give(Tcp with { IsNew = true, TcpState = SynSent });
        Give(Tcp with { IsDestroy = true, TcpState = lastState, Orig = (1, 60), Reply = ((ulong)replies, (ulong)replies * 40) });
        var row = Assert.Single(rows);
        Assert.Equal((state, reason, DirectionBy.CtNew), (row.State, row.EndReason, row.DirectionBy));
    }

    [Fact]
    public void A_RST_after_the_handshake_is_a_reset_and_after_both_FINs_is_a_close()
    {
        Open(Tcp);
        Give(Tcp with { TcpState = Close, Status = Replied });
        Give(Tcp with { Sequence = 5, TcpState = Close, Status = Replied, Orig = (3, 200), Reply = (2, 100) });
        Assert.Equal(FlowState.Reset, rows[0].State);

        var other = Tcp with { SrcPort = 40001 };
        Open(other);
        Give(other with { TcpState = LastAck, Status = Replied });
        Give(other with { TcpState = Close, Status = Replied });
        Give(other with { Sequence = 6, TcpState = Close, Status = Replied, Orig = (3, 200), Reply = (2, 100) });
        Assert.Equal(FlowState.Closed, rows[1].State);
    }

    [Fact]
    public void UDP_ends_idle_with_what_was_answered()
    {
        Give(Udp with { IsNew = true });
        Give(Udp with { IsDestroy = true, Orig = (1, 60), Reply = (1, 120) });
        Give(Udp with { IsNew = true, SrcPort = 5 });
        Give(Udp with { IsDestroy = true, SrcPort = 5, Orig = (1, 60), Reply = (0, 0) });

        Assert.Equal([FlowState.Established, FlowState.Unanswered], rows.Select(row => row.State));
        Assert.All(rows, row => Assert.Equal((EndReason.Idle, DirectionBy.CtNew), (row.EndReason, row.DirectionBy)));
        Assert.Equal(0UL, rows[1].RevPackets);
    }

    [Fact]
    public void Without_accounting_the_counters_are_null_and_the_flag_tells_of_replies()
    {
        Give(Udp with { IsNew = true });
        Give(Udp with { IsDestroy = true, Status = Replied });
        var row = Assert.Single(rows);
        Assert.Equal(FlowState.Established, row.State);
        Assert.True(row.FwdBytes is null && row.RevBytes is null && row.FwdPackets is null && row.RevPackets is null);
    }

    [Fact]
    public void A_picked_up_connection_is_mid_stream_and_shows_the_service_as_destination()
    {
        // The server spoke first after a flush: conntrack holds it for the initiator.
        var inverted = Tcp with { Src = "10.0.0.2", Dst = "10.0.0.1", SrcPort = 80, DstPort = 40000 };
        Give(inverted with { IsNew = true, TcpState = Established, TcpFlags = 0x0A });
        Give(inverted with { IsDestroy = true, TcpState = Established, Orig = (4, 4000), Reply = (2, 100) });
        var row = Assert.Single(rows);
        Assert.Equal((DirectionBy.PortOrder, FlowState.MidStream), (row.DirectionBy, row.State));
        Assert.Equal(("10.0.0.1", "10.0.0.2", 80), (row.Src.ToString(), row.Dst.ToString(), row.DstPort));
        Assert.Equal((100UL, 4000UL), (row.FwdBytes, row.RevBytes));
        Assert.True(row.NatDst is null && row.NatSrc is null);
    }

    [Fact]
    public void The_same_tuple_and_id_again_is_another_connection()
    {
        for (var life = 0; life < 2; life++)
        {
            Give(Udp with { IsNew = true });
            Give(Udp with { IsDestroy = true, Orig = (1, 60), Reply = (1, 120) });
        }

        Assert.Equal(2, rows.Count);
        Assert.NotEqual(rows[0].ConnId, rows[1].ConnId);
        Assert.All(rows, row => Assert.Equal(0u, row.WindowNo));
    }

    [Fact]
    public void A_repeated_DESTROY_is_no_second_connection()
    {
        Give(Udp with { IsNew = true });
        Give(Udp with { IsDestroy = true, Orig = (1, 60), Reply = (1, 120) });
        Give(Udp with { IsDestroy = true, Orig = (1, 60), Reply = (1, 120) });
        Assert.Single(rows);
        Assert.Equal(1, account.Report().Dropped["repeated"]);
    }

    [Fact]
    public void A_DESTROY_alone_still_gives_a_whole_row()
    {
        now += 10_000;
        var began = now - 5000;
        Give(Tcp with { IsDestroy = true, TcpState = TimeWait, Status = Replied, Orig = (6, 500), Reply = (5, 900), StartUs = (ulong)began });
        var row = Assert.Single(rows);
        Assert.Equal((FlowState.Closed, 500UL, began, DirectionBy.PortOrder), (row.State, row.FwdBytes, row.ConnStartUs, row.DirectionBy));
    }

    [Fact]
    public void A_DESTROY_of_a_connection_that_ended_before_the_start_is_left_to_whoever_watched_then()
    {
        Give(Tcp with { IsDestroy = true, TcpState = TimeWait, Status = Replied, Orig = (6, 500), Reply = (5, 900), StartUs = (ulong)(now - 5000) });
        Assert.Empty(rows);
        Assert.Equal(1, account.Report().Dropped["ended_before_start"]);
    }

    [Fact]
    public void A_refusal_whose_DESTROY_was_sent_again_is_a_refusal_although_its_reply_flag_is_set()
    {
        Give(Tcp with { IsDestroy = true, TcpState = Close, Status = Replied, Orig = (1, 60), Reply = (1, 40) });
        Give(Tcp with { IsDestroy = true, SrcPort = 40001, TcpState = Close, Status = Replied, Orig = (2, 100), Reply = (1, 60) });
        Assert.Equal([FlowState.Refused, FlowState.Reset], rows.Select(row => row.State));
    }

    [Fact]
    public void A_long_connection_reports_deltas()
    {
        EmptyDump(ConntrackDump.Initial);
        Open(Tcp);
        var live = Tcp with { Sequence = 5, IsDump = true, TcpState = Established, Status = Replied };
        Dump(ConntrackDump.Periodic, 60, live with { Orig = (10, 1000), Reply = (10, 5000) });
        Dump(ConntrackDump.Periodic, 60, live with { Orig = (10, 1000), Reply = (10, 5000) });
        Dump(ConntrackDump.Periodic, 60, live with { Orig = (12, 1100), Reply = (10, 5000) });
        Dump(ConntrackDump.Final, 1, live with { Orig = (13, 1200), Reply = (10, 5000) });
        Mark(ConntrackMarkKind.Stop, 0);

        Assert.Equal([1000UL, 100UL, 100UL], rows.Select(row => row.FwdBytes));
        Assert.Equal([5000UL, 0UL, 0UL], rows.Select(row => row.RevBytes));
        Assert.Equal([0u, 1u, 2u], rows.Select(row => row.WindowNo));
        Assert.Equal([EndReason.Active, EndReason.Active, EndReason.Forced], rows.Select(row => row.EndReason));
        Assert.All(rows, row => Assert.Equal((FlowState.Established, rows[0].ConnId), (row.State, row.ConnId)));
        Assert.True(rows[1].WindowStartUs >= rows[0].WindowEndUs);
    }

    [Fact]
    public void What_lived_before_us_counts_from_the_first_dump_on()
    {
        var live = Tcp with { Sequence = 5, IsDump = true, TcpState = Established, TcpFlags = 0x23, Status = Replied, StartUs = 1_600_000_000_000_000 };
        Dump(ConntrackDump.Initial, 0, live with { Orig = (10, 1000), Reply = (10, 5000) });
        Give(Tcp with { IsDestroy = true, TcpState = Established, Status = Replied, StartUs = 1_600_000_000_000_000, Orig = (12, 1080), Reply = (10, 5000) });
        var row = Assert.Single(rows);
        Assert.Equal((2UL, 80UL, 0UL), (row.FwdPackets, row.FwdBytes, row.RevPackets));
        Assert.Equal(1_600_000_000_000_000, row.ConnStartUs);
        Assert.True(row.WindowStartUs > row.ConnStartUs);
        Assert.Equal(DirectionBy.CtNew, row.DirectionBy);
    }

    [Fact]
    public void An_entry_over_before_us_gives_no_row()
    {
        var over = Tcp with { TcpState = TimeWait, Status = Replied, Orig = (6, 500), Reply = (5, 900) };
        Dump(ConntrackDump.Initial, 0, over with { Sequence = 5, IsDump = true });
        Give(over with { IsDestroy = true });
        Assert.Empty(rows);
    }

    [Fact]
    public void A_NEW_that_was_queued_behind_the_dump_still_makes_the_connection_ours()
    {
        Mark(ConntrackMarkKind.DumpBegin, (ulong)ConntrackDump.Initial);
        Give(Tcp with { Sequence = 5, IsDump = true, TcpState = SynRecv, Status = Replied, Orig = (1, 60), Reply = (1, 60) });
        Give(Tcp with { IsNew = true, TcpState = SynSent });
        Give(Tcp with { TcpState = Established, Status = Replied });
        Mark(ConntrackMarkKind.DumpEnd, 1);
        Give(Tcp with { IsDestroy = true, TcpState = Established, Status = Replied, Orig = (6, 500), Reply = (5, 900) });
        var row = Assert.Single(rows);
        Assert.Equal((6UL, DirectionBy.CtNew), (row.FwdPackets, row.DirectionBy));
    }

    [Fact]
    public void A_late_dump_answer_does_not_raise_the_dead()
    {
        Mark(ConntrackMarkKind.DumpBegin, (ulong)ConntrackDump.Periodic);
        Give(Udp with { IsNew = true });
        Give(Udp with { IsDestroy = true, Orig = (1, 60), Reply = (1, 120) });
        Give(Udp with { Sequence = 5, IsDump = true, Orig = (1, 60), Reply = (1, 120) });
        Assert.Equal(0, tracker.Count);
        Assert.Single(rows);
    }

    [Fact]
    public void An_entry_absent_from_two_dumps_ends_with_unknown_counters()
    {
        Open(Tcp);
        EmptyDump(ConntrackDump.Periodic);
        Assert.Equal(1, tracker.Count);
        EmptyDump(ConntrackDump.Periodic);
        var row = Assert.Single(rows);
        Assert.Equal((EndReason.Forced, (ulong?)null), (row.EndReason, row.FwdBytes));
        Assert.Equal(0, tracker.Count);
    }

    [Fact]
    public void Lost_loopback_and_unreadable_events_are_in_the_books()
    {
        Mark(ConntrackMarkKind.Lost, 19_834);
        Give(Udp with { IsNew = true, Src = "127.0.0.1", Dst = "127.0.0.53" });
        tracker.OnDatagram(CtMessage.Header(0x100, 0, 0, [2, 0, 0, 0, 3, 0, 1, 0]), now);
        tracker.OnDatagram([1, 2, 3], now);
        var report = account.Report();
        Assert.True(report.Holds);
        Assert.Equal((19_834L, 1L, 2L), (report.Dropped["netlink_overrun"], report.Dropped["loopback"], report.Dropped["decode_error"]));
        Assert.Equal(19_837, report.Seen);
    }

    [Fact]
    public void A_full_table_refuses_the_newcomer_whose_DESTROY_still_brings_its_counters_once()
    {
        Mark(ConntrackMarkKind.Start, 42, (ulong)UnixTime.Minute, 1);
        Give(Udp with { IsNew = true });
        Give(Udp with { IsNew = true, SrcPort = 40002 });
        Assert.Equal(1, account.Report().Dropped["table_full"]);
        Assert.Equal(1, tracker.Refused);
        Give(Udp with { IsDestroy = true, SrcPort = 40002, Orig = (1, 60), Reply = (1, 120) });
        Give(Udp with { IsDestroy = true, Orig = (1, 70), Reply = (1, 120) });
        Assert.Equal([60UL, 70UL], rows.Select(row => row.FwdBytes));
        Assert.Equal([DirectionBy.Request, DirectionBy.CtNew], rows.Select(row => row.DirectionBy));
    }

    [Fact]
    public void Masquerade_shows_as_another_source_and_ICMP_by_its_type()
    {
        var echo = new CtMessage { Protocol = IpProtocol.Icmp, SrcPort = 77, DstPort = 0, ReplyDst = "10.0.0.254", ReplyDstPort = 99 };
        Give(echo with { IsNew = true });
        Give(echo with { IsDestroy = true, Orig = (1, 84), Reply = (1, 84) });
        var row = Assert.Single(rows);
        Assert.Equal(("10.0.0.254", (ushort?)99, (ushort?)0x0800, 77), (row.NatSrc.ToString(), row.NatSrcPort, row.IcmpTypeCode, row.SrcPort));
        Assert.Null(row.NatDst);
    }

    [Fact]
    public void A_zone_keeps_equal_tuples_apart()
    {
        Give(Udp with { IsNew = true, Zone = 5 });
        Give(Udp with { IsNew = true });
        Assert.Equal(2, tracker.Count);
    }

    private void Open(CtMessage connection)
    {
        Give(connection with { IsNew = true, TcpState = SynSent });
        Give(connection with { TcpState = SynRecv, Status = Replied });
        Give(connection with { TcpState = Established, Status = Replied | 4 });
    }

    private void Close4(CtMessage connection)
    {
        Give(connection with { TcpState = FinWait, Status = Replied | 4 });
        Give(connection with { TcpState = LastAck, Status = Replied | 4 });
        Give(connection with { TcpState = TimeWait, Status = Replied | 4 });
        now--;
    }

    private void EmptyDump(ConntrackDump why) => Dump(why, 1);

    private void Dump(ConntrackDump why, int afterSeconds, params ReadOnlySpan<CtMessage> entries)
    {
        now += afterSeconds * UnixTime.Second;
        Mark(ConntrackMarkKind.DumpBegin, (ulong)why);
        foreach (var entry in entries)
        {
            Give(entry);
        }

        Mark(ConntrackMarkKind.DumpEnd, 1);
    }

    private void Give(CtMessage message) => tracker.OnDatagram(message.Build(), now++);

    private void Mark(ConntrackMarkKind kind, ulong value, ulong second = 0, ulong third = 0)
    {
        var datagram = new byte[ConntrackMark.Length];
        new ConntrackMark(kind, value, second, third).Write(datagram);
        tracker.OnDatagram(datagram, now++);
    }
}
