using System.Diagnostics;
using System.Globalization;
using Flows.Core;
using Flows.Core.Identity;
using Flows.FakeCluster;
using Flows.Inventory.Kubernetes;

namespace Flows.Benchmarks.Identity;

/// <summary>The watcher as a process. Its sink keeps nothing, so that its memory is the watcher's share; the ledger's is measured where it is.</summary>
internal static class WatcherProcess
{
    public static async Task RunAsync(string kubeconfig, CancellationToken cancellation)
    {
        var gate = new Lock();
        var late = new List<double>();
        var statements = 0L;
        var source = new KubernetesSource(new() { Cluster = "bench", Scope = "bench", Kubeconfig = kubeconfig }, TimeProvider.System);
        ValueTask Sink(InventoryNews news)
        {
            var nowUs = TimeProvider.System.NowUs();
            lock (gate)
            {
                statements += news.Identities.Count + news.Backends.Count + news.ServicePorts.Count + news.Objects.Count;
                foreach (var opened in news.Identities.Where(one => one.ValidToUs is null))
                {
                    if (FakeChurn.MadeAtUs(opened.Entity.Name) is { } madeUs && opened.LearnedAtUs >= madeUs)
                    {
                        late.Add((nowUs - madeUs) / 1000.0);
                    }
                }
            }

            return ValueTask.CompletedTask;
        }

        var begun = Stopwatch.StartNew();
        var running = source.RunAsync(Sink, cancellation);
        while (!source.Health().All(one => one.Synced))
        {
            await Task.WhenAny(running, Task.Delay(20, cancellation)).ConfigureAwait(false);
        }

        Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"synced {begun.Elapsed.TotalSeconds:0.00}"));
        while (await Console.In.ReadLineAsync(cancellation).ConfigureAwait(false) is not null)
        {
            lock (gate)
            {
                late.Sort();
                Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"report {Status("VmRSS:")} {Status("VmHWM:")} {late.Count} {At(late, 0.5):0.0} {At(late, 0.99):0.0} {statements} {Environment.CpuUsage.TotalTime.TotalSeconds:0.0} {source.Health().Sum(one => one.Lists)} {GC.GetGCMemoryInfo().HeapSizeBytes / 1048576.0:0.0} {GC.GetGCMemoryInfo().TotalCommittedBytes / 1048576.0:0.0}"));
                late.Clear();
            }
        }
    }

    private static double At(List<double> sorted, double share) => sorted.Count == 0 ? 0 : sorted[(int)Math.Min(sorted.Count - 1, share * sorted.Count)];

    private static string Status(string name) => string.Create(CultureInfo.InvariantCulture,
        $"{long.Parse(File.ReadLines("/proc/self/status").First(line => line.StartsWith(name, StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024.0:0.0}");
}
