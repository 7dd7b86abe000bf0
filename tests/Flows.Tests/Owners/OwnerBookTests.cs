using Flows.Capture;
using Flows.Capture.Conntrack;
using Flows.Capture.Flow;
using Flows.Capture.Owners;
using Flows.Capture.Packets;
using Flows.Core.Accounting;
using Flows.Core.Facts;
using Flows.Tests.Support;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Flows.Tests.Owners;

/// <summary>From a connection's beginning to the owner on its row, with a made-up socket table.</summary>
public sealed class OwnerBookTests : IDisposable
{
    private const string Here = "10.0.0.1";
    private const string There = "10.0.0.9";

    private static readonly NetAddress Own = NetAddress.Parse(Here);

    private readonly FakeTimeProvider time = new();
    private readonly OwnerCache cache = new();
    private readonly OwnerTable owners = new();
    private readonly OwnerQueue queue = new(64);
    private readonly CpuBudget budget;
    private readonly HopAccount account;
    private readonly OwnerBook book;
    private readonly OwnerLookup lookup;
    private readonly List<DiagSocket> sockets = [];
    private readonly List<SocketTuple> asked = [];

    public OwnerBookTests()
    {
        budget = new CpuBudget(0.1, TimeSpan.FromMilliseconds(250), time);
        account = new HopAccount("owners", "flows", () => queue.Count);
        book = new OwnerBook(account, owners, cache, queue, budget, address => address == Own, null, TimeSpan.FromSeconds(1), time);
        lookup = new OwnerLookup(account, book, owners, cache, queue, LookUp, Dump, time);
    }

    public void Dispose() => owners.Dispose();

    [Fact]
    public void A_client_here_is_asked_for_once_and_its_row_has_the_owner()
    {
        sockets.Add(Socket(Here, 40_000, There, 443, uid: 1000, cgroup: 77));
        See(Here, 40_000, There, 443);
        Assert.True(lookup.Turn());
        var row = Stamp(Here, 40_000, There, 443);
        Assert.Equal((Id(77, 1000), null), (row.SrcOwnerId, row.DstOwnerId));
        Assert.Equal((1, 1, 0), (Report().Seen, Report().Forwarded, Report().InFlight));
        Assert.Single(asked);
    }

    [Fact]
    public void A_listener_serves_all_that_come_to_it_until_it_is_old()
    {
        sockets.Add(Socket(Here, 80, "0.0.0.0", 0, uid: 33, cgroup: 5, state: SockDiag.TcpListen));
        for (var port = 1; port <= 100; port++)
        {
            See(There, port, Here, 80);
            lookup.Turn();
            Assert.Equal(Id(5, 33), Stamp(There, port, Here, 80).DstOwnerId);
        }

        Assert.Equal(2, asked.Count);
        Assert.Equal(100, Report().Forwarded);

        // Another service takes the port.
        sockets.Clear();
        sockets.Add(Socket(Here, 80, "0.0.0.0", 0, uid: 34, cgroup: 6, state: SockDiag.TcpListen));
        time.Advance(TimeSpan.FromSeconds(1.1));
        See(There, 101, Here, 80);
        lookup.Turn();
        Assert.Equal(Id(6, 34), Stamp(There, 101, Here, 80).DstOwnerId);
        Assert.Equal(Id(5, 33), Stamp(There, 100, Here, 80).DstOwnerId);
    }

