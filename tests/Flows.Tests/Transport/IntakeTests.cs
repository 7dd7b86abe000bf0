using Flows.Core.Accounting;
using Flows.Core.Facts;
using Flows.Transport;
using Flows.Transport.Intake;
using Flows.Transport.Log;
using Xunit;

namespace Flows.Tests.Transport;

public sealed class IntakeTests : IDisposable
{
    private static readonly Guid Collector = Guid.NewGuid();
    private static readonly IntakeOptions Small = new() { Log = new SegmentLogOptions { SegmentBytes = 16 << 10, BytesMax = 1 << 20 } };

    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public async Task Batch_is_stored_once_and_read_back()
    {
        using var intake = Open();
        Assert.Equal(ReceiveOutcome.Stored, await SendAsync(intake, 0));
        Assert.Equal(ReceiveOutcome.Duplicate, await SendAsync(intake, 0));
        var record = Assert.Single(intake.ReadUnsealed(10));
        using var expected = FlowBatches.Of(5, 0);
        Assert.Equal(FlowBatches.Text(expected), FlowBatches.Text(record.Flows!));
        Assert.Equal((Collector, FlowBatches.Node, FlowBatches.Scope), (record.Id.Collector, record.Node, record.Scope));

        Assert.Equal(5, intake.Rows.Report().InFlight);
        intake.Trim(record.Position + 1);
        Assert.Empty(intake.ReadUnsealed(10));
        var (rows, batches) = (intake.Rows.Report(), intake.Batches.Report());
        Assert.Equal((5, 5, 0), (rows.Seen, rows.Forwarded, rows.InFlight));
        Assert.Equal((2, 1, 1), (batches.Seen, batches.Forwarded, batches.Dropped["duplicate"]));
    }

