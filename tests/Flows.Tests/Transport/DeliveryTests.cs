using Flows.Core;
using Flows.Transport;
using Flows.Transport.Intake;
using Flows.Transport.Log;
using Xunit;

namespace Flows.Tests.Transport;

public sealed class DeliveryTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly TemporaryDirectory directory = new();
    private readonly Spool spool;
    private readonly Intake intake;

    public DeliveryTests()
    {
        spool = OpenSpool();
        intake = Intake.Open(directory["log"], 0, new IntakeOptions(), TimeProvider.System);
    }

    public void Dispose()
    {
        spool.Dispose();
        intake.Dispose();
        directory.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Batches_arrive_once_and_in_order(bool overSocket)
    {
        await using var server = await DeliveryServer.StartAsync(intake, socket: overSocket ? directory["flows.sock"] : null);
        await SpoolAsync(5);
        Assert.True(await DrainAsync(server.Address));
        Assert.Equal(Connections(5), Received());
        Assert.True(spool.Account.Report() is { Holds: true, Forwarded: 50, InFlight: 0 });
    }

    [Fact]
    public async Task A_server_that_is_away_delays_and_loses_nothing()
    {
        var server = await DeliveryServer.StartAsync(intake);
        var address = server.Address;
        using var sender = new Sender(spool, new SenderOptions { Server = address }, TimeProvider.System);
        using var stop = new CancellationTokenSource();
        var running = sender.RunAsync(stop.Token);
        await SpoolAsync(1);
        await UntilAsync(() => sender.Status.Acknowledged == 1);
        await server.DisposeAsync();

        await SpoolAsync(3, from: 1);
        await UntilAsync(() => sender.Status.Problem is not null);
        Assert.Equal(30, spool.Account.Report().InFlight);

        await using var again = await DeliveryServer.StartAsync(intake, port: address.Uri.Port);
        await UntilAsync(() => sender.Status.Acknowledged == 4);
        await stop.CancelAsync();
        await running;
        Assert.Equal(Connections(4), Received());
        Assert.Null(sender.Status.Problem);
    }

    [Fact]
    public async Task Lost_answers_lead_to_one_copy()
    {
        var lost = 0;
        await using var server = await DeliveryServer.StartAsync(intake, loseAnswer: () => Interlocked.Increment(ref lost) is 1 or 2 or 4);
        await SpoolAsync(3);
        Assert.True(await DrainAsync(server.Address));
        Assert.Equal(Connections(3), Received());
        Assert.Equal(3, intake.Batches.Report().Dropped["duplicate"]);
    }

    [Fact]
    public async Task A_batch_refused_for_good_is_set_aside_and_the_queue_moves_on()
    {
        await SpoolAsync(1);
        using (var foreign = FlowBatches.Of(2, change: (ref Core.Facts.FlowRow row) => row.NodeId = 1))
        {
            await spool.AppendAsync(foreign, TestContext.Current.CancellationToken);
        }

        await SpoolAsync(1, from: 1);
        await using var server = await DeliveryServer.StartAsync(intake);
        Assert.True(await DrainAsync(server.Address));
        Assert.Equal(Connections(2), Received());
        Assert.Equal(2, spool.Account.Report().Dropped["server_rejected"]);
        Assert.Equal(3, intake.Batches.Report().Dropped["node_mismatch"]);
        Assert.Contains("node_id", File.ReadAllText(Assert.Single(Directory.GetFiles(directory["spool/dead"], "*.reason"))), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_answer_that_does_not_speak_of_the_batch_never_condemns_it()
    {
        int[] answers = [503, 404, 403, 500, 429];
        var asked = -1;
        await using var server = await DeliveryServer.StartAsync(intake, before: () => Interlocked.Increment(ref asked) < answers.Length ? answers[asked] : null);
        await SpoolAsync(2);
        Assert.True(await DrainAsync(server.Address));
        Assert.Equal(Connections(2), Received());
    }

    [Fact]
    public async Task A_grace_period_ends_and_the_rest_stays_for_the_next_start()
    {
        await SpoolAsync(2);
        using (var sender = new Sender(spool, new SenderOptions { Server = ServerAddress.Parse("http://127.0.0.1:1") }, TimeProvider.System))
        {
            Assert.False(await sender.DrainAsync(TimeSpan.FromSeconds(0.5), TestContext.Current.CancellationToken));
        }

        var epoch = spool.Peek()!.Value.Batch.Id;
        spool.Dispose();
        using var reopened = OpenSpool();
        Assert.Equal(epoch, reopened.Peek()!.Value.Batch.Id);
        Assert.True(reopened.Account.Report() is { Holds: true, InFlight: 20 });
        await using var server = await DeliveryServer.StartAsync(intake);
        using var next = new Sender(reopened, new SenderOptions { Server = server.Address }, TimeProvider.System);
        Assert.True(await next.DrainAsync(Patience, TestContext.Current.CancellationToken));
        Assert.Equal(Connections(2), Received());
    }

    [Fact]
    public async Task A_full_spool_refuses_the_newest_and_counts_its_rows()
    {
        using var small = Spool.Open(
            directory["small"], FlowBatches.Node, FlowBatches.Scope, new SpoolOptions { Log = new SegmentLogOptions { BytesMax = 20_000 } }, TimeProvider.System);
        using var batch = FlowBatches.Of(10);
        var kept = 0;
        while (await small.AppendAsync(batch, TestContext.Current.CancellationToken))
        {
            kept++;
        }

        var report = small.Account.Report();
        Assert.Equal((kept * 10, 10, true), (report.InFlight, report.Dropped["spool_full"], report.Holds));
    }

    [Fact]
    public void Waits_double_with_jitter_and_honour_what_the_server_asks()
    {
        var backoff = new Backoff(new Random(1));
        var waits = Enumerable.Range(0, 12).Select(_ => backoff.Next(null).TotalSeconds).ToArray();
        Assert.All(waits, (wait, i) => Assert.InRange(wait, Math.Min(30, 0.2 * Math.Pow(2, i)) / 2, Math.Min(30, 0.2 * Math.Pow(2, i))));
        Assert.InRange(backoff.Next(TimeSpan.FromSeconds(60)).TotalSeconds, 60, 75);
        backoff.Reset();
        Assert.InRange(backoff.Next(null).TotalSeconds, 0.1, 0.2);
    }

    [Theory]
    [InlineData("ftp://x")]
    [InlineData("unix:relative")]
    [InlineData("http://host/path")]
    [InlineData("127.0.0.1:4739")]
    public void An_address_that_is_none_is_explained(string text) =>
        Assert.Contains("write http://", Assert.Throws<FlowsException>(() => ServerAddress.Parse(text)).Message, StringComparison.Ordinal);

    private Spool OpenSpool() => Spool.Open(directory["spool"], FlowBatches.Node, FlowBatches.Scope, new SpoolOptions(), TimeProvider.System);

    private async Task SpoolAsync(int batches, int from = 0)
    {
        for (var i = from; i < from + batches; i++)
        {
            using var batch = FlowBatches.Of(10, (ulong)i * 10);
            Assert.True(await spool.AppendAsync(batch, TestContext.Current.CancellationToken));
        }
    }

    private async Task<bool> DrainAsync(ServerAddress address)
    {
        using var sender = new Sender(spool, new SenderOptions { Server = address }, TimeProvider.System);
        return await sender.DrainAsync(Patience, TestContext.Current.CancellationToken);
    }

    private static IEnumerable<ulong> Connections(int batches) => Enumerable.Range(0, batches * 10).Select(i => (ulong)i);

    private IEnumerable<ulong> Received() => intake.ReadUnsealed(1000)
        .SelectMany(record => ((Apache.Arrow.UInt64Array)record.Flows!.Column("conn_id")).Values.ToArray());

    private static async Task UntilAsync(Func<bool> condition)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (!condition())
        {
            await Task.Delay(20, patience.Token);
        }
    }
}
