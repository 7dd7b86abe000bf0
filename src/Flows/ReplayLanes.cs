using System.Threading.Channels;
using Apache.Arrow;
using Flows.Capture;
using Flows.Capture.Batching;
using Flows.Core.Accounting;

namespace Flows;

/// <summary>Takes and disposes the batches of one node until the channel completes.</summary>
internal delegate Task BatchTaker(string node, ChannelReader<RecordBatch> batches);

/// <summary>The ways of rows from capture files: for each node a batcher and a bounded channel, which the reading thread waits for.</summary>
internal sealed class ReplayLanes(BatchTaker take, TimeProvider time) : IAsyncDisposable
{
    // A file can wait for its reader, so few batches need to be under way.
    private const int BatchesMax = 4;

    private readonly List<(string Node, Batcher Batcher)> batchers = [];
    private readonly List<Task> keeping = [];

    /// <summary>The books of each node's batcher, named after the node.</summary>
    public IReadOnlyList<HopReport> Reports => [.. batchers.Select(one => one.Batcher.Account.Report() with { Hop = $"{one.Node}/{one.Batcher.Account.Hop}" })];

    public FlowSink Open(string node)
    {
        var channel = Channel.CreateBounded<RecordBatch>(new BoundedChannelOptions(BatchesMax) { SingleReader = true });
        var batcher = new Batcher(channel.Writer, new BatcherOptions(), time);
        batchers.Add((node, batcher));
        keeping.Add(take(node, channel.Reader));
        return batcher.AppendOrWait;
    }

    /// <summary>Returns when every batch is taken.</summary>
    public async Task CompleteAsync()
    {
        foreach (var (_, batcher) in batchers)
        {
            await batcher.CompleteAsync(CancellationToken.None).ConfigureAwait(false);
        }

        await Task.WhenAll(keeping).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var (_, batcher) in batchers)
        {
            await batcher.DisposeAsync().ConfigureAwait(false);
        }
    }
}
