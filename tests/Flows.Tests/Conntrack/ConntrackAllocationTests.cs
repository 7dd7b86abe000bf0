using Flows.Capture;
using Flows.Capture.Conntrack;
using Flows.Core.Accounting;
using Flows.Core.Facts;
using Flows.Tests.Support;
using Xunit;
using static Flows.Tests.Conntrack.ConntrackScene;

namespace Flows.Tests.Conntrack;

public sealed class ConntrackAllocationTests
{
    private static readonly CtMessage Six = Tcp with { Src = "fd77::1", Dst = "fd77::2" };

    [Fact]
    public void An_event_allocates_nothing_in_steady_state()
    {
        byte[][] life =
        [
            .. TcpLife(Tcp), .. TcpLife(Six),
            (Udp with { IsNew = true }).Build(),
            (Udp with { Status = Replied }).Build(),
            Mark(ConntrackMarkKind.DumpBegin, (ulong)ConntrackDump.Periodic),
            (Udp with { Sequence = 9, IsDump = true, Status = Replied, Orig = (1, 60), Reply = (1, 120) }).Build(),
            (Udp with { SrcPort = 41000, Sequence = 9, IsDump = true, Status = Replied, Orig = (1, 60), Reply = (1, 120) }).Build(),
            Mark(ConntrackMarkKind.DumpEnd, 1),
            (Udp with { IsDestroy = true, Status = Replied, Orig = (1, 60), Reply = (1, 120) }).Build(),
            (Udp with { SrcPort = 41000, IsDestroy = true, Status = Replied, Orig = (1, 60), Reply = (1, 120) }).Build(),
            (Udp with { Src = "127.0.0.1", Dst = "127.0.0.1", IsNew = true }).Build(),
        ];
        var count = 0;
        var now = 1_700_000_000_000_000;
        var requests = new byte[ConntrackQuery.LengthMax];
        var lean = new ConntrackTracker(new ObservationPoint("n", "s"), (in FlowRow _) => count++, new HopAccount("conntrack", "events"));
        Live(2000);
        Assert.Equal(0, Allocation.Of(() =>
        {
            count = 0;
            Live(2000);
        }));
        Assert.Equal(2000 * 4, count);

        void Live(int lives)
        {
            for (var i = 0; i < lives; i++)
            {
                foreach (var datagram in life)
                {
                    lean.OnDatagram(datagram, ++now);
                    while (lean.TryTakeFetch(out var fetch))
                    {
                        ConntrackQuery.WriteGet(requests, 7, fetch.Key);
                    }
                }
            }
        }
    }

    private static byte[][] TcpLife(CtMessage connection) =>
    [
        (connection with { IsNew = true, TcpState = SynSent }).Build(),
        (connection with { TcpState = SynRecv, Status = Replied }).Build(),
        (connection with { TcpState = Established, Status = Replied }).Build(),
        (connection with { TcpState = TimeWait, Status = Replied }).Build(),
        (connection with { Sequence = 5, TcpState = TimeWait, Status = Replied, Orig = (6, 500), Reply = (5, 900) }).Build(),
        (connection with { IsDestroy = true, TcpState = TimeWait, Status = Replied, Orig = (6, 500), Reply = (5, 900) }).Build(),
    ];

    private static byte[] Mark(ConntrackMarkKind kind, ulong value)
    {
        var datagram = new byte[ConntrackMark.Length];
        new ConntrackMark(kind, value).Write(datagram);
        return datagram;
    }
}
