using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Flows.Core;
using Flows.Core.Policy;
using Flows.Verbs;

namespace Flows.Benchmarks.PolicyTest;

/// <summary><c>policy-test</c>: a replay of 30 days of hourly edges under a policy for each of 100,000 workloads, from the files of a store and of the policies.</summary>
internal static class PolicyTestCommand
{
    public const string Name = "policy-test";

    private const double WantedSeconds = 60;

    public static Command Create()
    {
        var workloads = new Option<int>("--workloads") { Description = "Workloads, two pods each.", HelpName = "N", DefaultValueFactory = _ => 100_000 };
        var keep = new Option<DirectoryInfo?>("--keep") { Description = "Where to make store and policies, or find them made; a temporary directory unless given.", HelpName = "DIR" };
        var verb = new Command(Name, """
            Make a store and a set of policies, and measure what 'flows policy test' does with them: reading both, judging, and looking for what is allowed
            and never was.

            Example: ./dev bench policy-test --workloads 10000
            """) { workloads, keep };
        verb.SetAction(parsed => (int)Run(Math.Max(1_000, parsed.GetValue(workloads)), parsed.GetValue(keep)));
        return verb;
    }

    private static ExitCode Run(int workloads, DirectoryInfo? keep)
    {
        var directory = keep?.FullName ?? Directory.CreateTempSubdirectory("flows-policy-test-").FullName;
        try
        {
            var made = Stopwatch.StartNew();
            var rows = GeneratedStore.Make(Path.Combine(directory, "store"), Path.Combine(directory, "policies"), workloads);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"made {rows} hourly edges of {workloads} workloads in {made.Elapsed.TotalSeconds:0} s"));
            return Measure(directory, workloads, rows);
        }
        finally
        {
            if (keep is null)
            {
                Directory.Delete(directory, recursive: true);
            }
        }
    }

    private static ExitCode Measure(string directory, int workloads, long rows)
    {
        GC.Collect();
        var (whole, cpu, step) = (Stopwatch.StartNew(), Environment.CpuUsage.TotalTime, Stopwatch.StartNew());
        double Step()
        {
            var seconds = step.Elapsed.TotalSeconds;
            step.Restart();
            return seconds;
        }

        var set = PolicyReader.Read(PolicyFiles.Read(Path.Combine(directory, "policies")));
        var policies = Step();
        var store = PolicyStore.Read(new DirectoryInfo(Path.Combine(directory, "store")), 0, long.MaxValue, null, dialect: null);
        var read = Step();
        var replay = PolicyReplay.Run(store.Input, set, store.Options);
        var judged = Step();
        var (seconds, used) = (whole.Elapsed.TotalSeconds, (Environment.CpuUsage.TotalTime - cpu).TotalSeconds);
        using var self = Process.GetCurrentProcess();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{workloads} workloads, {set.Policies.Count} policies, {rows} hourly edges, {store.Input.Edges.Count} distinct, {replay.NeededConnections} connections: "
            + $"{replay.Denied.Count} denied, {replay.Surplus.Count} surplus, {replay.Rules.Count(rule => rule.IsUnused)} of {replay.Rules.Count} rules unused"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"policies {policies:0.0} s, store {read:0.0} s, judging {judged:0.0} s"));
        var holds = seconds < WantedSeconds;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{seconds:0.0} s, {used:0.0} CPU s (wanted < {WantedSeconds} s: {(holds ? "holds" : "MISSED")}); peak resident {self.PeakWorkingSet64 >> 20} MiB"));
        return holds ? ExitCode.Ok : ExitCode.No;
    }
}
