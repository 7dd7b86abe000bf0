using Flows.Core;
using Flows.Core.Accounting;
using Flows.Core.Facts;
using Flows.Inventory.Kubernetes;
using Flows.Store;
using Flows.Transport;
using Flows.Transport.Intake;
using Flows.Web;
using Microsoft.AspNetCore.Http;

namespace Flows;

/// <summary>What <c>flows serve</c> and <c>flows up</c> were asked for.</summary>
internal sealed record ServerOptions
{
    public required string StoreDirectory { get; init; }

    public required IReadOnlyList<string> Listen { get; init; }

    public IReadOnlyList<string> Inventories { get; init; } = [];

    /// <summary>The address scope of inventory lines that name none.</summary>
    public string Scope { get; init; } = "default";

    /// <summary>Clusters to watch.</summary>
    public IReadOnlyList<KubernetesOptions> Clusters { get; init; } = [];

    public bool Insecure { get; init; }

    /// <summary>Policies that are not enforced, and of which it is written down what they would do.</summary>
    public IReadOnlyList<DraftOptions> Drafts { get; init; } = [];
}

/// <summary>The server's half: receive ─> log ─▷ seal ─> store ─> answers. Started in that order, stopped in it, too.</summary>
internal sealed class Server : IAsyncDisposable
{
    private static readonly TimeSpan RequestGrace = TimeSpan.FromSeconds(5);

    private readonly FlowStore store;
    private readonly StoreAnswers answers;
    private readonly FlowsWeb web;
    private readonly Inventories inventories;
    private readonly Clusters clusters;
    private readonly DraftWatch? drafts;

    private Server(
        FlowStore store, Keeper keeper, Inventories inventories, Clusters clusters, DraftWatch? drafts, StoreAnswers answers, FlowsWeb web, IReadOnlyList<HopAccount> accounts)
    {
        (this.store, Keeper, this.inventories, this.clusters, this.drafts, this.answers, this.web) = (store, keeper, inventories, clusters, drafts, answers, web);
        Accounts = accounts;
    }

    public Keeper Keeper { get; }

    public Intake Intake => Keeper.Intake;

    /// <summary>The books of this process, in the order of the data.</summary>
    public IReadOnlyList<HopAccount> Accounts { get; }

    /// <summary>Where it listens, as a client writes it.</summary>
    public IReadOnlyList<string> Addresses => web.Addresses;

    /// <param name="options">What was asked for.</param>
    /// <param name="time">The clock.</param>
    /// <param name="upstream">Books of hops of this process that lie before the log.</param>
    /// <param name="coverage">What the sources of this process see now.</param>
    /// <exception cref="FlowsException">The store cannot be written, or the address cannot be listened on.</exception>
    public static async Task<Server> StartAsync(ServerOptions options, TimeProvider time, IReadOnlyList<HopAccount>? upstream = null, Func<IReadOnlyList<CoverageFact>>? coverage = null)
    {
        FlowsWeb.Check(options.Listen, options.Insecure);
        List<DraftPolicies> drafts = [.. options.Drafts.Select(DraftPolicies.Open)];
        var store = FlowStore.Open(options.StoreDirectory, time, new StoreOptions());
        Keeper? keeper = null;
        try
        {
            keeper = Keeper.Open(options.StoreDirectory, store, time);
            var inventories = new Inventories(options.Inventories, options.Scope, keeper, time);
            inventories.ReadAll();
            var clusters = new Clusters(options.Clusters, store, keeper, time);
            keeper.SealAll();

            var accounts = (HopAccount[])[.. upstream ?? [], keeper.Intake.Batches, keeper.Intake.Rows, keeper.Account, inventories.Account, keeper.Hosts.Account];
            var answers = new StoreAnswers(options.StoreDirectory, store, time);
            var web = FlowsWeb.Create(new WebOptions { Listen = options.Listen, Insecure = options.Insecure }, new WebParts
            {
                Version = Product.Version,
                Time = time,
                Store = () => store.Health,
                Hops = () => [.. accounts.Select(account => account.Report())],
                Coverage = () => [.. coverage?.Invoke() ?? [], .. Contested(keeper, time), .. clusters.Coverage],
                Edges = answers.Edges,
                Query = answers.Query,
                Who = answers.Who,
                Policies = answers.Policies,
                Ingest = (headers, body, stopped) => ReceiveAsync(keeper.Intake, headers, body, stopped),
            });
            await web.StartAsync(CancellationToken.None).ConfigureAwait(false);
            var watch = drafts.Count == 0 ? null : new DraftWatch(drafts, store, options.StoreDirectory, time);
            return new Server(store, keeper, inventories, clusters, watch, answers, web, accounts);
        }
        catch
        {
            keeper?.Dispose();
            store.Dispose();
            throw;
        }
    }

    /// <summary>Serves and seals until cancelled; then takes no more requests, and seals the rest.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        using var stopSealing = new CancellationTokenSource();
        var sealing = Keeper.RunAsync(stopSealing.Token);
        var following = inventories.FollowAsync(stopSealing.Token);
        var watching = clusters.RunAsync(stopSealing.Token);
        var drafting = drafts?.RunAsync(stopSealing.Token) ?? Task.CompletedTask;
        var trimming = HeapTrim.RunAsync(TimeProvider.System, stopSealing.Token);
        try
        {
            await Task.WhenAny(sealing, following, watching, Task.Delay(Timeout.Infinite, cancellation)).ConfigureAwait(false);
        }
        finally
        {
            using var grace = new CancellationTokenSource(RequestGrace);
            await web.StopAsync(grace.Token).ConfigureAwait(false);
            await stopSealing.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(sealing, following, watching, drafting, trimming).ConfigureAwait(false);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await web.DisposeAsync().ConfigureAwait(false);
        answers.Dispose();
        Keeper.Dispose();
        store.Dispose();
    }

    /// <summary>What several nodes say is theirs: somebody is wrong, or lies.</summary>
    private static CoverageFact[] Contested(Keeper keeper, TimeProvider time) => keeper.Hosts.Contested is var count and > 0
        ? [new CoverageFact("hosts", "contested", CoverageLevel.Partial, $"{count} addresses are claimed by several nodes and are ambiguous.", time.NowUs())]
        : [];

    /// <summary>The wire, as the web hands it over and the intake wants it.</summary>
    private static async Task<IngestAnswer> ReceiveAsync(Intake intake, IHeaderDictionary headers, Stream body, CancellationToken stopped)
    {
        var header = BatchHeader.TryParse(name => headers[name], headers.ContentType, headers.ContentLength, out var problem);
        var result = header is null ? intake.RefuseHeader(problem) : await intake.ReceiveAsync(header, body, stopped).ConfigureAwait(false);
        return new IngestAnswer(result.HttpStatus, result.HttpStatus == 200 ? null : result.Reason, result.RetryAfter);
    }
}
