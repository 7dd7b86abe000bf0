using System.Buffers.Binary;
using CsCheck;
using Flows.Core;
using Flows.Transport.Log;
using Xunit;

namespace Flows.Tests.Transport;

public sealed class SegmentLogTests : IDisposable
{
    private static readonly SegmentLogOptions Small = new() { SegmentBytes = 1024, BytesMax = 64 * 1024, RecordBytesMax = 512 };

    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public void Records_come_back_in_order_across_segments_and_reopenings()
    {
        using (var log = Open())
        {
            AppendNumbers(log, 0, 100);
            Assert.True(log.Flush());
            Assert.Equal(Enumerable.Range(0, 100), Numbers(log));
        }

        using var reopened = Open();
        AppendNumbers(reopened, 100, 20);
        Assert.True(reopened.Flush());
        Assert.Equal(Enumerable.Range(0, 120), Numbers(reopened));
        Assert.Equal(default, reopened.Damage);
        Assert.True(Files().Length > 5);
    }

    [Fact]
    public void Records_are_invisible_until_they_are_durable()
    {
        using var log = Open();
        AppendNumbers(log, 0, 3);
        Assert.Empty(Numbers(log));
        Assert.True(log.Flush());
        Assert.Equal([0, 1, 2], Numbers(log));
    }

    [Fact]
    public void Trim_deletes_whole_segments_and_numbers_go_on()
    {
        using (var log = Open())
        {
            AppendNumbers(log, 0, 100);
            log.Flush();
            var before = Files().Length;
            Assert.True(log.CanTrimBefore(60));
            log.TrimBefore(60);
            Assert.True(Files().Length < before);
            Assert.InRange(log.First, 1ul, 60ul);
            Assert.Equal(Enumerable.Range(60, 40), Numbers(log, 60));
            log.TrimBefore(100);
        }

        using var reopened = Open();
        Assert.Equal(100ul, reopened.Next);
    }

    [Fact]
    public void A_torn_tail_is_cut_off_and_counted_once()
    {
        WriteNumbers(30);
        var newest = Files()[^1];
        using (var file = File.OpenWrite(newest))
        {
            file.SetLength(file.Length - 5);
        }

        using (var log = Open())
        {
            Assert.Equal(Enumerable.Range(0, 29), Numbers(log));
            Assert.True(log.Damage.BytesTruncated > 0);
        }

        using var again = Open();
        Assert.Equal(default, again.Damage);
    }

    [Fact]
    public void A_tail_of_zeros_is_no_record()
    {
        WriteNumbers(30);
        using (var file = new FileStream(Files()[^1], FileMode.Append))
        {
            file.Write(new byte[4096]);
        }

        using var log = Open();
        Assert.Equal(Enumerable.Range(0, 30), Numbers(log));
        Assert.Equal(4096, log.Damage.BytesTruncated);
    }

    [Fact]
    public void A_segment_in_which_nothing_is_readable_is_set_aside()
    {
        WriteNumbers(60);
        File.WriteAllBytes(Files()[1], new byte[700]);
        using var log = Open();
        Assert.Equal(1, log.Damage.SegmentsQuarantined);
        Assert.Single(Directory.GetFiles(directory.Path, "*.bad"));
        Assert.Contains(59, Numbers(log));
    }

    [Fact]
    public void A_missing_segment_costs_its_records_only()
    {
        WriteNumbers(100);
        File.Delete(Files()[1]);
        using var log = Open();
        var numbers = Numbers(log);
        Assert.InRange(numbers.Count, 50, 95);
        Assert.Equal([0, 99], [numbers[0], numbers[^1]]);
        Assert.Equal(numbers.Order(), numbers);
    }

    [Fact]
    public void A_segment_that_vanishes_while_open_is_skipped()
    {
        using var log = Open();
        AppendNumbers(log, 0, 100);
        log.Flush();
        File.Delete(Files()[0]);
        Assert.Equal(99, Numbers(log)[^1]);
        Assert.True(log.Damage.RegionsSkipped > 0);
    }

    [Fact]
    public void A_flipped_bit_costs_at_most_the_record_it_hit() =>
        Gen.Select(Gen.Int[1, 60], Gen.Int[0, int.MaxValue], Gen.Int[0, 7]).Sample(
            (count, where, bit) =>
            {
                using var here = new TemporaryDirectory();
                WriteNumbers(count, here.Path);
                var files = Directory.GetFiles(here.Path, "*.log").Order().ToArray();
                var bytes = files.Select(File.ReadAllBytes).ToArray();
                var file = where % files.Length;
                bytes[file][where % bytes[file].Length] ^= (byte)(1 << bit);
                File.WriteAllBytes(files[file], bytes[file]);

                using var log = SegmentLog.Open(here.Path, Small);
                var left = Numbers(log);
                Assert.Equal(count - 1, left.Count);
                Assert.Equal(left.Count, left.Intersect(Enumerable.Range(0, count)).Count());
                Assert.True(log.Damage != default);
            },
            iter: 60, threads: 1);

