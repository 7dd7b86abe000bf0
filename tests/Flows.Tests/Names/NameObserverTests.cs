using Flows.Capture;
using Flows.Capture.Flow;
using Flows.Capture.Names;
using Flows.Capture.Packets;
using Flows.Core.Accounting;
using Flows.Core.Facts;
using Flows.Tests.Support;
using Xunit;

namespace Flows.Tests.Names;

/// <summary>DNS answers as frames, through the tracker that live interfaces and files share.</summary>
public sealed class NameObserverTests
{
    private static readonly NetAddress Client = NetAddress.Parse("10.0.0.1");
    private static readonly NetAddress Server = NetAddress.Parse("10.0.0.53");
    private static readonly NetAddress Client6 = NetAddress.Parse("fd00::1");
    private static readonly NetAddress Server6 = NetAddress.Parse("fd00::53");

    private readonly List<NameFact> names = [];
    private readonly NameObserver observer;
    private readonly PacketTracker tracker;
    private long timeUs = Some.TimeUs;

    public NameObserverTests()
    {
        observer = new NameObserver(names.Add);
        tracker = new PacketTracker(new FlowTable(new ObservationPoint("n", "s"), FlowSource.File, new FlowTableOptions(), (in FlowRow _) => { }), PacketTracker.NewAccount(), observer);
    }

    private HopReport Books => observer.Account.Report();

    [Fact]
    public void A_binding_says_who_was_told_what_until_when()
    {
        Udp(Server, Client, Message("db.example", "192.0.2.1", ttl: 30));
        Udp(Server6, Client6, Message("db.example", "2001:db8::7", ttl: 40));
        Assert.Equal(
            [new NameFact("10.0.0.1", "db.example", "192.0.2.1", 30, Some.TimeUs), new NameFact("fd00::1", "db.example", "2001:db8::7", 40, Some.TimeUs)], names);

        // The same again, as another interface sees it, is counted and is no news.
        Udp(Server, Client, Message("db.example", "192.0.2.1", ttl: 30));
        Assert.Equal((2, 3, 3, true), (names.Count, Books.Seen, Books.Forwarded, Books.Holds));
    }

    [Fact]
    public void Only_answers_from_port_53_are_looked_at()
    {
        var payload = Message("db.example", "192.0.2.1").Build();
        Track(Frames.Ip(Server, Client, IpProtocol.Udp, Datagram(5353, 40_000, payload)));
        Track(Frames.Ip(Client, Server, IpProtocol.Udp, Datagram(40_000, 53, payload)));
        Track(Frames.Ip(Server, Client, IpProtocol.Tcp, Segment(443, 1, 0, [0, (byte)payload.Length, .. payload])));
        Assert.Equal((0, 0), (names.Count, Books.Seen));
    }

    [Fact]
    public void Every_message_is_in_the_books_under_one_reason()
    {
        Udp(Server, Client, new DnsWriter("x.example", flags: 0x8183));
        Udp(Server, Client, new DnsWriter("x.example", flags: 0x8182));
        Udp(Server, Client, new DnsWriter("x.example"));
        Udp(Server, Client, new DnsWriter("x.example", flags: 0x0100));
        Udp(Server, Client, new DnsWriter("x.example").Announce());
        Udp(Server, Client, Message("", "192.0.2.1"));
        var odd = new string('\u0001', 63) + "." + new string('\u0001', 10);
        Udp(Server, Client, Message(odd, "192.0.2.1"));
        Udp(Server, Client, Message(new string('\u0001', 63), "192.0.2.1"));
        Assert.Equal("failed 1, malformed 1, name_too_long 1, no_address 2, not_an_answer 1, nxdomain 1", string.Join(", ", Books.Dropped.Select(drop => $"{drop.Key} {drop.Value}")));
        Assert.Equal((8, 1, true), (Books.Seen, Books.Forwarded, Books.Holds));
    }

    [Fact]
    public void A_datagram_of_which_only_the_start_was_captured_gives_what_is_whole()
    {
        var frame = Frames.Ethernet(Frames.Ip(Server, Client, IpProtocol.Udp, Datagram(53, 40_000, Message("a.example", "192.0.2.1").Address("a.example", "192.0.2.2").Build())));
        tracker.Track(frame.AsSpan(0, frame.Length - 2), LinkType.Ethernet, frame.Length, timeUs);
        Assert.Equal(["192.0.2.1"], names.Select(name => name.Address));

        // The second fragment of a datagram has the ports of the first by attribution, and no DNS header.
        var whole = Datagram(53, 40_001, Message("b.example", "192.0.2.1").Build());
        Track(Frames.Ip(Server, Client, IpProtocol.Udp, whole[..24], fragment: 0x2000, id: 9));
        Track(Frames.Ip(Server, Client, IpProtocol.Udp, whole[24..], fragment: 3, id: 9));
        Assert.Equal((2, 1, 1), (Books.Seen, Books.Forwarded, Books.Dropped["truncated"]));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(17)]
    [InlineData(100)]
    [InlineData(4000)]
    public void Messages_of_a_stream_are_read_however_they_are_cut_into_segments(int bytes)
    {
        byte[] stream = [.. Enumerable.Range(0, 5).SelectMany(i => Message($"n{i}.example", $"192.0.2.{i}").BuildWithLength())];
        Syn(100);
        Send(101, stream, bytes);
        Assert.Equal(["n0.example", "n1.example", "n2.example", "n3.example", "n4.example"], names.Select(name => name.Name));
        Assert.Equal((5, 5, 0, true), (Books.Seen, Books.Forwarded, Books.InFlight, Books.Holds));
    }

