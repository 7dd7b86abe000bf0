using System.Threading.Channels;
using Apache.Arrow;
using Flows.Core.Accounting;
using Flows.Core.Facts;

namespace Flows.Capture.Batching;

/// <summary>
/// Collects rows from any number of sources into batches, and hands each to the channel when it is full or old. Thread safe. Whoever
/// reads the channel owns the batch.
/// </summary>
public sealed class Batcher : IDisposable
{
    private readonly ChannelWriter<RecordBatch> channel;
    private readonly BatcherOptions options;
    private readonly ITimer timer;
    private readonly Lock gate = new();
    private readonly FlowBatchBuilder builder;
    private bool aged;
    private bool completed;

    public Batcher(ChannelWriter<RecordBatch> channel, BatcherOptions options, TimeProvider time)
    {
        (this.channel, this.options) = (channel, options);
        builder = new FlowBatchBuilder(options.BatchRowsMax);
        Account = new HopAccount("batcher", "rows", () => builder.Count);
        timer = time.CreateTimer(_ => SendAged(), null, options.BatchAgeMax, options.BatchAgeMax);
    }

    /// <summary>The hop <c>batcher</c> in rows: seen = forwarded (to the channel) + dropped{channel_full} + in flight.</summary>
    public HopAccount Account { get; }

    /// <summary>Takes a row.</summary>
    public void Append(in FlowRow row)
    {
        lock (gate)
        {
            Account.Seen();
            builder.Append(in row);
            if (builder.IsFull)
            {
                Send();
            }
        }
    }

    /// <summary>Sends what is left and completes the channel. No row may follow.</summary>
    public void Complete()
    {
        lock (gate)
        {
            if (completed)
            {
                return;
            }

            completed = true;
            Send();
            channel.Complete();
        }
    }

    public void Dispose() => timer.Dispose();

    /// <summary>Sends a batch that has waited a whole interval: a row leaves after one to two of them.</summary>
    private void SendAged()
    {
        lock (gate)
        {
            if (aged && !completed)
            {
                Send();
            }

            aged = builder.Count > 0;
        }
    }

    private void Send()
    {
        aged = false;
        var rows = builder.Count;
        if (rows == 0)
        {
            return;
        }

        var batch = builder.Build();
        if (channel.TryWrite(batch) || (options.WaitForRoom && WriteWhenThereIsRoom(batch)))
        {
            Account.Forwarded(rows);
            return;
        }

        Account.Dropped("channel_full", rows);
        batch.Dispose();
    }

    /// <summary>Blocks the source, which is what a file is for; the reader needs no lock of ours to go on.</summary>
    private bool WriteWhenThereIsRoom(RecordBatch batch)
    {
        while (channel.WaitToWriteAsync().AsTask().GetAwaiter().GetResult())
        {
            if (channel.TryWrite(batch))
            {
                return true;
            }
        }

        return false;
    }
}