    [Fact]
    public void Truncation_anywhere_leaves_a_prefix() =>
        Gen.Select(Gen.Int[1, 12], Gen.Int[0, 10_000]).Sample(
            (count, cut) =>
            {
                using var here = new TemporaryDirectory();
                WriteNumbers(count, here.Path);
                var file = Directory.GetFiles(here.Path, "*.log").Order().Last();
                using (var stream = File.OpenWrite(file))
                {
                    stream.SetLength(cut % (stream.Length + 1));
                }

                using var log = SegmentLog.Open(here.Path, Small);
                Assert.Equal(Enumerable.Range(0, Numbers(log).Count), Numbers(log));
            },
            iter: 40, threads: 1);

    [Fact]
    public void A_full_log_refuses_the_newest_and_takes_again_after_a_trim()
    {
        using var log = Open();
        var appended = 0;
        while (log.Append(new byte[500]).Outcome == AppendOutcome.Appended)
        {
            appended++;
        }

        Assert.InRange(log.Bytes, Small.BytesMax - 600, Small.BytesMax);
        Assert.True(log.Flush());
        Assert.Equal(AppendOutcome.Full, log.Append(new byte[500]).Outcome);
        log.TrimBefore((ulong)appended);
        Assert.Equal(new AppendResult(AppendOutcome.Appended, (ulong)appended), log.Append(new byte[500]));
    }

    [Fact]
    public void A_second_user_of_the_directory_is_told_so()
    {
        using var log = Open();
        var fault = Assert.Throws<FlowsException>(() => Open());
        Assert.Contains("another flows process", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Sequences_never_fall_below_the_remembered_minimum()
    {
        using var log = SegmentLog.Open(directory.Path, Small with { SequenceMin = 1000 });
        Assert.Equal(1000ul, log.Append("x"u8).Sequence);
    }

    [Fact]
    public void A_failed_sync_moves_everything_unsynced_to_a_new_file()
    {
        var failures = 0;
        var options = Small with
        {
            Sync = handle =>
            {
                if (failures-- > 0)
                {
                    throw new IOException("Input/output error");
                }

                RandomAccess.FlushToDisk(handle);
            },
        };
        using (var log = SegmentLog.Open(directory.Path, options))
        {
            AppendNumbers(log, 0, 5);
            Assert.True(log.Flush());
            AppendNumbers(log, 5, 5);
            failures = 1;
            Assert.True(log.Flush());
            Assert.Equal(Enumerable.Range(0, 10), Numbers(log));
            Assert.Equal(1, log.Damage.SyncFailures);

            AppendNumbers(log, 10, 5);
            failures = 1000;
            Assert.False(log.Flush());
            Assert.Equal(10, Numbers(log).Count);
            failures = 0;
            Assert.True(log.Flush());
            Assert.Equal(Enumerable.Range(0, 15), Numbers(log));
        }

        using var reopened = Open();
        Assert.Equal(Enumerable.Range(0, 15), Numbers(reopened));
    }

    [Fact]
    public async Task Concurrent_appenders_share_syncs()
    {
        var syncs = 0;
        var options = Small with
        {
            SegmentBytes = 1 << 20,
            BytesMax = 8 << 20,
            Sync = handle =>
            {
                Interlocked.Increment(ref syncs);
                Thread.Sleep(5); // A disk takes its time; that is when appenders gather.
                RandomAccess.FlushToDisk(handle);
            },
        };
        using var log = SegmentLog.Open(directory.Path, options);
        var results = await Task.WhenAll(Enumerable.Range(0, 200).Select(i => Task.Run(
            async () => await log.AppendDurableAsync(Number(i), TestContext.Current.CancellationToken))));
        Assert.All(results, result => Assert.Equal(AppendOutcome.Appended, result.Outcome));
        Assert.Equal(200, results.Select(result => result.Sequence).Distinct().Count());
        Assert.Equal(200ul, log.DurableEnd);
        Assert.InRange(syncs, 1, 100);
    }

    private SegmentLog Open() => SegmentLog.Open(directory.Path, Small);

    private string[] Files() => [.. Directory.GetFiles(directory.Path, "*.log").Order()];

    private void WriteNumbers(int count, string? path = null)
    {
        using var log = SegmentLog.Open(path ?? directory.Path, Small);
        AppendNumbers(log, 0, count);
    }

    private static void AppendNumbers(SegmentLog log, int from, int count)
    {
        for (var i = from; i < from + count; i++)
        {
            Assert.Equal(AppendOutcome.Appended, log.Append(Number(i)).Outcome);
        }
    }

    private static byte[] Number(int number)
    {
        var bytes = new byte[4 + (number * 7 % 100)];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, number);
        return bytes;
    }

    private static List<int> Numbers(SegmentLog log, ulong from = 0)
    {
        var numbers = new List<int>();
        while (log.Read(from, recordsMax: 7, bytesMax: 1000) is { Count: > 0 } records)
        {
            numbers.AddRange(records.Select(record => BinaryPrimitives.ReadInt32LittleEndian(record.Payload.Span)));
            from = records[^1].Sequence + 1;
        }

        return numbers;
    }
}
