using System.Diagnostics;
using System.Globalization;
using Flows.FakeCluster;

namespace Flows.Benchmarks.Identity;

/// <summary>The fake cluster as a process: <c>ready KUBECONFIG</c> when it serves, <c>done</c> after each order.</summary>
internal static class ClusterProcess
{
    /// <summary>As many nodes as such clusters have: 100 pods on each.</summary>
    private const int PodsPerNode = 100;

    public static async Task RunAsync(int pods, int services, CancellationToken cancellation)
    {
        await using var server = await FakeApiServer.StartAsync().ConfigureAwait(false);
        var churn = new FakeChurn(server, new(pods, Math.Max(1, pods / PodsPerNode), services, Seed: 1));
        churn.Fill();
        var kubeconfig = Path.GetTempFileName();
        await File.WriteAllTextAsync(kubeconfig, server.Kubeconfig(), cancellation).ConfigureAwait(false);
        Console.Out.WriteLine($"ready {kubeconfig}");
        while (await Console.In.ReadLineAsync(cancellation).ConfigureAwait(false) is { } order)
        {
            var words = order.Split(' ');
            await ChangeAsync(churn, int.Parse(words[1], CultureInfo.InvariantCulture), int.Parse(words[2], CultureInfo.InvariantCulture), cancellation).ConfigureAwait(false);
            Console.Out.WriteLine("done");
        }

        File.Delete(kubeconfig);
    }

    private static async Task ChangeAsync(FakeChurn churn, int changes, int perMinute, CancellationToken cancellation)
    {
        var begun = Stopwatch.StartNew();
        for (var made = 0; made < changes;)
        {
            made += churn.Change();
            if (perMinute > 0 && TimeSpan.FromMinutes((double)made / perMinute) - begun.Elapsed is var early && early > TimeSpan.FromMilliseconds(2))
            {
                await Task.Delay(early, cancellation).ConfigureAwait(false);
            }
        }
    }
}
