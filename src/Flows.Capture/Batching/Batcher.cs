using System.Threading.Channels;
using Apache.Arrow;
using Flows.Core.Accounting;
using Flows.Core.Facts;

namespace Flows.Capture.Batching;

/// <summary>
/// Gathers rows from any number of source threads into record batches and gives them to a bounded channel, whose reader
/// disposes them. What waits here is at most one batch under construction and one that found the channel full.
/// </summary>
public sealed class Batcher : IAsyncDisposable
{
    private readonly Lock gate = new();
    private readonly ChannelWriter<RecordBatch> output;
    private readonly BatcherOptions options;
    private readonly FlowBatchBuilder builder;
    private readonly ITimer ageTimer;
    private RecordBatch? held;

    /// <param name="output">A bounded channel in wait mode; the batcher completes it.</param>
    /// <param name="options">Size and age of a batch.</param>
    /// <param name="time">Drives the age.</param>
    public Batcher(ChannelWriter<RecordBatch> output, BatcherOptions options, TimeProvider time)
    {
        this.output = output;
        this.options = options;
        builder = new FlowBatchBuilder(options.BatchRowsMax);
        Account = new HopAccount("rows", "rows", () => InFlight);
        ageTimer = time.CreateTimer(_ => ShipOld(), state: null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>The hop <c>rows</c>: seen = forwarded to the channel + dropped + waiting here.</summary>
    public HopAccount Account { get; }

    private long InFlight
    {
        get
        {
            lock (gate)
            {
                return builder.Count + (held?.Length ?? 0);
            }
        }
    }

    /// <summary>A <see cref="FlowSink"/> for live sources: it never waits. While the channel is full, the newest rows are dropped and counted.</summary>
    public void AppendOrDrop(in FlowRow row)
    {
        lock (gate)
        {
            Account.Seen();
            if (!TryAppend(in row))
            {
                Account.Dropped("channel_full");
            }
        }
    }

    /// <summary>A <see cref="FlowSink"/> for files, on their own thread: it waits while the channel is full.</summary>
    /// <exception cref="ChannelClosedException">The channel was completed, so the row has nowhere to go.</exception>
    public void AppendOrWait(in FlowRow row)
    {
        while (true)
        {
            lock (gate)
            {
                if (TryAppend(in row))
                {
                    Account.Seen();
                    return;
                }
            }

            // A source thread is a thread of its own: blocking it is the back-pressure.
            if (!output.WaitToWriteAsync().AsTask().GetAwaiter().GetResult())
            {
                throw new ChannelClosedException();
            }
        }
    }

    /// <summary>Gives everything gathered to the channel, and waits for room.</summary>
    public async ValueTask FlushAsync(CancellationToken stop)
    {
        while (true)
        {
            lock (gate)
            {
                if (TryShip() && TryShip())
                {
                    return;
                }
            }

            if (!await output.WaitToWriteAsync(stop))
            {
                throw new ChannelClosedException();
            }
        }
    }

    /// <summary>Flushes and completes the channel. The sources have ended before.</summary>
    public async ValueTask CompleteAsync(CancellationToken stop)
    {
        await FlushAsync(stop);
        output.TryComplete();
    }

    public ValueTask DisposeAsync() => ageTimer.DisposeAsync();

    private bool TryAppend(in FlowRow row)
    {
        if (builder.IsFull && !(TryShip() && builder.IsFull))
        {
            // A full builder means that a batch is held: that one has to go first.
            return false;
        }

        if (builder.IsFull)
        {
            TryShip();
        }

        builder.Append(in row);
        if (builder.Count == 1)
        {
            ageTimer.Change(options.BatchAgeMax, Timeout.InfiniteTimeSpan);
        }

        if (builder.IsFull)
        {
            TryShip();
        }

        return true;
    }

    /// <summary>Gives the held batch to the channel, or else the one under construction; false if it had to be held.</summary>
    private bool TryShip()
    {
        if (held is null)
        {
            if (builder.Count == 0)
            {
                return true;
            }

            held = builder.Build();
        }

        var rows = held.Length;
        if (!output.TryWrite(held))
        {
            return false;
        }

        // From here the batch belongs to the channel's reader, which may have disposed it already.
        held = null;
        Account.Forwarded(rows);
        return true;
    }

    private void ShipOld()
    {
        lock (gate)
        {
            if (!TryShip() || !TryShip())
            {
                ageTimer.Change(options.BatchAgeMax, Timeout.InfiniteTimeSpan);
            }
        }
    }
}
