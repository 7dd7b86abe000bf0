using BenchmarkDotNet.Attributes;
using Flows.Capture;
using Flows.Capture.Conntrack;
using Flows.Core.Accounting;
using Flows.Core.Facts;
using Flows.Tests.Support;

namespace Flows.Benchmarks.Micro;

/// <summary>Conntrack datagrams from their bytes to rows; the figures are for one event.</summary>
[MemoryDiagnoser]
public class ConntrackBenchmarks
{
    private const int Connections = 10_000;

    private readonly List<byte[]> news = [];
    private readonly List<byte[]> destroys = [];
    private ConntrackTracker tracker = null!;
    private long rows;
    private long timeUs = 1_760_000_000_000_000;

    [GlobalSetup]
    public void Generate()
    {
        for (var i = 0; i < Connections; i++)
        {
            var message = new CtMessage
            {
                Src = $"10.1.{i >> 8}.{i & 255}",
                Protocol = IpProtocol.Udp,
                SrcPort = (ushort)(10_000 + i),
                Id = (uint)(i + 1),
                Orig = (1, 46),
                Reply = (1, 46),
                StartUs = (ulong)timeUs,
            };
            news.Add((message with { IsNew = true }).Build());
            destroys.Add((message with { IsDestroy = true, StopUs = (ulong)timeUs + 1 }).Build());
        }

        tracker = new ConntrackTracker(new ObservationPoint("bench", "bench"), (in FlowRow row) => rows++, new HopAccount("conntrack", "events"));
        Span<byte> mark = stackalloc byte[ConntrackMark.Length];
        new ConntrackMark(ConntrackMarkKind.Start, 1, 60_000_000, 262_144).Write(mark);
        tracker.OnDatagram(mark, timeUs);
    }

    /// <summary>Connections that begin and end.</summary>
    [Benchmark(OperationsPerInvoke = 2 * Connections)]
    public long NewAndDestroy()
    {
        foreach (var datagram in news)
        {
            tracker.OnDatagram(datagram, ++timeUs);
        }

        foreach (var datagram in destroys)
        {
            tracker.OnDatagram(datagram, ++timeUs);
        }

        return rows;
    }
}
