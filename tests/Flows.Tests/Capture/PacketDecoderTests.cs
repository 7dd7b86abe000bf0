using Flows.Capture;
using Flows.Capture.Flow;
using Flows.Capture.Packets;
using Flows.Core.Facts;
using Flows.Tests.Support;
using Xunit;

namespace Flows.Tests.Capture;

public sealed class PacketDecoderTests
{
    private static readonly NetAddress A = NetAddress.Parse("10.0.0.1");
    private static readonly NetAddress B = NetAddress.Parse("10.0.0.2");
    private static readonly NetAddress A6 = NetAddress.Parse("fd00::1");
    private static readonly NetAddress B6 = NetAddress.Parse("fd00::2");

    [Fact]
    public void Tagged_ipv6_tcp_is_decoded()
    {
        var frame = Frames.Ethernet(Frames.Ip(A6, B6, IpProtocol.Tcp, Frames.Tcp(40000, 443, TcpFlags.Syn, seq: 7, payload: 3)), 0x88A8, 0x8100);

        Assert.Equal(DecodeResult.Ok, Decode(frame, out var packet));
        Assert.Equal((A6, B6, (ushort)40000, (ushort)443, 63u, 7u, TcpFlags.Syn),
            (packet.Src, packet.Dst, packet.SrcPort, packet.DstPort, packet.IpBytes, packet.TcpSeq, packet.TcpFlags));
    }

    [Theory]
    [InlineData(LinkType.Raw, "")]
    [InlineData(LinkType.RawBsd, "")]
    [InlineData(LinkType.Ipv4, "")]
    [InlineData(LinkType.Null, "02000000")]
    [InlineData(LinkType.Loop, "00000002")]
    [InlineData(LinkType.LinuxSll, "00000001000600000000000000000800")]
    [InlineData(LinkType.LinuxSll2, "0800000000000001000100060000000000000000")]
    [InlineData(LinkType.Ppp, "FF030021")]
    [InlineData(LinkType.Ppp, "21")]
    [InlineData(LinkType.Ethernet, "0200000000010200000000028864110000010000" + "0021")]
    [InlineData(LinkType.Ethernet, "020000000001020000000002884700010000" + "00010100")]
    public void Link_layers_lead_to_the_same_packet(int linkType, string header)
    {
        byte[] frame = [.. Convert.FromHexString(header), .. Frames.Ip(A, B, IpProtocol.Udp, Frames.Udp(1, 2, 10))];

        Assert.Equal(DecodeResult.Ok, Decode(frame, out var packet, linkType));
        Assert.Equal((A, (ushort)2, 38u), (packet.Src, packet.DstPort, packet.IpBytes));
    }

    [Fact]
    public void Every_cut_of_a_frame_has_a_reason_and_enough_of_it_has_all_its_bytes()
    {
        var frame = Frames.Ethernet(Frames.Ip(A, B, IpProtocol.Tcp, Frames.Tcp(1, 2, TcpFlags.Ack, payload: 1000)), 0x8100);
        for (var length = 0; length < frame.Length; length++)
        {
            DecodedPacket packet = default;
            var result = PacketDecoder.Decode(frame.AsSpan(0, length), LinkType.Ethernet, frame.Length, ref packet);
            Assert.Equal(length switch { < 18 => DecodeResult.TruncatedL2, < 38 => DecodeResult.TruncatedIp, < 52 => DecodeResult.TruncatedL4, _ => DecodeResult.Ok }, result);
            Assert.True(result != DecodeResult.Ok || packet.IpBytes == 1040);
        }
    }

