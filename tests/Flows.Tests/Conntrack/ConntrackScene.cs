using Flows.Capture;
using Flows.Capture.Conntrack;
using Flows.Core;
using Flows.Core.Accounting;
using Flows.Core.Facts;
using Flows.Tests.Support;

namespace Flows.Tests.Conntrack;

/// <summary>A tracker that is told what the kernel would say, each message a microsecond after the one before.</summary>
internal sealed class ConntrackScene
{
    public const byte SynSent = 1;
    public const byte SynRecv = 2;
    public const byte Established = 3;
    public const byte FinWait = 4;
    public const byte LastAck = 6;
    public const byte TimeWait = 7;
    public const byte Close = 8;
    public const uint Replied = 0xA;

    public static readonly CtMessage Tcp = new();
    public static readonly CtMessage Udp = new() { Protocol = IpProtocol.Udp, DstPort = 53 };

    public ConntrackScene(int entriesMax = 1000, ushort spaceZone = 0, ConntrackSeen? seen = null)
    {
        Tracker = new ConntrackTracker(new ObservationPoint("n1", "s1"), (in FlowRow row) => Rows.Add(row), Account, seen);
        Mark(ConntrackMarkKind.Start, 42, (ulong)UnixTime.Minute, (uint)entriesMax | ((ulong)spaceZone << 32));
    }

    public List<FlowRow> Rows { get; } = [];

    public HopAccount Account { get; } = new("conntrack", "events");

    public ConntrackTracker Tracker { get; }

    public long NowUs { get; set; } = 1_700_000_000 * UnixTime.Second;

    public void Open(CtMessage connection)
    {
        Give(connection with { IsNew = true, TcpState = SynSent });
        Give(connection with { TcpState = SynRecv, Status = Replied });
        Give(connection with { TcpState = Established, Status = Replied | 4 });
    }

    public void Dump(ConntrackDump why, int afterSeconds, params ReadOnlySpan<CtMessage> entries)
    {
        NowUs += afterSeconds * UnixTime.Second;
        Mark(ConntrackMarkKind.DumpBegin, (ulong)why);
        foreach (var entry in entries)
        {
            Give(entry with { Sequence = 5, IsDump = true });
        }

        Mark(ConntrackMarkKind.DumpEnd, 1);
    }

    public void Give(CtMessage message) => Tracker.OnDatagram(message.Build(), NowUs++);

    public void Mark(ConntrackMarkKind kind, ulong value, ulong second = 0, ulong third = 0)
    {
        var datagram = new byte[ConntrackMark.Length];
        new ConntrackMark(kind, value, second, third).Write(datagram);
        Tracker.OnDatagram(datagram, NowUs++);
    }
}
