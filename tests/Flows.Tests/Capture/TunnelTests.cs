using Flows.Capture;
using Flows.Capture.Flow;
using Flows.Capture.Packets;
using Flows.Core.Accounting;
using Flows.Core.Facts;
using Flows.Tests.Support;
using Xunit;

namespace Flows.Tests.Capture;

/// <summary>Fragments and tunnels as rows: whose a packet is, once, with its own bytes.</summary>
public sealed class TunnelTests
{
    private const long Second = 1_000_000;

    private static readonly NetAddress A = NetAddress.Parse("10.0.0.1");
    private static readonly NetAddress B = NetAddress.Parse("10.0.0.2");
    private static readonly NetAddress A6 = NetAddress.Parse("fd00::1");
    private static readonly NetAddress B6 = NetAddress.Parse("fd00::2");

    private readonly RowCollector rows = new();
    private readonly HopAccount account = PacketTracker.NewAccount();
    private readonly PacketTracker tracker;

    public TunnelTests() => tracker = new(new FlowTable(new ObservationPoint("n", "s"), FlowSource.File, new FlowTableOptions(), rows.Add), account);

    [Fact]
    public void A_refusal_within_a_tunnel_marks_the_flow_within_the_tunnel()
    {
        var question = Frames.Ip(A, B, IpProtocol.Udp, Frames.Udp(4000, 53, 20));
        Track(Tunnels.Vxlan(Frames.Ethernet(question)));
        Track(Tunnels.Geneve(Frames.Ip(B, A, IpProtocol.Icmp, Frames.Icmp(3, 3, 0, question)), Tunnels.Ipv4));

        Assert.Equal(FlowState.Refused, Finish().Single(row => row.Protocol == IpProtocol.Udp).State);
        Assert.DoesNotContain(rows.Rows, row => row.Src == Tunnels.NodeA);
    }

    [Fact]
    public void What_is_no_ip_within_a_tunnel_is_traffic_between_the_nodes()
    {
        byte[] arp = [.. new byte[12], 0x08, 0x06, .. new byte[28]];
        Track(Tunnels.Vxlan(arp));
        Track(Tunnels.Vxlan(Frames.Ethernet(Frames.Ip(A, B, IpProtocol.Udp, Frames.Udp(1, 2)))));

        Assert.Equal(
            [(Tunnels.NodeA, (ushort)4789, 78UL), (A, (ushort)2, 28UL)],
            Finish().Select(row => (row.Src, row.DstPort, row.FwdBytes!.Value)).OrderByDescending(row => row.Value));
    }