    [Fact]
    public void NAT_is_followed_to_the_socket_on_either_side()
    {
        // A client here that dialled a VIP, and the backend here that another client reached by a VIP and masquerade.
        sockets.Add(Socket(Here, 40_000, "10.96.0.1", 443, uid: 1, cgroup: 11));
        sockets.Add(Socket(Here, 8080, "0.0.0.0", 0, uid: 2, cgroup: 12, state: SockDiag.TcpListen));
        See(Here, 40_000, "10.96.0.1", 443, natDst: There, natDstPort: 6443);
        See(There, 50_000, "10.96.0.2", 80, natDst: Here, natDstPort: 8080, natSrc: "10.0.0.7", natSrcPort: 61_000);
        lookup.Turn();
        Id(0, 0);

        var first = Row(Here, 40_000, "10.96.0.1", 443) with { NatDst = NetAddress.Parse(There), NatDstPort = 6443 };
        book.Stamp(ref first);
        Assert.Equal((Id(11, 1), null), (first.SrcOwnerId, first.DstOwnerId));
        var second = Row(There, 50_000, "10.96.0.2", 80) with
        {
            NatDst = NetAddress.Parse(Here),
            NatDstPort = 8080,
            NatSrc = NetAddress.Parse("10.0.0.7"),
            NatSrcPort = 61_000,
        };
        book.Stamp(ref second);
        Assert.Equal((null, Id(12, 2)), (second.SrcOwnerId, second.DstOwnerId));

        // Conntrack picked one up from the server's side and turned the row: the ends still have their owners.
        sockets.Add(Socket(Here, 40_002, There, 6443, uid: 4, cgroup: 14));
        See(There, 6443, Here, 40_002, isNew: false);
        lookup.Turn();
        Assert.Equal(Id(14, 4), Stamp(Here, 40_002, There, 6443).SrcOwnerId);
    }

    [Fact]
    public void A_reused_tuple_does_not_inherit_the_owner_of_the_connection_before()
    {
        sockets.Add(Socket(Here, 40_000, There, 443, uid: 1000, cgroup: 77));
        See(Here, 40_000, There, 443);
        lookup.Turn();
        sockets.Clear();
        See(Here, 40_000, There, 443);
        lookup.Turn();
        Assert.Null(Stamp(Here, 40_000, There, 443).SrcOwnerId);
        Assert.Equal(1, Report().Dropped["gone"]);
    }

    [Fact]
    public void What_remains_of_a_socket_is_nobodys()
    {
        // TIME_WAIT; a listener on the port of a client that is gone; an orphan that only the root cgroup knows; and one that its cgroup still tells.
        sockets.Add(Socket(Here, 1, There, 443, uid: 0, cgroup: 0, state: 6, inode: 0));
        sockets.Add(Socket(Here, 2, "0.0.0.0", 0, uid: 5, cgroup: 5, state: SockDiag.TcpListen));
        sockets.Add(Socket(Here, 3, There, 443, uid: 0, cgroup: 1, state: 4, inode: 0));
        sockets.Add(Socket(Here, 4, There, 443, uid: 0, cgroup: 9, state: 4, inode: 0));
        for (var port = 1; port <= 4; port++)
        {
            See(Here, port, There, 443);
        }

        lookup.Turn();
        Assert.Equal([null, null, null, Id(9, 0)], Enumerable.Range(1, 4).Select(port => Stamp(Here, port, There, 443).SrcOwnerId));
        Assert.Equal((4, 1, 3), ((int)Report().Seen, (int)Report().Forwarded, (int)Report().Dropped["gone"]));
    }

    [Fact]
    public void Forwarded_traffic_and_other_protocols_cost_no_question()
    {
        See("10.1.0.1", 1, "10.2.0.2", 80);
        See(Here, 0, There, 0, protocol: IpProtocol.Icmp);
        Assert.False(lookup.Turn());
        Assert.Equal((1, 1), ((int)Report().Seen, (int)Report().Dropped["no_socket"]));
        Assert.Empty(asked);
    }

    [Fact]
    public void A_packet_that_opens_a_connection_asks_once_and_its_row_has_the_owner()
    {
        sockets.Add(Socket(Here, 40_000, There, 443, uid: 1000, cgroup: 77));
        var rows = new List<FlowRow>();
        var table = new FlowTable(
            new ObservationPoint("node-1", "test"), FlowSource.Packets, new FlowTableOptions(), new OwnerStamp(() => book, (in FlowRow row) => rows.Add(row)).Take)
        {
            Opened = book.OnFlow,
        };
        var syn = new DecodedPacket
        {
            Src = Own,
            Dst = NetAddress.Parse(There),
            SrcPort = 40_000,
            DstPort = 443,
            Protocol = IpProtocol.Tcp,
            TcpFlags = TcpFlags.Syn,
            TcpSeq = 7,
        };
        table.Track(in syn, 1_000_000);
        table.Track(in syn, 2_000_000);
        lookup.Turn();
        Id(0, 0);
        table.Finish();
        Assert.Equal(Id(77, 1000), Assert.Single(rows).SrcOwnerId);
        Assert.Single(asked);
    }