    [Fact]
    public void Bad_frames_are_rejected_with_their_reason()
    {
        var tcp = Frames.Ip(A, B, IpProtocol.Tcp, Frames.Tcp(1, 2, TcpFlags.Ack));
        Assert.Equal(DecodeResult.TooManyTags, Decode(Frames.Ethernet(tcp, 0x88A8, 0x8100, 0x8100), out _));
        Assert.Equal(DecodeResult.LinkTypeUnsupported, Decode(tcp, out _, linkType: 127));
        Assert.Equal(DecodeResult.NotIp, Decode([.. new byte[12], 0x08, 0x06, .. new byte[28]], out _));

        tcp[0] = 0x40;
        Assert.Equal(DecodeResult.BadIpHeader, Decode(tcp, out _, LinkType.Raw));

        // Eight destination options are walked, a ninth is not.
        byte[] options = [60, 0, 0, 0, 0, 0, 0, 0];
        byte[] last = [IpProtocol.Udp, 0, 0, 0, 0, 0, 0, 0];
        byte[] Chain(int count) => [.. Enumerable.Repeat(options, count - 1).SelectMany(o => o), .. last, .. Frames.Udp(5, 6)];
        Assert.Equal(DecodeResult.Ok, Decode(Frames.Ip(A6, B6, 60, Chain(8)), out var packet, LinkType.Raw));
        Assert.Equal(6, packet.DstPort);
        Assert.Equal(DecodeResult.TooManyExtensions, Decode(Frames.Ip(A6, B6, 60, Chain(9)), out _, LinkType.Raw));
    }

    [Fact]
    public void An_offloaded_packet_without_a_length_counts_its_wire_length()
    {
        var ip = Frames.Ip(A, B, IpProtocol.Tcp, Frames.Tcp(1, 2, TcpFlags.Ack, payload: 40));
        ip[2] = ip[3] = 0;
        DecodedPacket packet = default;

        Assert.Equal(DecodeResult.Ok, PacketDecoder.Decode(Frames.Ethernet(ip), LinkType.Ethernet, 70_014, ref packet));
        Assert.Equal(70_000u, packet.IpBytes);
    }

    [Fact]
    public void A_packet_of_a_known_flow_allocates_nothing_in_tunnels_and_fragments_either()
    {
        var account = PacketTracker.NewAccount();
        var tracker = new PacketTracker(new FlowTable(new ObservationPoint("n", "s"), FlowSource.File, new FlowTableOptions(), (in FlowRow _) => { }), account);
        byte[][] frames =
        [
            .. Enumerable.Range(1, 500).Select(port =>
                Frames.Ethernet(Frames.Ip(port % 2 == 0 ? A : A6, port % 2 == 0 ? B : B6, IpProtocol.Tcp, Frames.Tcp((ushort)port, 2, TcpFlags.Ack)))),
            .. FrameCorpus.Kept.Where(frame => frame.LinkType == LinkType.Ethernet).Select(frame => frame.Bytes),
            .. new[] { Encap.Plain, Encap.Vxlan, Encap.IpInIp6 }.SelectMany(encap => Tunnels.Fragment(
                Encaps.Outermost(Frames.Ip(A, B, IpProtocol.Udp, Frames.Udp(7, 8, 1000)), encap), mtu: 400, id: 77)
                .AsEnumerable().Reverse().Select(ip => Frames.Ethernet(ip))),
        ];
        void Round(long timeUs)
        {
            foreach (var frame in frames)
            {
                tracker.Track(frame, LinkType.Ethernet, frame.Length, timeUs);
            }
        }

        // Rounds 20 s apart cross wheel slots and active timeouts. The first ones post each reason for the first time.
        var round = 0;
        while (round < 20)
        {
            Round(round++ * 20_000_000L);
        }

        Assert.Equal(0, Allocation.Of(() =>
        {
            for (var end = round + 100; round < end; round++)
            {
                Round(round * 20_000_000L);
            }
        }));
    }

    private static DecodeResult Decode(byte[] frame, out DecodedPacket packet, int linkType = LinkType.Ethernet)
    {
        packet = default;
        return PacketDecoder.Decode(frame, linkType, frame.Length, ref packet);
    }
}
