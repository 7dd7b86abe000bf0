using Flows.Capture.Conntrack;
using Flows.Core.Facts;
using Flows.Tests.Support;
using Xunit;
using static Flows.Tests.Conntrack.ConntrackScene;

namespace Flows.Tests.Conntrack;

/// <summary>Who initiated: never trusted where conntrack may have met the connection from its answering side.</summary>
public sealed class ConntrackDirectionTests
{
    private readonly ConntrackScene scene = new();

    [Theory]
    [InlineData(40000, 53, DirectionBy.CtNew, false)]
    [InlineData(53, 40000, DirectionBy.PortOrder, true)]
    [InlineData(123, 123, DirectionBy.CtNew, false)]
    [InlineData(40000, 50000, DirectionBy.CtNew, false)]
    public void An_announced_datagram_flow_is_trusted_unless_it_looks_like_a_late_answer(ushort from, ushort to, DirectionBy by, bool reversed)
    {
        scene.Give(Udp with { IsNew = true, SrcPort = from, DstPort = to });
        scene.Give(Udp with { IsDestroy = true, SrcPort = from, DstPort = to, Orig = (1, 60), Reply = (1, 120) });
        Check(by, reversed, from);
    }

    [Theory]
    [InlineData(40000, 53, DirectionBy.Request, false)]
    [InlineData(53, 40000, DirectionBy.PortOrder, true)]
    [InlineData(123, 123, DirectionBy.PortOrder, false)]
    [InlineData(40000, 50000, DirectionBy.PortOrder, true)]
    public void A_datagram_flow_found_in_mid_life_is_trusted_only_where_its_ports_agree(ushort from, ushort to, DirectionBy by, bool reversed)
    {
        scene.Dump(ConntrackDump.Initial, 0, Udp with { SrcPort = from, DstPort = to, Status = Replied, Orig = (1, 60), Reply = (1, 120) });
        scene.Give(Udp with { IsDestroy = true, SrcPort = from, DstPort = to, Status = Replied, Orig = (2, 120), Reply = (2, 240) });
        Check(by, reversed, from);
    }

    [Fact]
    public void A_push_after_a_flush_is_no_request_of_the_server()
    {
        // Neither port tells who serves, but the answering tuple is known from the life that was cut off.
        var asked = Udp with { SrcPort = 40000, DstPort = 41000, Status = Replied };
        scene.Give(asked with { IsNew = true, Status = 8 });
        scene.Give(asked with { IsDestroy = true, TimeLeft = 20, Orig = (1, 60), Reply = (1, 60) });
        var pushed = Udp with { Src = "10.0.0.2", Dst = "10.0.0.1", SrcPort = 41000, DstPort = 40000 };
        scene.Give(pushed with { IsNew = true });
        scene.Give(pushed with { IsDestroy = true, Status = Replied, Orig = (1, 60), Reply = (1, 60) });
        Assert.Equal([DirectionBy.CtNew, DirectionBy.PortOrder], scene.Rows.Select(row => row.DirectionBy));

        // The same question again is still a question.
        scene.Give(asked with { IsNew = true, Status = 8 });
        scene.Give(asked with { IsDestroy = true, Orig = (1, 60), Reply = (1, 60) });
        Assert.Equal(DirectionBy.CtNew, scene.Rows[^1].DirectionBy);
    }

    [Fact]
    public void A_translated_destination_proves_who_asked()
    {
        var vip = Udp with { Dst = "10.96.0.10", ReplySrc = "10.2.0.2", SrcPort = 53, DstPort = 53, Status = Replied };
        scene.Dump(ConntrackDump.Initial, 0, vip with { Orig = (1, 60), Reply = (1, 60) });
        scene.Give(vip with { IsDestroy = true, Orig = (2, 120), Reply = (2, 120) });
        Check(DirectionBy.Request, reversed: false, from: 53);
    }

    [Fact]
    public void A_query_of_ICMP_is_always_one()
    {
        var echo = new CtMessage { Protocol = IpProtocol.Icmp, SrcPort = 77, DstPort = 0, Status = Replied };
        scene.Dump(ConntrackDump.Initial, 0, echo with { Orig = (1, 84), Reply = (1, 84) });
        scene.Give(echo with { IsDestroy = true, Orig = (2, 168), Reply = (2, 168) });
        Assert.Equal(DirectionBy.Request, Assert.Single(scene.Rows).DirectionBy);
    }

    private void Check(DirectionBy by, bool reversed, ushort from)
    {
        var row = Assert.Single(scene.Rows);
        Assert.Equal(by, row.DirectionBy);
        Assert.Equal((reversed ? "10.0.0.2" : "10.0.0.1", reversed), (row.Src.ToString(), row.SrcPort != from));
    }
}