    [Fact]
    public void A_message_in_two_segments_is_in_flight_between_them_and_repeats_change_nothing()
    {
        var message = Message("a.example", "192.0.2.1").BuildWithLength();
        Syn(uint.MaxValue - 20);
        Tcp(uint.MaxValue - 19, message[..30]);
        Assert.Equal((1, 0, 1, true), (Books.Seen, Books.Forwarded, Books.InFlight, Books.Holds));
        Tcp(uint.MaxValue - 19, message[..30]);

        // The sequence number wraps; the repeat overlaps with what is known.
        Tcp(unchecked(uint.MaxValue - 19 + 20), message[20..]);
        Tcp(unchecked(uint.MaxValue - 19 + 20), message[20..]);
        Assert.Equal("a.example", Assert.Single(names).Name);
        Assert.Equal((1, 1, 0, true), (Books.Seen, Books.Forwarded, Books.InFlight, Books.Holds));
    }

    [Fact]
    public void A_hole_in_a_stream_costs_the_message_that_it_is_in()
    {
        var (first, second) = (Message("a.example", "192.0.2.1").BuildWithLength(), Message("b.example", "192.0.2.2").BuildWithLength());
        Syn(0);
        Tcp(1, first[..20]);
        Tcp((uint)(1 + first.Length), second);
        Assert.Equal("b.example", Assert.Single(names).Name);
        Assert.Equal((2, 1, 1, true), (Books.Seen, Books.Forwarded, Books.Dropped["tcp_gap"], Books.Holds));

        // The missing piece comes late: it is behind, and is passed over.
        Tcp(21, first[20..]);
        Assert.Equal((2, true), (Books.Seen, Books.Holds));
    }

    [Fact]
    public void A_stream_met_in_the_middle_is_taken_up_where_a_response_begins()
    {
        var message = Message("a.example", "192.0.2.1").BuildWithLength();
        Tcp(5000, message[10..]);
        Assert.Equal(1, Books.Dropped["tcp_gap"]);
        Tcp(9000, message[..20]);
        Tcp(9020, message[20..]);
        Assert.Equal("a.example", Assert.Single(names).Name);
        Assert.True(Books.Holds);
    }

    [Fact]
    public void Of_a_message_longer_than_what_is_gathered_the_start_is_read_and_the_stream_goes_on()
    {
        var large = Message("big.example", "192.0.2.1");
        while (large.Length < 20_000)
        {
            large.Raw("big.example", 16, 60, new byte[200]);
        }

        Syn(0);
        Send(1, [.. large.BuildWithLength(), .. Message("next.example", "192.0.2.9").BuildWithLength()], 1400);
        Assert.Equal(["big.example", "next.example"], names.Select(name => name.Name));
        Assert.Equal((2, 2, true), (Books.Seen, Books.Forwarded, Books.Holds));
    }

    [Fact]
    public void Segments_of_which_only_the_start_was_captured_keep_the_stream_in_step()
    {
        var large = Message("cut.example", "192.0.2.1");
        while (large.Length < 800)
        {
            large.Raw("cut.example", 16, 60, new byte[200]);
        }

        var bytes = large.BuildWithLength();
        Syn(0);
        var frame = Frames.Ethernet(Frames.Ip(Server, Client, IpProtocol.Tcp, Segment(53, 1, 0, bytes)));
        tracker.Track(frame.AsSpan(0, 192), LinkType.Ethernet, frame.Length, timeUs);
        Tcp((uint)(1 + bytes.Length), Message("next.example", "192.0.2.9").BuildWithLength());
        Assert.Equal(["cut.example", "next.example"], names.Select(name => name.Name));
        Assert.Equal((2, 2, true), (Books.Seen, Books.Forwarded, Books.Holds));
    }

    [Fact]
    public void Padding_of_a_short_frame_is_no_payload()
    {
        var frame = Frames.Ethernet(Frames.Ip(Server, Client, IpProtocol.Tcp, Segment(53, 1, TcpFlags.Ack, [])));
        byte[] padded = [.. frame, .. new byte[6]];
        tracker.Track(padded, LinkType.Ethernet, padded.Length, timeUs);
        Assert.Equal(0, Books.Seen);
    }

