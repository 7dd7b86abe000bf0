using CsCheck;
using Flows.Capture.Conntrack;
using Flows.Core.Facts;
using Flows.Tests.Support;
using Xunit;

namespace Flows.Tests.Conntrack;

public sealed class ConntrackParserTests
{
    [Fact]
    public void Every_attribute_of_a_TCP_entry_is_read()
    {
        var message = Parse(new CtMessage
        {
            Sequence = 9,
            IsDump = true,
            ReplySrc = "10.2.0.2",
            ReplySrcPort = 8080,
            Status = 0xE,
            TcpState = 3,
            TcpFlags = 0x23,
            Zone = 5,
            Orig = (10, 1000),
            Reply = (20, 1UL << 40),
            StartUs = 1_700_000_000_000_001,
            StopUs = 1_700_000_000_000_002,
            EventUs = 1_700_000_000_000_003,
        });

        Assert.Equal(ConntrackMessageKind.Answer, message.Kind);
        Assert.True(message.IsDump && message.SeenReply && message.ProvesSyn);
        Assert.Equal(new ConntrackTuple(NetAddress.Parse("10.0.0.1"), NetAddress.Parse("10.0.0.2"), 40000, 80, 6, 0), message.Orig);
        Assert.Equal(new ConntrackTuple(NetAddress.Parse("10.2.0.2"), NetAddress.Parse("10.0.0.1"), 8080, 40000, 6, 0), message.Reply);
        Assert.Equal((5, 7u, 120u), (message.Zone, message.Id, message.TimeoutSeconds));
        Assert.Equal(new ConntrackCounters(10, 1000, 20, 1UL << 40), message.Counters);
        Assert.Equal(1_700_000_000_000_001_000UL, message.StartNs);
        Assert.Equal(1_700_000_000_000_002_000UL, message.StopNs);
        Assert.Equal(1_700_000_000_000_003_000UL, message.EventNs);
    }

    [Fact]
    public void Counters_of_32_bits_are_read()
    {
        var message = Parse(new CtMessage { IsDestroy = true, Counters32 = true, Orig = (1, 60), Reply = (2, uint.MaxValue) });
        Assert.Equal(new ConntrackCounters(1, 60, 2, uint.MaxValue), message.Counters);
        Assert.Equal(ConntrackMessageKind.Destroy, message.Kind);
    }

    [Fact]
    public void An_echo_identifier_stands_on_the_asker_s_side()
    {
        var message = Parse(new CtMessage { IsNew = true, Protocol = IpProtocol.Icmp, SrcPort = 77, DstPort = 0 });
        Assert.Equal((77, 0, 0x0800), (message.Orig.SrcPort, message.Orig.DstPort, message.Orig.IcmpTypeCode));
        Assert.Equal((0, 77), (message.Reply.SrcPort, message.Reply.DstPort));
        Assert.Equal(ConntrackMessageKind.New, message.Kind);
    }

    [Fact]
    public void IPv6_addresses_are_read()
    {
        var message = Parse(new CtMessage { Src = "2001:db8::1", Dst = "2001:db8::2" });
        Assert.Equal(NetAddress.Parse("2001:db8::2"), message.Orig.Dst);
        Assert.Equal(ConntrackMessageKind.Update, message.Kind);
    }

    [Theory]
    [InlineData("127.0.0.1", "127.0.0.53", true)]
    [InlineData("::1", "::1", true)]
    [InlineData("127.0.0.1", "10.0.0.1", false)]
    [InlineData("10.0.0.1", "10.0.0.1", false)]
    public void Loopback_means_both_ends(string src, string dst, bool loopback) =>
        Assert.Equal(loopback, Parse(new CtMessage { Src = src, Dst = dst }).Orig.IsLoopback);

    [Fact]
    public void An_SCTP_state_is_read()
    {
        var message = Parse(new CtMessage { Protocol = IpProtocol.Sctp, SctpState = 7 });
        Assert.Equal((true, (byte)7, false), (message.HasProtoState, message.ProtoState, message.ProvesSyn && message.Orig.Protocol == IpProtocol.Tcp));
    }

    [Fact]
    public void Arbitrary_bytes_are_never_more_than_malformed() =>
        Gen.Byte.Array[0, 400].Sample(bytes => Walk(bytes), iter: 20_000);

    [Fact]
    public void A_damaged_message_is_never_more_than_malformed()
    {
        var good = new CtMessage { TcpState = 3, TcpFlags = 1, Orig = (1, 2), Reply = (3, 4), StartUs = 5, Zone = 6 }.Build();
        Gen.Select(Gen.Int[0, good.Length - 1], Gen.Byte, Gen.Int[0, good.Length - 1], Gen.Byte, Gen.Int[0, good.Length]).Sample(
            (first, a, second, b, length) =>
            {
                var bytes = good.ToArray();
                bytes[first] = a;
                bytes[second] = b;
                Walk(bytes.AsSpan(0, length));
            },
            iter: 50_000);
    }

    [Fact]
    public void A_message_without_its_reply_tuple_is_refused()
    {
        var whole = new CtMessage().Build();
        var cut = CtMessage.Header(0x100, 0, 0, [2, 0, 0, 0, .. whole.AsSpan(20, BitConverter.ToUInt16(whole, 20))]);
        var netlink = new NetlinkReader(cut);
        Assert.True(netlink.Next());
        Assert.False(ConntrackParser.TryParse(in netlink, out _));
    }

    private static ConntrackMessage Parse(CtMessage built)
    {
        var netlink = new NetlinkReader(built.Build());
        Assert.True(netlink.Next());
        Assert.True(ConntrackParser.TryParse(in netlink, out var message));
        Assert.False(netlink.Next());
        return message;
    }

    private static void Walk(ReadOnlySpan<byte> bytes)
    {
        var netlink = new NetlinkReader(bytes);
        for (var count = 0; netlink.Next(); count++)
        {
            Assert.True(count <= bytes.Length / 16);
            _ = ConntrackParser.TryParse(in netlink, out _);
        }
    }
}