    [Fact]
    public async Task Two_copies_at_one_time_are_stored_once()
    {
        using var intake = Open();
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 64).Select(i => Task.Run(() => SendAsync(intake, (ulong)i % 4))));
        Assert.Equal(4, outcomes.Count(outcome => outcome == ReceiveOutcome.Stored));
        Assert.Equal(60, outcomes.Count(outcome => outcome == ReceiveOutcome.Duplicate));
        Assert.Equal(20, intake.ReadUnsealed(100).Sum(record => record.Flows!.Length));
    }

    [Fact]
    public async Task Duplicates_are_known_after_trims_and_restarts()
    {
        var sealedBefore = 0ul;
        for (var round = 0; round < 4; round++)
        {
            using var intake = Open(sealedBefore);
            for (var sequence = 0ul; sequence < 10ul * (ulong)(round + 1); sequence++)
            {
                var expected = sequence < 10ul * (ulong)round ? ReceiveOutcome.Duplicate : ReceiveOutcome.Stored;
                Assert.Equal(expected, await SendAsync(intake, sequence, rows: 50));
            }

            var unsealed = intake.ReadUnsealed(1000);
            Assert.Equal(10, unsealed.Count);
            sealedBefore = unsealed[^1].Position + 1;
            intake.Trim(sealedBefore);
        }

        Assert.True(File.Exists(directory["ledger"]));
    }

    [Fact]
    public async Task Unsealed_records_survive_a_restart_and_sealed_ones_are_not_read_again()
    {
        using (var intake = Open())
        {
            await SendAsync(intake, 0);
            await SendAsync(intake, 1);
        }

        using var reopened = Open(sealedBefore: 1);
        Assert.Equal(1ul, Assert.Single(reopened.ReadUnsealed(10)).Position);
        Assert.True(reopened.Rows.Report() is { Holds: true, InFlight: 5 });
    }

    [Fact]
    public async Task A_lost_log_does_not_give_out_sealed_positions()
    {
        using (var intake = Open())
        {
            await SendAsync(intake, 0);
        }

        foreach (var file in Directory.GetFiles(directory.Path, "*.log"))
        {
            File.Delete(file);
        }

        using var reopened = Open(sealedBefore: 1);
        Assert.Equal(ReceiveOutcome.Stored, await SendAsync(reopened, 7));
        Assert.Equal(1ul, Assert.Single(reopened.ReadUnsealed(10)).Position);
    }

    [Fact]
    public async Task Bad_batches_are_refused_with_a_reason_and_counted()
    {
        using var intake = Open();
        Assert.Equal(ReceiveOutcome.Malformed, (await SendBytesAsync(intake, 0, new byte[100])).Outcome);
        using var foreign = FlowBatches.Of(2, change: (ref FlowRow row) => row.NodeId = 1);
        var mismatch = await SendBytesAsync(intake, 1, FlowIpc.Write(foreign));
        Assert.Equal((ReceiveOutcome.NodeMismatch, 422), (mismatch.Outcome, mismatch.HttpStatus));
        Assert.Equal(ReceiveOutcome.TooLarge, (await SendBytesAsync(intake, 2, new byte[(8 << 20) + 1])).Outcome);
        Assert.Equal(ReceiveOutcome.TooLarge, (await SendBytesAsync(intake, 2, new byte[(8 << 20) + 1], announce: false)).Outcome);
        var report = intake.Batches.Report();
        Assert.True(report.Holds);
        Assert.Equal((2, 1, 1), (report.Dropped["too_large"], report.Dropped["malformed"], report.Dropped["node_mismatch"]));
        Assert.Equal(ReceiveOutcome.Stored, await SendAsync(intake, 0));
    }

    [Fact]
    public async Task A_full_log_asks_the_collector_to_come_back()
    {
        using var intake = Open();
        var sequence = 0ul;
        while (await SendAsync(intake, sequence, rows: 2000) == ReceiveOutcome.Stored)
        {
            sequence++;
        }

        using var batch = FlowBatches.Of(2000);
        var refused = await SendBytesAsync(intake, sequence, FlowIpc.Write(batch));
        Assert.Equal((503, true), (refused.HttpStatus, refused.RetryAfter > TimeSpan.Zero));
        intake.Trim(sequence);
        Assert.Equal(ReceiveOutcome.Stored, await SendAsync(intake, sequence, rows: 2000));
    }

    [Fact]
    public async Task Account_reports_travel_beside_flows()
    {
        using var intake = Open();
        var hop = new HopReport("spool", "rows", 3, 1, new Dictionary<string, long> { ["spool_full"] = 2 }, 0);
        var report = new AccountReport(FlowBatches.Node, Collector, 1, 2, [hop]);
        Assert.Equal(ReceiveOutcome.Stored, (await SendBytesAsync(intake, 0, TransportJson.Write(report), BatchKind.Account)).Outcome);
        var read = Assert.Single(intake.ReadUnsealed(1)).Account!;
        Assert.Equal((2L, 1), (read.Hops[0].Dropped["spool_full"], read.Hops.Count));
        Assert.Equal(ReceiveOutcome.NodeMismatch, (await SendBytesAsync(intake, 1, TransportJson.Write(report with { Node = "x" }), BatchKind.Account)).Outcome);
        foreach (var bad in (string[])["null", "[]", "{}", """{"node":"node-1"}""", "{\"node\":\"node-1\",\"process\":\"" + Collector + "\",\"since_us\":1,\"at_us\":2,\"hops\":[null]}"])
        {
            Assert.Equal(ReceiveOutcome.Malformed, (await SendBytesAsync(intake, 2, System.Text.Encoding.UTF8.GetBytes(bad), BatchKind.Account)).Outcome);
        }
    }

    [Fact]
    public async Task Damage_in_the_log_is_counted_in_rows()
    {
        using var intake = Open();
        await SendAsync(intake, 0);
        await SendAsync(intake, 1);
        await SendAsync(intake, 2);
        var file = Assert.Single(Directory.GetFiles(directory.Path, "*.log"));
        var length = new FileInfo(file).Length;
        using (var stream = new FileStream(file, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            stream.Position = length / 2;
            stream.Write([0xFF, 0xFE, 0xFD, 0xFC]);
        }

        Assert.Equal([0ul, 2ul], intake.ReadUnsealed(10).Select(record => record.Position));
        intake.Trim(3);
        var report = intake.Rows.Report();
        Assert.Equal((15, 10, 5, true), (report.Seen, report.Forwarded, report.Dropped["log_corrupt"], report.Holds));
    }

    [Fact]
    public async Task Local_batches_are_stored_once_too()
    {
        using var intake = Open();
        using var batch = FlowBatches.Of(4);
        var id = new BatchId(Collector, 9, 0);
        var token = TestContext.Current.CancellationToken;
        Assert.Equal(ReceiveOutcome.Stored, (await intake.AppendLocalAsync(id, FlowBatches.Node, FlowBatches.Scope, batch, token)).Outcome);
        Assert.Equal(ReceiveOutcome.Duplicate, (await intake.AppendLocalAsync(id, FlowBatches.Node, FlowBatches.Scope, batch, token)).Outcome);
        Assert.Equal(4, Assert.Single(intake.ReadUnsealed(10)).Flows!.Length);
    }

    private Intake Open(ulong sealedBefore = 0) => Intake.Open(directory.Path, sealedBefore, Small, TimeProvider.System);

    private static async Task<ReceiveOutcome> SendAsync(Intake intake, ulong sequence, int rows = 5)
    {
        using var batch = FlowBatches.Of(rows, sequence * 1000);
        return (await SendBytesAsync(intake, sequence, FlowIpc.Write(batch))).Outcome;
    }

    private static Task<ReceiveResult> SendBytesAsync(Intake intake, ulong sequence, byte[] body, BatchKind kind = BatchKind.Flows, bool announce = true) =>
        intake.ReceiveAsync(
            new BatchHeader(new BatchId(Collector, 1, sequence), FlowBatches.Node, FlowBatches.Scope, kind, announce ? body.Length : null),
            new MemoryStream(body),
            TestContext.Current.CancellationToken);
}
