using BenchmarkDotNet.Attributes;
using Flows.Core.Facts;

namespace Flows.Benchmarks.Micro;

/// <summary>Rows into Arrow batches; the figures are for one row.</summary>
[MemoryDiagnoser]
public class BatchBenchmarks
{
    private const int Rows = 4096;

    private readonly FlowBatchBuilder builder = new();
    private readonly FlowRow row = new()
    {
        WindowStartUs = 1_760_000_000_000_000,
        WindowEndUs = 1_760_000_001_000_000,
        ConnStartUs = 1_760_000_000_000_000,
        ConnId = 1,
        Src = NetAddress.FromV4(0x0A00_0001),
        Dst = NetAddress.FromV4(0x0A00_0002),
        SrcPort = 40000,
        DstPort = 443,
        Protocol = IpProtocol.Tcp,
        Sampling = 1,
    };

    [Benchmark(OperationsPerInvoke = Rows)]
    public int Batch()
    {
        for (var count = 0; count < Rows; count++)
        {
            builder.Append(in row);
        }

        using var batch = builder.Build();
        return batch.Length;
    }
}