    [Fact]
    public void Mutated_streams_and_datagrams_never_throw_and_the_books_hold()
    {
        var seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var stream = Enumerable.Range(0, 4).SelectMany(i => Message($"n{i}.example", $"192.0.2.{i}").BuildWithLength()).ToArray();
        for (var turn = 0; turn < 100_000; turn++)
        {
            var from = random.Next(4) == 0 ? random.Next(stream.Length) : 0;
            var payload = stream[from..random.Next(from, stream.Length + 1)];
            for (var flips = random.Next(4); flips > 0 && payload.Length > 0; flips--)
            {
                payload[random.Next(payload.Length)] = (byte)random.Next(256);
            }

            var transport = random.Next(2) == 0 ? Datagram(53, 40_000, payload) : Segment(53, (uint)random.Next(600), (byte)random.Next(64), payload, (ushort)random.Next(300));
            transport[random.Next(transport.Length)] ^= (byte)(random.Next(3) == 0 ? random.Next(256) : 0);
            var frame = Frames.Ip(Server, Client, transport.Length > 12 && random.Next(2) == 0 ? IpProtocol.Tcp : IpProtocol.Udp, transport);
            tracker.Track(frame.AsSpan(0, random.Next(8) == 0 ? random.Next(frame.Length) : frame.Length), LinkType.Raw, frame.Length, timeUs += random.Next(1_000_000));
        }

        Assert.True(Books.Holds && Books.Seen > 10_000);
    }

    [Fact]
    public void A_known_binding_allocates_nothing_over_udp_and_tcp()
    {
        var datagram = Frames.Ethernet(Frames.Ip(Server, Client, IpProtocol.Udp, Datagram(53, 40_000, Message("a.example", "192.0.2.1").Build())));
        var refusal = Frames.Ethernet(Frames.Ip(Server, Client, IpProtocol.Udp, Datagram(53, 40_000, new DnsWriter("a.example", flags: 0x8183).Build())));
        var message = Message("a.example", "192.0.2.1").BuildWithLength();
        byte[][] segments =
        [
            Frames.Ethernet(Frames.Ip(Server, Client, IpProtocol.Tcp, Segment(53, 0, TcpFlags.Syn | TcpFlags.Ack, []))),
            Frames.Ethernet(Frames.Ip(Server, Client, IpProtocol.Tcp, Segment(53, 1, TcpFlags.Ack, message[..20]))),
            Frames.Ethernet(Frames.Ip(Server, Client, IpProtocol.Tcp, Segment(53, 21, TcpFlags.Ack, message[20..]))),
        ];
        void Round()
        {
            tracker.Track(datagram, LinkType.Ethernet, datagram.Length, timeUs);
            tracker.Track(refusal, LinkType.Ethernet, refusal.Length, timeUs);
            foreach (var segment in segments)
            {
                tracker.Track(segment, LinkType.Ethernet, segment.Length, timeUs);
            }
        }

        Round();
        Round();
        var rounds = 2;
        Assert.Equal(0, Allocation.Of(() =>
        {
            for (var end = rounds + 1000; rounds < end; rounds++)
            {
                Round();
            }
        }));
        Assert.Equal(3 * rounds, Books.Seen);
    }

    private static DnsWriter Message(string name, string address, uint ttl = 60) => new DnsWriter(name).Address(name, address, ttl);

    private static byte[] Datagram(ushort srcPort, ushort dstPort, byte[] payload)
    {
        var datagram = Frames.Udp(srcPort, dstPort, payload.Length);
        payload.CopyTo(datagram, 8);
        return datagram;
    }

    private static byte[] Segment(ushort srcPort, uint sequence, byte flags, byte[] payload, ushort dstPort = 40_000)
    {
        var segment = Frames.Tcp(srcPort, dstPort, flags, sequence, payload: payload.Length);
        payload.CopyTo(segment, 20);
        return segment;
    }

    private void Udp(NetAddress from, NetAddress to, DnsWriter message) => Track(Frames.Ip(from, to, IpProtocol.Udp, Datagram(53, 40_000, message.Build())));

    private void Syn(uint sequence) => Track(Frames.Ip(Server, Client, IpProtocol.Tcp, Segment(53, sequence, TcpFlags.Syn | TcpFlags.Ack, [])));

    private void Tcp(uint sequence, byte[] payload) => Track(Frames.Ip(Server, Client, IpProtocol.Tcp, Segment(53, sequence, TcpFlags.Ack, payload)));

    private void Send(uint sequence, byte[] stream, int bytes)
    {
        for (var at = 0; at < stream.Length; at += bytes)
        {
            Tcp((uint)(sequence + at), stream[at..Math.Min(stream.Length, at + bytes)]);
        }
    }

    private void Track(byte[] packet)
    {
        var frame = Frames.Ethernet(packet);
        tracker.Track(frame, LinkType.Ethernet, frame.Length, timeUs);
    }
}
