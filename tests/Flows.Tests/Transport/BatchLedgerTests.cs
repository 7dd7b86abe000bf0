using CsCheck;
using Flows.Core.Facts;
using Flows.Transport.Intake;
using Xunit;

namespace Flows.Tests.Transport;

public sealed class BatchLedgerTests
{
    private static readonly Guid[] Collectors = [new("11111111-1111-1111-1111-111111111111"), new("22222222-2222-2222-2222-222222222222")];

    private static readonly Gen<BatchId> AnyId = Gen.Select(Gen.Int[0, 1], Gen.ULong[1, 2], Gen.ULong[0, 40], (c, e, s) => new BatchId(Collectors[c], e, s));

    [Fact]
    public void Ledger_remembers_like_a_set_in_any_order_and_through_a_snapshot() => AnyId.List[0, 200].Sample(ids =>
    {
        var ledger = new BatchLedger();
        var oracle = new HashSet<BatchId>();
        foreach (var (id, i) in ids.Select((id, i) => (id, i)))
        {
            Assert.Equal(oracle.Contains(id), ledger.Contains(id));
            Assert.Equal(oracle.Add(id), ledger.Add(id, atUs: 1));
            if (i == ids.Count / 2)
            {
                ledger = BatchLedger.TryRead(ledger.Write(nowUs: 2))!;
            }
        }
    });

    [Fact]
    public void Sequences_in_order_are_one_range_however_shuffled() => Gen.Shuffle(Enumerable.Range(0, 100).ToArray()).Sample(order =>
    {
        var ranges = new SequenceRanges();
        foreach (var sequence in order)
        {
            Assert.True(ranges.Add((ulong)sequence));
        }

        Assert.Equal((0ul, 99ul), Assert.Single(ranges.All));
    });

    [Fact]
    public void A_damaged_snapshot_is_refused()
    {
        var ledger = new BatchLedger();
        ledger.Add(new BatchId(Collectors[0], 1, 5), atUs: 1);
        var bytes = ledger.Write(nowUs: 2);
        for (var bit = 0; bit < bytes.Length * 8; bit++)
        {
            var damaged = bytes.ToArray();
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Null(BatchLedger.TryRead(damaged));
        }

        Assert.Null(BatchLedger.TryRead(bytes[..^1]));
    }

    [Fact]
    public void An_epoch_that_is_silent_too_long_is_forgotten()
    {
        var ledger = new BatchLedger();
        ledger.Add(new BatchId(Collectors[0], 1, 5), atUs: 0);
        ledger.Add(new BatchId(Collectors[1], 1, 5), atUs: 10);
        ledger.Write(BatchLedger.KeepUs + 5);
        Assert.False(ledger.Contains(new BatchId(Collectors[0], 1, 5)));
        Assert.True(ledger.Contains(new BatchId(Collectors[1], 1, 5)));
    }
}
