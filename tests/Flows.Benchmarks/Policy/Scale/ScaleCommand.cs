using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Flows.Benchmarks.Measuring;
using Flows.Core;

namespace Flows.Benchmarks.Policy.Scale;

/// <summary><c>policy scale</c>: what suggesting and testing take for 100,000 workloads and 30 days of hourly edges (bar P8), as whole processes that begin with files and end with files.</summary>
internal static class ScaleCommand
{
    private const double WantedSeconds = 60;

    private static readonly TimeSpan AtMost = TimeSpan.FromMinutes(10);

    public static Command Create()
    {
        var workloads = new Option<int>("--workloads") { Description = "Workloads, two pods each.", HelpName = "N", DefaultValueFactory = _ => 100_000 };
        var keep = new Option<DirectoryInfo?>("--keep") { Description = "Where to make store and policies, or find them made; a temporary directory unless given.", HelpName = "DIR" };
        var product = new Option<FileInfo>("--product") { Description = "The executable 'flows' to measure.", HelpName = "FILE", DefaultValueFactory = _ => new FileInfo(Path.Combine(AppContext.BaseDirectory, "flows")) };
        var verb = new Command("scale", """
            Make a store and a policy for each workload, and measure 'flows policy suggest' from the store, 'flows policy test' of the policies, and
            'flows policy test' of what was suggested.

            Example: ./dev bench policy scale --workloads 10000
            """) { workloads, keep, product };
        verb.SetAction(parsed => (int)Run(Math.Max(1_000, parsed.GetValue(workloads)), parsed.GetValue(keep), parsed.GetRequiredValue(product).FullName));
        return verb;
    }

    private static ExitCode Run(int workloads, DirectoryInfo? keep, string product)
    {
        var directory = keep?.FullName ?? Directory.CreateTempSubdirectory("flows-policy-scale-").FullName;
        try
        {
            var (store, policies, suggested) = (Path.Combine(directory, "store"), Path.Combine(directory, "policies"), Path.Combine(directory, "suggested"));
            var made = Stopwatch.StartNew();
            var rows = GeneratedStore.Make(store, policies, workloads);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"P8 {rows} hourly edges of {workloads} workloads, made in {made.Elapsed.TotalSeconds:0} s"));
            var holds = Measure("suggest", product, ExitCode.Ok, "policy", "suggest", "--store", store, "--out", suggested);
            holds &= Measure("test", product, ExitCode.No, "policy", "test", "--store", store, "--policies", policies);
            holds &= Measure("test of the suggestion", product, ExitCode.Ok, "policy", "test", "--store", store, "--policies", suggested);
            return holds ? ExitCode.Ok : ExitCode.No;
        }
        finally
        {
            if (keep is null)
            {
                Directory.Delete(directory, recursive: true);
            }
        }
    }

    private static bool Measure(string what, string product, ExitCode expected, params string[] arguments)
    {
        var watch = Stopwatch.StartNew();
        using var process = MeasuredProcess.Start(Place.Anywhere, product, arguments);
        var usage = process.WaitForEnd(AtMost);
        var seconds = watch.Elapsed.TotalSeconds;
        var said = usage.Error.Trim().Split('\n')[^1];
        var holds = seconds < WantedSeconds && usage.ExitCode == (int)expected;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{what}: {seconds:0.0} s, {usage.Cpu.TotalSeconds:0.0} CPU s, peak resident {usage.PeakResidentBytes >> 20} MiB, exit {usage.ExitCode} (wanted < {WantedSeconds} s, exit {(int)expected}: {(holds ? "holds" : "MISSED")}); {said}"));
        return holds;
    }
}
