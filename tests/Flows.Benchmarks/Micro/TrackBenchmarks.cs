using BenchmarkDotNet.Attributes;
using Flows.Capture;
using Flows.Capture.Files;
using Flows.Capture.Flow;
using Flows.Capture.Packets;
using Flows.Core.Facts;
using Flows.Tests.Support;

namespace Flows.Benchmarks.Micro;

/// <summary>The packet path over a generated capture of small connections, 96 bytes of each packet. Compare the rows' ratios, not their times.</summary>
[MemoryDiagnoser]
public class TrackBenchmarks
{
    private const int Connections = 20_000;

    private readonly ObservationPoint point = new("bench", "bench");
    private byte[] capture = [];
    private FlowBatchBuilder builder = new();

    [GlobalSetup]
    public void Generate() => capture = new MicroCapture(new MicroOptions(Connections, Seed: 1, Snaplen: 96)).ToPcap().ToArray();

    /// <summary>The floor: bytes of the file to packets.</summary>
    [Benchmark(Baseline = true)]
    public long Read()
    {
        using var reader = Open();
        var bytes = 0L;
        while (reader.TryReadNext(out var packet))
        {
            bytes += packet.WireLength;
        }

        return bytes;
    }

    [Benchmark]
    public int ReadDecode()
    {
        using var reader = Open();
        var good = 0;
        while (reader.TryReadNext(out var packet))
        {
            DecodedPacket decoded = default;
            good += PacketDecoder.Decode(packet.Data, packet.LinkType, packet.WireLength, ref decoded) == DecodeResult.Ok ? 1 : 0;
        }

        return good;
    }

    [Benchmark]
    public long ReadDecodeTrack() => Track((in FlowRow row) => { });

    [Benchmark]
    public long ReadDecodeTrackBatch()
    {
        builder = new FlowBatchBuilder();
        return Track((in FlowRow row) =>
        {
            builder.Append(in row);
            if (builder.IsFull)
            {
                builder.Build().Dispose();
            }
        });
    }

    private long Track(FlowSink sink)
    {
        using var reader = Open();
        var tracker = new PacketTracker(new FlowTable(point, FlowSource.File, new FlowTableOptions(), sink), PacketTracker.NewAccount());
        while (reader.TryReadNext(out var packet))
        {
            tracker.Track(packet.Data, packet.LinkType, packet.WireLength, packet.TimestampUs);
        }

        tracker.Finish();
        return tracker.Table.Rows;
    }

    private CaptureFileReader Open() => CaptureFileReader.Open(new MemoryStream(capture), "generated");
}
