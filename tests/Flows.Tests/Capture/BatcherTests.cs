using System.Threading.Channels;
using Apache.Arrow;
using Flows.Capture.Batching;
using Flows.Core.Facts;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Flows.Tests.Capture;

public sealed class BatcherTests
{
    private readonly FakeTimeProvider time = new();
    private readonly Channel<RecordBatch> channel = Channel.CreateBounded<RecordBatch>(1);

    [Fact]
    public async Task A_batch_leaves_when_full_and_what_is_left_leaves_by_age()
    {
        await using var batcher = NewBatcher();
        Append(batcher, 5);
        Assert.Equal(4, Take());
        Assert.Equal(0, Take());
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(1, Take());

        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(0, Take());
        var report = batcher.Account.Report();
        Assert.Equal((5, 5, 0), (report.Seen, report.Forwarded, report.InFlight));
    }

    [Fact]
    public async Task A_full_channel_costs_live_rows_only_when_a_held_and_a_new_batch_are_full_too()
    {
        await using var batcher = NewBatcher();
        Append(batcher, 20);

        var report = batcher.Account.Report();
        Assert.Equal((20, 4, 8, 8L), (report.Seen, report.Forwarded, report.InFlight, report.Dropped["channel_full"]));
        Assert.True(report.Holds);
        Assert.Equal(4, Take());
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(4, Take());
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(4, Take());
        Assert.True(batcher.Account.Report().Holds);
    }

    [Fact]
    public async Task A_file_waits_for_room_and_loses_nothing()
    {
        await using var batcher = NewBatcher();
        var cancel = TestContext.Current.CancellationToken;
        var source = Task.Factory.StartNew(() =>
        {
            for (var row = 0; row < 1003; row++)
            {
                batcher.AppendOrWait(new FlowRow { WindowNo = (uint)row });
            }
        }, cancel, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        var complete = source.ContinueWith(async _ => await batcher.CompleteAsync(cancel), cancel, TaskContinuationOptions.None, TaskScheduler.Default).Unwrap();

        var rows = 0;
        await foreach (var batch in channel.Reader.ReadAllAsync(cancel))
        {
            rows += batch.Length;
            batch.Dispose();
        }

        await complete;
        Assert.Equal(1003, rows);
        Assert.Equal((1003, 1003, 0), (batcher.Account.Report().Seen, batcher.Account.Report().Forwarded, batcher.Account.Report().InFlight));
    }

    private Batcher NewBatcher() => new(channel.Writer, new BatcherOptions { BatchRowsMax = 4 }, time);

    private static void Append(Batcher batcher, int rows)
    {
        for (; rows > 0; rows--)
        {
            batcher.AppendOrDrop(default);
        }
    }

    private int Take()
    {
        if (!channel.Reader.TryRead(out var batch))
        {
            return 0;
        }

        using (batch)
        {
            return batch.Length;
        }
    }
}
