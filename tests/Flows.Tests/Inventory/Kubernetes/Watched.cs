using System.Diagnostics;
using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.FakeCluster;
using Flows.Inventory.Kubernetes;
using Xunit;

namespace Flows.Tests.Inventory.Kubernetes;

/// <summary>A source that watches a fake API server over real sockets, with times that a test can wait for.</summary>
internal sealed class Watched : IAsyncDisposable
{
    private readonly CancellationTokenSource ending = new();
    private readonly List<InventoryNews> news = [];
    private readonly string kubeconfig = Path.GetTempFileName();
    private readonly Task running;

    private Watched(FakeApiServer server, Func<KubernetesOptions, KubernetesOptions>? change, InventoryNews? seed, Func<InventoryNews, ValueTask>? sink)
    {
        File.WriteAllText(kubeconfig, server.Kubeconfig());
        var options = new KubernetesOptions
        {
            Cluster = "c1",
            Scope = "lab",
            Kubeconfig = kubeconfig,
            PageSize = 7,
            QuietLimit = TimeSpan.FromMilliseconds(700),
            AnswerTimeout = TimeSpan.FromMilliseconds(500),
            ListTimeout = TimeSpan.FromSeconds(1),
            StaleAfter = TimeSpan.FromSeconds(1.2),
            BackoffMin = TimeSpan.FromMilliseconds(20),
            BackoffMax = TimeSpan.FromMilliseconds(200),
            Gather = TimeSpan.FromMilliseconds(10),
        };
        Source = new(change?.Invoke(options) ?? options, TimeProvider.System);
        if (seed is not null)
        {
            Source.Seed(seed);
        }

        running = Source.RunAsync(
            async batch =>
            {
                lock (news)
                {
                    news.Add(batch);
                }

                await (sink?.Invoke(batch) ?? ValueTask.CompletedTask);
            },
            ending.Token);
    }

    public KubernetesSource Source { get; }

    public static async Task<Watched> StartAsync(
        FakeApiServer server, Func<KubernetesOptions, KubernetesOptions>? change = null, InventoryNews? seed = null, bool synced = true, Func<InventoryNews, ValueTask>? sink = null)
    {
        var watched = new Watched(server, change, seed, sink);
        if (synced)
        {
            await watched.UntilAsync(() => watched.Source.Health().All(one => one.Synced), "all is listed");
        }

        return watched;
    }

    public IReadOnlyList<IdentityInterval> Said()
    {
        lock (news)
        {
            return [.. news.SelectMany(one => one.Identities)];
        }
    }

    public IReadOnlyList<Backend> Backends()
    {
        lock (news)
        {
            return [.. news.SelectMany(one => one.Backends).GroupBy(one => one.IntervalId).Select(one => one.MaxBy(said => said.LearnedAtUs)!)];
        }
    }

    public IReadOnlyList<ClusterObject> Objects()
    {
        lock (news)
        {
            return [.. news.SelectMany(one => one.Objects)];
        }
    }

    /// <summary>What holds of each interval.</summary>
    public IReadOnlyList<IdentityInterval> Intervals() => [.. Said().GroupBy(one => one.IntervalId).Select(one => one.MaxBy(said => said.LearnedAtUs)!)];

    /// <summary>Names of who holds the address now, sorted.</summary>
    public string Now(string address) =>
        string.Join('|', Intervals().Where(one => one.Address == NetAddress.Parse(address) && one.ValidToUs is null).Select(one => one.Entity.Name).Order(StringComparer.Ordinal));

    public ResourceHealth Health(FakeResource resource) => Source.Health().Single(one => one.Resource == resource.Name);

    public Task UntilAsync(Func<bool> holds, string what, double seconds = 20) => UntilAsync(holds, () => what, seconds);

    public async Task UntilAsync(Func<bool> holds, Func<string> what, double seconds = 20)
    {
        var begun = Stopwatch.StartNew();
        while (!holds())
        {
            Assert.False(running.IsFaulted, running.Exception?.ToString());
            Assert.True(begun.Elapsed.TotalSeconds < seconds, $"not within {seconds} s: {what()}\n{string.Join('\n', Source.Health())}");
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await ending.CancelAsync();
        await running;
        ending.Dispose();
        File.Delete(kubeconfig);
    }
}
