using Flows.Capture;
using Flows.Core;
using Flows.Core.Accounting;
using Flows.Inventory.Host;
using Flows.Transport;
using Flows.Transport.Intake;

namespace Flows;

/// <summary>
/// The data path on one screen. ▷ is a bounded channel or a durable log; everything else is a call.
/// <code>
/// collect:  sources ─> Batcher ─▷ Spool ─▷ Sender ══HTTP/2══▷ (serve)
/// serve:    FlowsWeb ─> Intake ─▷ Keeper ─> FlowStore ─> StoreReader ─> FlowsWeb
/// up:       sources ─> Batcher ─▷ Intake ─▷ Keeper ─> FlowStore ─> StoreReader ─> FlowsWeb
/// </code>
/// Each part starts in the order of the data and stops in it, too: sources first, so that what was seen still flows out.
/// </summary>
internal static class Pipeline
{
    // How long a stopping collector tries to hand over what it has; the rest waits on disk for the next start.
    private static readonly TimeSpan DrainGrace = TimeSpan.FromSeconds(8);

    // Names and owners travel with the reports: this is how long a flow may be known before its owner is.
    private static readonly TimeSpan ReportEvery = TimeSpan.FromSeconds(5);

    /// <summary>Collects and ships until cancelled.</summary>
    public static async Task CollectAsync(CollectorOptions options, TimeProvider time, CancellationToken cancellation)
    {
        using var spool = Spool.Open(options.SpoolDirectory, options.Sources.Node, options.Sources.Scope, new SpoolOptions(), time);
        using var sender = new Sender(spool, new SenderOptions { Server = options.Server }, time);
        await using var collection = new Collection(options.Sources with { MemoryDirectory = options.SpoolDirectory }, time);
        using var host = new HostReporter(new HostFiles(options.Sources.HostRoot), options.Sources.CloudMetadata, collection.Notes, time);
        using var stopSending = new CancellationTokenSource();
        var books = new Books(options.Sources.Node, time, [.. collection.Accounts, spool.Account], collection.Notes);

        // 1. From the channel to the disk, from the disk to the server; reports travel with the batches.
        var spooling = SpoolAllAsync(collection, spool);
        var sending = sender.RunAsync(stopSending.Token);
        var reporting = books.EveryAsync(ReportEvery, report => SpoolAsync(report, spool, collection.Notes), stopSending.Token);
        var describing = host.RunAsync(stopSending.Token);
        var announcing = Announce.CollectingAsync(options, collection);
        var complaining = Announce.ProblemsAsync(sender, time, stopSending.Token);

        // 2. Watch. When it is time to end, the sources end first.
        try
        {
            await collection.RunAsync(cancellation).ConfigureAwait(false);
        }
        finally
        {
            await announcing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await spooling.ConfigureAwait(false);

            // 3. Hand over what is there, then the last account, which covers all of it.
            await stopSending.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(sending, reporting, describing, complaining).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (await sender.DrainAsync(DrainGrace, CancellationToken.None).ConfigureAwait(false))
            {
                await spool.AppendAsync(books.Report(), CancellationToken.None).ConfigureAwait(false);
                await sender.DrainAsync(DrainGrace, CancellationToken.None).ConfigureAwait(false);
            }

            Announce.Left(sender, spool);
        }
    }

    /// <summary>Receives, keeps and shows until cancelled.</summary>
    public static async Task ServeAsync(ServerOptions options, TimeProvider time, CancellationToken cancellation)
    {
        await using var server = await Server.StartAsync(options, time).ConfigureAwait(false);
        Announce.Serving(server);
        await server.RunAsync(cancellation).ConfigureAwait(false);
    }

    /// <summary>Collects, keeps and shows in this one process until cancelled.</summary>
    public static async Task UpAsync(ServerOptions options, SourceOptions sources, TimeProvider time, CancellationToken cancellation)
    {
        await using var collection = new Collection(sources with { MemoryDirectory = Path.Combine(options.StoreDirectory, "log") }, time);
        await using var server = await Server.StartAsync(options, time, collection.Accounts, () => collection.Notes.Coverage).ConfigureAwait(false);
        Announce.Serving(server);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        using var stopServing = new CancellationTokenSource();
        var local = new LocalIntake(server.Intake, sources.Node, sources.Scope);
        using var host = new HostReporter(new HostFiles(sources.HostRoot), sources.CloudMetadata, collection.Notes, time);
        var books = new Books(sources.Node, time, collection.Accounts, collection.Notes);

        var keeping = local.TakeAllAsync(collection.Batches);
        var reporting = books.EveryAsync(ReportEvery, local.TakeAsync, ending.Token);
        var serving = server.RunAsync(stopServing.Token);
        var describing = host.RunAsync(ending.Token);
        var announcing = Announce.WarningsAsync(collection);
        try
        {
            // Whichever ends first, by request or by a fault, ends the other.
            await await Task.WhenAny(collection.RunAsync(ending.Token), serving).ConfigureAwait(false);
        }
        finally
        {
            await ending.CancelAsync().ConfigureAwait(false);
            await announcing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await Task.WhenAll(keeping, reporting, describing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await local.TakeAsync(books.Report()).ConfigureAwait(false);

            // The server ends last: what the sources saw at the last moment is in the log by now, and its last act is to seal that.
            await stopServing.CancelAsync().ConfigureAwait(false);
            await serving.ConfigureAwait(false);
        }
    }

    /// <summary>The next report has newer books; what the sources noted is in this one alone, and waits where a full spool refuses it.</summary>
    private static async Task SpoolAsync(AccountReport report, Spool spool, NodeNotes notes)
    {
        if (!await spool.AppendAsync(report, CancellationToken.None).ConfigureAwait(false) && report.Facts is { } facts)
        {
            notes.Return(facts);
        }
    }

    private static async Task SpoolAllAsync(Collection collection, Spool spool)
    {
        await foreach (var batch in collection.Batches.ReadAllAsync().ConfigureAwait(false))
        {
            using (batch)
            {
                await spool.AppendAsync(batch, CancellationToken.None).ConfigureAwait(false);
            }
        }
    }
}

/// <summary>What <c>flows collect</c> was asked for.</summary>
internal sealed record CollectorOptions
{
    public required ServerAddress Server { get; init; }

    public required string SpoolDirectory { get; init; }

    public required SourceOptions Sources { get; init; }

    /// <summary>Print "ready" on standard output when every source watches, for whoever started this process.</summary>
    public bool SayWhenReady { get; init; }
}
