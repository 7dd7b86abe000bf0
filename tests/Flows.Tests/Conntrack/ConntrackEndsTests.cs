using Flows.Capture.Conntrack;
using Flows.Core.Facts;
using Flows.Tests.Support;
using Xunit;
using static Flows.Tests.Conntrack.ConntrackScene;

namespace Flows.Tests.Conntrack;

/// <summary>How connections end when somebody meddles, when the collector restarts, and in SCTP.</summary>
public sealed class ConntrackEndsTests
{
    private static readonly CtMessage Sctp = new() { Protocol = IpProtocol.Sctp, DstPort = 3868 };

    private readonly ConntrackScene scene = new();

    [Fact]
    public void An_entry_that_was_deleted_with_time_left_ends_forced_with_its_counters_and_its_evidence()
    {
        scene.Open(Tcp);
        scene.Give(Tcp with { IsDestroy = true, TcpState = Established, Status = Replied | 4, TimeLeft = 432_000, Orig = (5, 300), Reply = (4, 900) });
        scene.Give(Udp with { IsNew = true });
        scene.Give(Udp with { IsDestroy = true, TimeLeft = 20, Status = Replied, Orig = (1, 60), Reply = (1, 120) });
        Assert.All(scene.Rows, row => Assert.Equal((FlowState.Established, EndReason.Forced, DirectionBy.CtNew), (row.State, row.EndReason, row.DirectionBy)));
        Assert.Equal([300UL, 60UL], scene.Rows.Select(row => row.FwdBytes));
        Assert.Equal(2, scene.Tracker.Deleted);
    }

    [Theory]
    [InlineData(SynSent, 1, FlowState.Refused, EndReason.End, 0)]
    [InlineData(SynSent, 0, FlowState.Unanswered, EndReason.Forced, 1)]
    [InlineData(TimeWait, 3, FlowState.Closed, EndReason.End, 0)]
    [InlineData(LastAck, 3, FlowState.Established, EndReason.Forced, 1)]
    public void Time_left_is_no_meddling_where_the_connection_was_over(byte state, int replies, FlowState shown, EndReason reason, int deleted)
    {
        scene.Give(Tcp with { IsNew = true, TcpState = SynSent });
        var status = replies > 1 ? Replied : 8;
        scene.Give(Tcp with { IsDestroy = true, TcpState = state, Status = status, TimeLeft = 90, Orig = (2, 100), Reply = ((ulong)replies, 60) });
        var row = Assert.Single(scene.Rows);
        Assert.Equal((shown, reason, deleted), (row.State, row.EndReason, (int)scene.Tracker.Deleted));
    }

    [Fact]
    public void What_an_earlier_run_reported_does_not_begin_again()
    {
        const long Began = 1_600_000_000_000_000;
        scene.Mark(ConntrackMarkKind.Watched, Began + 1000);
        var known = Tcp with { TcpState = Established, TcpFlags = 0x23, Status = Replied };
        scene.Dump(
            ConntrackDump.Initial, 0,
            known with { StartUs = Began, Orig = (10, 1000), Reply = (10, 5000) },
            known with { SrcPort = 40001, StartUs = Began + 2000, Orig = (10, 1000), Reply = (10, 5000) },
            known with { SrcPort = 40002, Orig = (10, 1000), Reply = (10, 5000) });
        scene.Dump(ConntrackDump.Final, 1);
        scene.Mark(ConntrackMarkKind.Stop, 0);
        Assert.Equal([(40000, 1u), (40001, 0u), (40002, 0u)], scene.Rows.Select(row => ((int)row.SrcPort, row.WindowNo)));
    }

    [Fact]
    public void An_id_is_the_same_in_every_run_that_knows_the_start()
    {
        const long Began = 1_600_000_000_000_000;
        var again = new ConntrackScene();
        var known = Tcp with { TcpState = Established, TcpFlags = 0x23, Status = Replied, StartUs = Began, Orig = (1, 100), Reply = (1, 100) };
        foreach (var run in new[] { scene, again })
        {
            run.Dump(ConntrackDump.Initial, run == again ? 50 : 0, known);
            run.Mark(ConntrackMarkKind.Stop, 0);
        }

        Assert.Equal(scene.Rows[0].ConnId, again.Rows[0].ConnId);

        // Recordings and stores keep ids for years: the formula must not drift.
        Assert.Equal(0x148E_4F79_A4D2_F50AUL, again.Rows[0].ConnId);
    }

    [Theory]
    [InlineData((byte)7, 5, FlowState.Closed)]
    [InlineData((byte)1, 0, FlowState.Unanswered)]
    [InlineData((byte)1, 1, FlowState.Refused)]
    [InlineData((byte)1, 4, FlowState.Reset)]
    public void SCTP_ends_at_its_last_shutdown_or_by_an_abort(byte state, int replies, FlowState shown)
    {
        var status = replies > 0 ? Replied : 8;
        scene.Give(Sctp with { IsNew = true, SctpState = 2 });
        scene.Give(Sctp with { SctpState = state, Status = status });
        Assert.True(scene.Tracker.TryTakeFetch(out var fetch));
        Assert.Equal(IpProtocol.Sctp, fetch.Key.Orig.Protocol);
        scene.Give(Sctp with { Sequence = 5, SctpState = state, Status = status, Orig = (5, 500), Reply = ((ulong)replies, 400) });
        var row = Assert.Single(scene.Rows);
        Assert.Equal((shown, EndReason.End, DirectionBy.CtNew), (row.State, row.EndReason, row.DirectionBy));
    }

    [Fact]
    public void A_fetch_whose_DESTROY_came_first_is_not_sent()
    {
        scene.Open(Tcp);
        scene.Give(Tcp with { TcpState = TimeWait, Status = Replied });
        scene.Give(Tcp with { IsDestroy = true, TcpState = TimeWait, Status = Replied, Orig = (6, 500), Reply = (5, 900) });
        Assert.False(scene.Tracker.TryTakeFetch(out _));
        Assert.Single(scene.Rows);
    }

    [Fact]
    public void Rows_of_a_further_namespace_carry_a_zone_of_their_own()
    {
        var other = new ConntrackScene(spaceZone: 0x8123);
        other.Give(Udp with { IsNew = true });
        other.Give(Udp with { IsDestroy = true, Orig = (1, 60), Reply = (1, 120) });
        Assert.Equal(0x8123, Assert.Single(other.Rows).Zone);
    }

    [Fact]
    public void Whoever_asks_is_told_of_each_connection_once()
    {
        var told = new List<(int Port, string Answers, bool IsNew)>();
        var watched = new ConntrackScene(seen: (in ConntrackTuple orig, in ConntrackTuple reply, bool isNew) => told.Add((orig.SrcPort, reply.Src.ToString(), isNew)));
        watched.Open(Tcp with { ReplySrc = "10.2.0.2" });
        watched.Dump(ConntrackDump.Periodic, 1, Tcp with { ReplySrc = "10.2.0.2", TcpState = Established }, Udp);
        Assert.Equal([(40000, "10.2.0.2", true), (40000, "10.0.0.2", false)], told);
    }
}