    [Fact]
    public void A_full_queue_and_a_spent_budget_are_counted_and_known_listeners_still_answer()
    {
        sockets.Add(Socket(Here, 80, "0.0.0.0", 0, uid: 33, cgroup: 5, state: SockDiag.TcpListen));
        See(There, 1, Here, 80);
        lookup.Turn();
        for (var port = 1; port <= 65; port++)
        {
            See(Here, port, There, 443);
        }

        Assert.Equal((1, 64), (Report().Dropped["queue_full"], Report().InFlight));
        Assert.True(Report().Holds);
        budget.Spend(TimeSpan.FromSeconds(1));
        Assert.True(budget.IsExhausted);
        lookup.Shed();
        See(Here, 70, There, 443);
        See(There, 2, Here, 80);
        Assert.Equal((65, 2, 0), (Report().Dropped["budget"], Report().Forwarded, Report().InFlight));
        Assert.Equal(Id(5, 33), Stamp(There, 2, Here, 80).DstOwnerId);
        Assert.True(Report().Holds);

        // It fills with time, and work begins again when a tenth is there.
        time.Advance(TimeSpan.FromSeconds(7.4));
        budget.Spend(TimeSpan.Zero);
        Assert.True(budget.IsExhausted);
        time.Advance(TimeSpan.FromSeconds(0.4));
        budget.Spend(TimeSpan.Zero);
        Assert.False(budget.IsExhausted);
    }

    [Fact]
    public void A_lasting_connection_that_nobody_asked_about_is_asked_about_when_its_window_ends()
    {
        sockets.Add(Socket(Here, 40_000, There, 443, uid: 1000, cgroup: 77));
        Assert.Null(Stamp(Here, 40_000, There, 443).SrcOwnerId);
        Assert.False(lookup.Turn());
        Assert.Null(Stamp(Here, 40_000, There, 443, EndReason.Active).SrcOwnerId);
        Assert.True(lookup.Turn());
        Assert.Equal(Id(77, 1000), Stamp(Here, 40_000, There, 443, EndReason.Active).SrcOwnerId);
        Assert.Single(asked);
    }

    [Fact]
    public void With_many_waiting_one_dump_answers_instead_of_a_lookup_each()
    {
        var big = new OwnerQueue(4096);
        var mine = new OwnerBook(account, owners, cache, big, budget, address => address == Own, null, TimeSpan.FromSeconds(1), time);
        var busy = new OwnerLookup(account, mine, owners, cache, big, LookUp, Dump, time);
        for (var port = 1; port <= 2000; port++)
        {
            sockets.Add(Socket(Here, port, There, 443, uid: 1000, cgroup: 77));
            mine.OnConntrack(Tuple(Here, port, There, 443), Tuple(There, 443, Here, port), isNew: true);
        }

        time.Advance(TimeSpan.FromSeconds(2));
        while (busy.Turn())
        {
        }

        Assert.Equal((1, 0), (busy.Dumps, asked.Count));
        Assert.Equal((2000, 2000), (Report().Seen, Report().Forwarded));
        Assert.Equal(Id(77, 1000), Stamp(Here, 1234, There, 443).SrcOwnerId);
    }

