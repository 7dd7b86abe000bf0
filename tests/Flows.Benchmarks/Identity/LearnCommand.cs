using System.CommandLine;
using System.Globalization;
using Flows.Benchmarks.Measuring;
using Flows.Core;
using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.Store;

namespace Flows.Benchmarks.Identity;

/// <summary><c>identity learn</c>: what changes of names cost a store with many open intervals. No peer, no bar.</summary>
internal static class LearnCommand
{
    private const int ChangesPerCall = 1000;

    public static Command Create()
    {
        var open = new Option<int>("--open") { Description = "Open intervals.", HelpName = "N", DefaultValueFactory = _ => 100_000 };
        var calls = new Option<int>("--calls") { Description = "Calls of 1,000 changes: half of them ends, half begins.", HelpName = "N", DefaultValueFactory = _ => 40 };
        var verb = new Command("learn", "Measure how long the store takes to learn 1,000 changes, and the ledger to take them in.") { open, calls };
        verb.SetAction(parsed =>
        {
            var directory = Directory.CreateTempSubdirectory("flows-learn-").FullName;
            try
            {
                Run(directory, parsed.GetValue(open), parsed.GetValue(calls));
            }
            finally
            {
                Directory.Delete(directory, recursive: true);
            }

            return (int)ExitCode.Ok;
        });
        return verb;
    }

    private static void Run(string directory, int open, int calls)
    {
        var now = TimeProvider.System.NowUs();
        var all = Enumerable.Range(0, open).Select(number => Pod(number, now - (2 * 60 * UnixTime.Minute), null)).ToList();
        List<double> milliseconds = [];
        using (var store = FlowStore.Open(directory, TimeProvider.System, new StoreOptions()))
        {
            Say($"first inventory of {open}", Milliseconds(() => store.AddIdentities(all)));
            for (var call = 0; call < calls; call++)
            {
                milliseconds.Add(Milliseconds(() => store.AddIdentities(Changes(all, call, now))));
            }
        }

        Say($"1,000 changes, median of {calls}", Figures.Median(milliseconds));
        Say("1,000 changes, slowest (with folding)", milliseconds.Max());
        using (var again = FlowStore.Open(directory, TimeProvider.System, new StoreOptions()))
        {
            Say("the ledger after a start", Milliseconds(() => GC.KeepAlive(again.Ledger)));
        }

        var live = new LiveLedger();
        live.Add(all);
        Say("1,000 changes in memory alone", Figures.Median([.. Enumerable.Range(0, calls).Select(call => Milliseconds(() => live.Add(Changes(all, call, now))))]));
    }

    private static List<IdentityInterval> Changes(List<IdentityInterval> all, int call, long now)
    {
        var half = ChangesPerCall / 2;
        var learned = now + (call * UnixTime.Second);
        return
        [
            .. all.Skip(call * half % all.Count).Take(half).Select(said => said with { ValidToUs = learned - UnixTime.Second, LearnedAtUs = learned }),
            .. Enumerable.Range(all.Count + (call * half), half).Select(number => Pod(number, learned - UnixTime.Second, null)),
        ];
    }

    private static IdentityInterval Pod(int number, long from, long? to)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"web-{number / 40}-{number}");
        var entity = new Entity
        {
            Id = Entity.IdOf("c1", EntityKind.Pod, name),
            Kind = EntityKind.Pod,
            Scope = "c1",
            Uid = name,
            Cluster = "c1",
            Namespace = "shop",
            Name = name,
            WorkloadKind = "Deployment",
            Workload = string.Create(CultureInfo.InvariantCulture, $"web-{number / 40}"),
            Labels = new Dictionary<string, string> { ["app"] = string.Create(CultureInfo.InvariantCulture, $"web-{number / 40}"), ["tier"] = "front" },
        };
        var address = NetAddress.FromV4((10u << 24) | (uint)number);
        return new()
        {
            IntervalId = IdentityInterval.IdOf(entity, address, 128, from),
            Entity = entity,
            Address = address,
            ValidFromUs = from,
            ValidToUs = to,
            LearnedAtUs = from,
            Origin = Origins.Kubernetes,
        };
    }

    /// <summary>CPU time of this process, which says the same on a machine that is busy otherwise.</summary>
    private static double Milliseconds(Action act)
    {
        var before = Environment.CpuUsage.TotalTime;
        act();
        return (Environment.CpuUsage.TotalTime - before).TotalMilliseconds;
    }

    private static void Say(string what, double milliseconds) => Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what}: {milliseconds:0.0} CPU ms"));
}
