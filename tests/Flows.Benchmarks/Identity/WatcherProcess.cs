using System.Diagnostics;
using System.Globalization;
using Flows.Core;
using Flows.Core.Identity;
using Flows.FakeCluster;
using Flows.Inventory.Kubernetes;
using Flows.Store;

namespace Flows.Benchmarks.Identity;

/// <summary>The watcher as a process, with the ledger that its statements go to: together they are what a server needs to know a cluster.</summary>
internal static class WatcherProcess
{
    /// <summary>An order, with the moment in µs: what ended before is to be forgotten, and then reported as ever.</summary>
    public const string ForgetOrder = "forget ";

    public static async Task RunAsync(string kubeconfig, bool stored, CancellationToken cancellation)
    {
        var gate = new Lock();
        var late = new List<double>();
        var statements = 0L;
        var directory = stored ? Directory.CreateTempSubdirectory("flows-watcher-") : null;
        using var store = directory is null ? null : FlowStore.Open(directory.FullName, TimeProvider.System, new StoreOptions());
        var ledger = new LiveLedger();
        var source = new KubernetesSource(new() { Cluster = "bench", Scope = "bench", Kubeconfig = kubeconfig }, TimeProvider.System);
        ValueTask Sink(InventoryNews news)
        {
            lock (gate)
            {
                // It counts as known once the ledger would answer with it.
                if (store is null)
                {
                    ledger.Add(news.Identities);
                }
                else
                {
                    store.Learn(news);
                }

                var nowUs = TimeProvider.System.NowUs();
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

        // As the server does.
        _ = HeapTrim.RunAsync(TimeProvider.System, cancellation);
        var begun = Stopwatch.StartNew();
        var running = source.RunAsync(Sink, cancellation);
        while (!source.Health().All(one => one.Synced))
        {
            await Task.WhenAny(running, Task.Delay(20, cancellation)).ConfigureAwait(false);
        }

        Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"synced {begun.Elapsed.TotalSeconds:0.00}"));
        while (await Console.In.ReadLineAsync(cancellation).ConfigureAwait(false) is { } order)
        {
            lock (gate)
            {
                if (order.StartsWith(ForgetOrder, StringComparison.Ordinal))
                {
                    ledger.Forget(long.Parse(order[ForgetOrder.Length..], CultureInfo.InvariantCulture));
                }

                late.Sort();
                Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"report {Status("VmRSS:")} {Status("VmHWM:")} {late.Count} {At(late, 0.5):0.0} {At(late, 0.99):0.0} {statements} {Environment.CpuUsage.TotalTime.TotalSeconds:0.0} {source.Health().Sum(one => one.Lists)} {GC.GetGCMemoryInfo().HeapSizeBytes / 1048576.0:0.0} {GC.GetGCMemoryInfo().TotalCommittedBytes / 1048576.0:0.0} {ledger.Count}"));
                late.Clear();
            }
        }

        directory?.Delete(recursive: true);
    }

    private static double At(List<double> sorted, double share) => sorted.Count == 0 ? 0 : sorted[(int)Math.Min(sorted.Count - 1, share * sorted.Count)];

    private static string Status(string name) => string.Create(CultureInfo.InvariantCulture,
        $"{long.Parse(File.ReadLines("/proc/self/status").First(line => line.StartsWith(name, StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024.0:0.0}");
}
