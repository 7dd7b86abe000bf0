using System.Threading.Channels;
using Apache.Arrow;
using Flows.Capture;
using Flows.Capture.Batching;
using Flows.Capture.Conntrack;
using Flows.Core.Accounting;

namespace Flows.Benchmarks.Conntrack;

/// <summary>The product's way from netlink to Arrow batches, as in <c>flows collect --conntrack</c>, without the spool behind it.</summary>
internal static class ConntrackReceiver
{
    private const int BatchesMax = 16;

    public static async Task<Received> RunAsync(uint groups, CancellationToken stop)
    {
        var batches = Channel.CreateBounded<RecordBatch>(new BoundedChannelOptions(BatchesMax) { SingleReader = true });
        await using var batcher = new Batcher(batches.Writer, new BatcherOptions(), TimeProvider.System);
        var events = new HopAccount("conntrack", "events");
        var options = new ConntrackSourceOptions { Groups = groups };
        var source = new ConntrackSource(new ObservationPoint("bench", "bench"), batcher.AppendOrDrop, events, TimeProvider.System, options);
        var draining = BatchDrain.CountAsync(batches.Reader);
        var running = source.RunAsync(stop);
        await source.Started.ConfigureAwait(false);
        Console.Out.WriteLine(ReceiverCommand.Ready);
        await running.ConfigureAwait(false);
        await batcher.CompleteAsync(CancellationToken.None).ConfigureAwait(false);
        var report = events.Report();
        return new Received(report.Seen, report.DroppedTotal + batcher.Account.Report().DroppedTotal, await draining.ConfigureAwait(false));
    }
}
