using Flows.Core.Identity;
using Flows.Inventory.Kubernetes.Connecting;
using Flows.Inventory.Kubernetes.Reading;
using Flows.Inventory.Kubernetes.Stating;
using Flows.Inventory.Kubernetes.Watching;

namespace Flows.Inventory.Kubernetes;

/// <summary>
/// One cluster as a source of statements for the ledger. Several clusters are several sources, each with its own scope. Nothing is ever
/// written to the cluster.
/// </summary>
public sealed class KubernetesSource
{
    private readonly ClusterLedger ledger;
    private readonly ClusterFeed feed;
    private readonly Reflector[] reflectors;
    private readonly ResourceMeter[] meters;

    /// <summary>Reads the configuration; connects to nothing yet.</summary>
    /// <param name="options">Which cluster, and how.</param>
    /// <param name="time">The clock by which statements are dated and deadlines are kept.</param>
    /// <exception cref="Core.FlowsException">There is no usable kubeconfig or service account.</exception>
    public KubernetesSource(KubernetesOptions options, TimeProvider time)
    {
        var access = ApiAccess.Of(options);
        ledger = new(options.Cluster, options.Scope);
        feed = new(ledger, options, time);
        meters = [.. Resource.All.Select(resource => new ResourceMeter(options.Cluster, resource.Name, options.StaleAfter, time))];
        var pool = new TextPool();
        reflectors = [.. Resource.All.Zip(meters).Select(pair => new Reflector(pair.First, access, feed, pool, pair.Second, options, time))];
    }

    /// <summary>
    /// Tells what the store already holds of this cluster, before <see cref="RunAsync"/>: what is still open there closes if it vanished while nobody
    /// watched, and what has not changed is not said again. Statements of other clusters and origins are passed over.
    /// </summary>
    /// <param name="held">
    /// At least everything that is still open: of each interval the statement that holds. Closed ones may be among them; they are only used to
    /// know how far the store had heard.
    /// </param>
    public void Seed(InventoryNews held) => ledger.Seed(held);

    /// <summary>Watches until cancelled. Faults of the cluster are retried and counted, never thrown.</summary>
    /// <param name="sink">Takes each batch of news, one at a time; while it is busy, news are gathered up to a limit, then reading waits.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="Exception">Whatever the sink throws; then all watches end.</exception>
    public async Task RunAsync(Func<InventoryNews, ValueTask> sink, CancellationToken cancellation)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var watching = reflectors.Select(one => WatchAsync(one, ending.Token)).ToArray();
        var handing = feed.RunAsync(sink, ending.Token);

        // Whichever ends first, by order or by a fault, ends all.
        await Task.WhenAny([handing, .. watching]).ConfigureAwait(false);
        await ending.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll([handing, .. watching]).ConfigureAwait(false);
    }

    /// <summary>How each watch goes, in a fixed order. May be called at any time.</summary>
    public IReadOnlyList<ResourceHealth> Health() => [.. reflectors.Select(one => one.Meter.Health(feed.Count(one.Resource.Kind)))];

    /// <summary>A first list that others should precede waits for them, but not for one that fails.</summary>
    private async Task WatchAsync(Reflector reflector, CancellationToken cancellation)
    {
        var before = reflectors.Where(other => reflector.Resource.After.Contains(other.Resource.Kind)).Select(other => other.Tried);
        await Task.WhenAll(before).WaitAsync(cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await reflector.RunAsync(cancellation).ConfigureAwait(false);
    }
}