    [Fact]
    public void Stamping_and_hearing_of_what_is_known_allocate_nothing()
    {
        sockets.Add(Socket(Here, 40_000, There, 443, uid: 1000, cgroup: 77));
        sockets.Add(Socket(Here, 80, "0.0.0.0", 0, uid: 33, cgroup: 5, state: SockDiag.TcpListen));
        See(Here, 40_000, There, 443);
        See(There, 1, Here, 80);
        lookup.Turn();
        _ = (Id(77, 1000), Id(5, 33));
        var owned = 0L;
        FlowSink sink = new OwnerStamp(() => book, (in FlowRow row) => owned += row.SrcOwnerId is null && row.DstOwnerId is null ? 0 : 1).Take;
        var (orig, reply) = (Tuple(There, 2, Here, 80), Tuple(Here, 80, There, 2));
        var (src, dst, foreign) = (Row(Here, 40_000, There, 443), Row(There, 1, Here, 80), Row("10.1.0.1", 1, "10.2.0.2", 80));
        Run(1000);
        Assert.Equal(0, Allocation.Of(() =>
        {
            owned = 0;
            Run(10_000);
        }));
        Assert.Equal(20_000, owned);

        void Run(int times)
        {
            for (var turn = 0; turn < times; turn++)
            {
                book.OnConntrack(in orig, in reply, isNew: true);
                sink(in src);
                sink(in dst);
                sink(in foreign);
            }
        }
    }

    private HopReport Report() => account.Report();

    /// <summary>The id of an owner, which is named on the way.</summary>
    private ulong? Id(ulong cgroup, uint uid)
    {
        var id = (cgroup * 1000) + uid;
        while (owners.TryTakeUnnamed(out var slot, out var key))
        {
            owners.Name(slot, (key.CgroupId * 1000) + key.Uid);
        }

        return id;
    }

    private void See(
        string src, int srcPort, string dst, int dstPort, string? natDst = null, int? natDstPort = null, string? natSrc = null, int? natSrcPort = null,
        bool isNew = true, byte protocol = IpProtocol.Tcp) =>
        book.OnConntrack(
            Tuple(src, srcPort, dst, dstPort, protocol), Tuple(natDst ?? dst, natDstPort ?? dstPort, natSrc ?? src, natSrcPort ?? srcPort, protocol), isNew);

    private FlowRow Stamp(string src, int srcPort, string dst, int dstPort, EndReason reason = EndReason.End)
    {
        Id(0, 0);
        var row = Row(src, srcPort, dst, dstPort) with { EndReason = reason };
        book.Stamp(ref row);
        return row;
    }

    private static FlowRow Row(string src, int srcPort, string dst, int dstPort) => new()
    {
        Src = NetAddress.Parse(src),
        Dst = NetAddress.Parse(dst),
        SrcPort = (ushort)srcPort,
        DstPort = (ushort)dstPort,
        Protocol = IpProtocol.Tcp,
        EndReason = EndReason.End,
    };

    private static ConntrackTuple Tuple(string src, int srcPort, string dst, int dstPort, byte protocol = IpProtocol.Tcp) =>
        new(NetAddress.Parse(src), NetAddress.Parse(dst), (ushort)srcPort, (ushort)dstPort, protocol, 0);

    private static DiagSocket Socket(string local, int localPort, string remote, int remotePort, uint uid, ulong cgroup, byte state = 1, uint inode = 9) => new(
        new SocketTuple(NetAddress.Parse(local), NetAddress.Parse(remote), (ushort)localPort, (ushort)remotePort, IpProtocol.Tcp), state, uid, inode, cgroup);

    /// <summary>As the kernel does it: the connected socket, or else the listener on the port.</summary>
    private void LookUp(ReadOnlySpan<SocketTuple> wanted, Span<DiagSocket> found)
    {
        for (var index = 0; index < wanted.Length; index++)
        {
            var tuple = wanted[index];
            asked.Add(tuple);
            var exact = sockets.FindIndex(socket => socket.Tuple == tuple);
            var any = exact >= 0 ? exact : sockets.FindIndex(socket => socket.IsListener && socket.Tuple.LocalPort == tuple.LocalPort);
            found[index] = any >= 0 ? sockets[any] : default;
        }
    }

    private int Dump(Action<DiagSocket> take)
    {
        sockets.ForEach(take);
        return sockets.Count;
    }
}