    [Fact]
    public void A_connection_seen_within_a_tunnel_and_outside_is_one()
    {
        var ip = Frames.Ip(A, B, IpProtocol.Tcp, Frames.Tcp(1000, 80, TcpFlags.Syn, seq: 5));
        Track(Tunnels.Vxlan(Frames.Ethernet(ip)));
        Track(Frames.Ip(B, A, IpProtocol.Tcp, Frames.Tcp(80, 1000, TcpFlags.Syn | TcpFlags.Ack, ack: 6)));

        var row = Assert.Single(Finish());
        Assert.Equal((A, 1UL, 1UL), (row.Src, row.FwdPackets!.Value, row.RevPackets!.Value));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Fragments_of_an_outer_packet_add_nothing_in_whatever_order_they_come(bool reversed)
    {
        var inner = Frames.Ip(A, B, IpProtocol.Udp, Frames.Udp(1, 2, 1400));
        var fragments = Tunnels.Fragment(Tunnels.Vxlan(Frames.Ethernet(inner), six: true), mtu: 600, id: 9);
        Track([.. reversed ? Enumerable.Reverse(fragments) : fragments]);

        var row = Assert.Single(Finish());
        Assert.Equal((A, 1UL, 1428UL), (row.Src, row.FwdPackets!.Value, row.FwdBytes!.Value));
        Assert.Equal(new Dictionary<string, long> { ["tunnel_fragment"] = fragments.Count - 1 }, account.Report().Dropped);
    }

    [Fact]
    public void Fragments_within_a_tunnel_are_those_of_the_flow_within()
    {
        var inner = Frames.Ip(A6, B6, IpProtocol.Udp, Frames.Udp(1, 2, 1400));
        foreach (var fragment in Enumerable.Reverse(Tunnels.Fragment(inner, mtu: 600, id: 9)))
        {
            Track(Tunnels.Gre(Frames.Ethernet(fragment, 0x8100), Tunnels.Bridging, flags: 0x2000));
        }

        var row = Assert.Single(Finish());
        Assert.Equal((A6, (ushort)2, 3UL, 1408UL + (3 * 48)), (row.Src, row.DstPort, row.FwdPackets!.Value, row.FwdBytes!.Value));
        Assert.Empty(account.Report().Dropped);
    }

    [Fact]
    public void A_later_fragment_whose_header_chain_goes_on_finds_its_first()
    {
        // The fragmentable part begins with destination options, which is all that a later fragment says of its protocol.
        byte[] options = [IpProtocol.Udp, 0, 0, 0, 0, 0, 0, 0];
        var ip = Frames.Ip(A6, B6, 60, [.. options, .. Frames.Udp(1, 2, 1000)]);
        Track([.. Tunnels.Fragment(ip, mtu: 600, id: 4)]);

        var row = Assert.Single(Finish());
        Assert.Equal((IpProtocol.Udp, (ushort)2, 2UL), (row.Protocol, row.DstPort, row.FwdPackets!.Value));
    }

    [Fact]
    public void A_fragment_whose_first_never_comes_is_counted_when_it_has_waited_for_thirty_seconds()
    {
        var fragments = Tunnels.Fragment(Frames.Ip(A, B, IpProtocol.Tcp, Frames.Tcp(1, 2, TcpFlags.Ack, payload: 900)), mtu: 500, id: 4);
        Assert.Equal(DecodeResult.FragmentHeld, TrackAt(fragments[1], timeUs: 0));
        tracker.Advance(29 * Second);
        Assert.Equal(0, account.Report().Seen);

        tracker.Advance(31 * Second);
        Assert.Equal(1, account.Report().Seen);
        Assert.Equal(1, account.Report().Dropped["fragment_unattributed"]);

        // Its identification was used again: the first fragment of another datagram gets nothing of it.
        TrackAt(fragments[0], 40 * Second);
        var row = Assert.Single(Finish());
        Assert.Equal(1UL, row.FwdPackets + row.RevPackets);
        Assert.True(account.Report().Holds);
        Assert.Equal(2, account.Report().Seen);
    }

    [Fact]
    public void A_flood_of_fragments_loses_nothing_from_the_books()
    {
        var later = Tunnels.Fragment(Frames.Ip(A, B, IpProtocol.Tcp, Frames.Tcp(1, 2, TcpFlags.Ack, payload: 900)), mtu: 500, id: 4)[1];
        for (var number = 0; number < 100_000; number++)
        {
            (later[4], later[5], later[15]) = ((byte)(number >> 8), (byte)number, (byte)(number >> 16));
            Assert.Equal(DecodeResult.FragmentHeld, TrackAt(later, number));
        }

        for (var number = 0; number < 70_000; number++)
        {
            TrackAt(later, timeUs: 200_000);
        }

        Assert.Empty(Finish());
        Assert.Equal(170_000, account.Report().Dropped["fragment_unattributed"]);
        Assert.True(account.Report().Holds);
    }

    [Fact]
    public void Each_interface_has_fragments_of_its_own_and_the_datagram_counts_once()
    {
        var fragments = Tunnels.Fragment(Frames.Ip(A, B, IpProtocol.Udp, Frames.Udp(1, 2, 1400)), mtu: 600, id: 9);
        foreach (var fragment in Enumerable.Reverse(fragments))
        {
            var frame = Frames.Ethernet(fragment);
            tracker.Track(frame, LinkType.Ethernet, frame.Length, Second, observer: 1);
            tracker.Track(frame, LinkType.Ethernet, frame.Length, Second, observer: 2);
        }

        Assert.Equal(1428UL + 40, Finish().Aggregate(0UL, (sum, row) => sum + row.FwdBytes!.Value + row.RevBytes!.Value));
        Assert.Equal(new Dictionary<string, long> { ["seen_elsewhere"] = fragments.Count }, account.Report().Dropped);
    }

    [Fact]
    public void A_protocol_without_ports_needs_no_first_fragment()
    {
        var fragments = Tunnels.Fragment(Frames.Ip(A, B, 89, new byte[900]), mtu: 500, id: 4);
        Track([.. Enumerable.Reverse(fragments)]);

        Assert.Equal((2UL, 940UL), Finish().Select(row => (row.FwdPackets!.Value, row.FwdBytes!.Value)).Single());
    }

    private void Track(params ReadOnlySpan<byte[]> packets)
    {
        foreach (var ip in packets)
        {
            TrackAt(ip, timeUs: Second);
        }
    }

    private DecodeResult TrackAt(byte[] ip, long timeUs)
    {
        var frame = Frames.Ethernet(ip);
        return tracker.Track(frame, LinkType.Ethernet, frame.Length, timeUs);
    }

    private List<FlowRow> Finish()
    {
        tracker.Finish();
        return rows.Rows;
    }
}
