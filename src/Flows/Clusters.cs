using Flows.Core;
using Flows.Core.Facts;
using Flows.Inventory.Kubernetes;
using Flows.Store;

namespace Flows;

/// <summary>The clusters that a server watches: API server ─> KubernetesSource ─▷ Keeper. A cluster that cannot be reached is told as coverage, and stops nothing.</summary>
internal sealed class Clusters
{
    private readonly List<(KubernetesOptions Options, KubernetesSource Source)> watched = [];
    private readonly Keeper keeper;
    private readonly TimeProvider time;

    /// <summary>Reads the configurations, and tells each source what the store holds of its cluster.</summary>
    /// <exception cref="FlowsException">A kubeconfig is missing, or two clusters have one name or share their addresses.</exception>
    public Clusters(IReadOnlyList<KubernetesOptions> clusters, FlowStore store, Keeper keeper, TimeProvider time)
    {
        (this.keeper, this.time) = (keeper, time);
        if (clusters.GroupBy(one => one.Cluster).FirstOrDefault(same => same.Count() > 1) is { } twice)
        {
            throw new FlowsException(ExitCode.Usage, $"Two clusters are called {twice.Key}; give each a name of its own.");
        }

        if (clusters.GroupBy(one => one.Scope).FirstOrDefault(same => same.Count() > 1) is { } shared)
        {
            throw new FlowsException(
                ExitCode.Usage,
                $"The clusters {string.Join(" and ", shared.Select(one => one.Cluster))} share the address scope {shared.Key}; "
                + "give each its own with scope=NAME, and the collectors on its nodes the same with --scope.");
        }

        foreach (var options in clusters)
        {
            var source = new KubernetesSource(options, time);
            source.Seed(store.HeldOf(options.Cluster, options.Scope));
            watched.Add((options, source));
        }
    }

    /// <summary>How far each watch is to be believed, as coverage of source <c>kubernetes@CLUSTER</c>.</summary>
    public IReadOnlyList<CoverageFact> Coverage => [.. watched.SelectMany(one => one.Source.Health()).Select(FactOf)];

    /// <summary>Watches until cancelled, also where there is nothing to watch.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        try
        {
            await Task.WhenAll(watched.Count == 0 ? [Task.Delay(Timeout.Infinite, cancellation)] : watched.Select(one => one.Source.RunAsync(
                news =>
                {
                    keeper.Learn(news);
                    return ValueTask.CompletedTask;
                },
                cancellation))).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // Expected during shutdown.
        }
    }

    private CoverageFact FactOf(ResourceHealth health)
    {
        var level = !health.Synced ? CoverageLevel.None : health.StaleSinceUs is not null ? CoverageLevel.Partial : CoverageLevel.Full;
        var stale = health.StaleSinceUs is { } since ? $"Nothing was heard since {UnixTime.Text(since)}; names may be out of date. " : "";
        var unsynced = health.Synced ? "" : "The first list is not complete yet. ";
        return new($"kubernetes@{health.Cluster}", health.Resource, level, (unsynced + stale + health.LastError).TrimEnd(), health.StaleSinceUs ?? health.LastHeardUs ?? time.NowUs());
    }
}
