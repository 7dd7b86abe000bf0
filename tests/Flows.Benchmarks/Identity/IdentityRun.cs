using System.Diagnostics;
using System.Globalization;
using Flows.Core;

namespace Flows.Benchmarks.Identity;

/// <summary>How big and how restless.</summary>
internal sealed record IdentityPlan(int Pods, int Services, int PerMinute, int Seconds, int Hour, bool Stored);

/// <summary>One run: sync, latency at the given rate, then two hours of churn.</summary>
internal static class IdentityRun
{
    /// <summary>The bars: seconds until synced, MiB of watcher and ledger, ms of the 99th percentile.</summary>
    private const double SyncMax = 60;
    private const double MemoryMax = 300;
    private const double LateMax = 1000;

    /// <summary>The second hour may need so much more than the first before it counts as growing: the heap's own unrest.</summary>
    private const double FlatShare = 1.1;

    /// <summary>An hour of churn is made in so many parts. After each the ledger forgets what ended more than an hour ago, as a store has it do.</summary>
    private const int PartsOfHour = 12;

    private sealed record Report(
        double Rss, double Peak, int Count, double Median, double P99, long Statements, double CpuSeconds, long Lists, double Heap, double Committed, long Kept);

    public static async Task<ExitCode> RunAsync(IdentityPlan plan, CancellationToken cancellation)
    {
        using var server = Start("server", "--pods", Text(plan.Pods), "--services", Text(plan.Services));
        var ready = await ReadAsync(server, "ready ", cancellation).ConfigureAwait(false);
        Console.Error.WriteLine($"bench: the cluster is made, {server.WorkingSet64 >> 20} MiB");
        using var watcher = Start(["watcher", ready, .. plan.Stored ? ["--stored"] : Array.Empty<string>()]);
        try
        {
            var sync = double.Parse(await ReadAsync(watcher, "synced ", cancellation).ConfigureAwait(false), CultureInfo.InvariantCulture);
            var synced = await AskAsync(watcher, cancellation).ConfigureAwait(false);
            await OrderAsync(server, plan.PerMinute * plan.Seconds / 60, plan.PerMinute, cancellation).ConfigureAwait(false);
            var calm = await AskAsync(watcher, cancellation).ConfigureAwait(false);
            var parts = new List<long>();
            var first = await HourAsync(server, watcher, plan, parts, cancellation).ConfigureAwait(false);
            var second = await HourAsync(server, watcher, plan, parts, cancellation).ConfigureAwait(false);
            return Print(plan, sync, synced, calm, first, second);
        }
        finally
        {
            watcher.StandardInput.Close();
            watcher.WaitForExit(TimeSpan.FromSeconds(5));
            watcher.Kill();
            server.Kill();
        }
    }

    private static ExitCode Print(IdentityPlan plan, double sync, Report synced, Report calm, Report first, Report second)
    {
        var holds = true;
        var known = plan.Stored ? "stored name" : "name in the ledger";
        double? memoryMax = plan.Stored ? null : MemoryMax;
        void Line(string what, double figure, string unit, double? bar)
        {
            holds &= bar is null || figure <= bar;
            Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what,-52} {figure,10:0.0} {unit,-4} {(bar is null ? "" : figure <= bar ? $"<= {bar:0}" : $"MISSES {bar:0}")}"));
        }

        Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{plan.Pods} pods, {plan.Services} services"));
        Line("initial sync", sync, "s", SyncMax);
        Line("statements of the sync", synced.Statements, "", null);
        Line("CPU of the sync", synced.CpuSeconds, "s", null);
        Line("resident after the sync", synced.Rss, "MiB", memoryMax);
        Line($"event to {known} at {plan.PerMinute} changes a minute, p50", calm.Median, "ms", null);
        Line($"event to {known} at {plan.PerMinute} changes a minute, p99", calm.P99, "ms", LateMax);
        Line("pods measured", calm.Count, "", null);
        Line($"CPU of {plan.Seconds} s at that rate", calm.CpuSeconds - synced.CpuSeconds, "s", null);
        Line($"most that is resident during {plan.Hour} changes", first.Rss, "MiB", memoryMax);
        Line($"and during {plan.Hour} more", second.Rss, "MiB", Math.Min(memoryMax ?? double.MaxValue, first.Rss * FlatShare));
        Line("of which the heap after its last collection", second.Heap, "MiB", null);
        Line("of which memory that the heap keeps", second.Committed, "MiB", null);
        Line("statements that the ledger keeps", second.Kept, "", null);
        Line("peak", second.Peak, "MiB", null);
        Line("statements", second.Statements, "", null);
        Line("lists (11 are the sync)", second.Lists, "", null);
        return holds ? ExitCode.Ok : ExitCode.No;
    }

    /// <summary>An hour of churn as fast as it is taken; the report has the most that was resident after any of its parts.</summary>
    /// <param name="server">The cluster.</param>
    /// <param name="watcher">Who watches it.</param>
    /// <param name="plan">How much an hour is.</param>
    /// <param name="parts">When each part of all hours so far began, µs.</param>
    /// <param name="cancellation">Ends it.</param>
    private static async Task<Report> HourAsync(Process server, Process watcher, IdentityPlan plan, List<long> parts, CancellationToken cancellation)
    {
        Report? last = null;
        var most = 0.0;
        for (var part = 0; part < PartsOfHour; part++)
        {
            parts.Add(TimeProvider.System.NowUs());
            await OrderAsync(server, plan.Hour / PartsOfHour, 0, cancellation).ConfigureAwait(false);
            await SettledAsync(watcher, cancellation).ConfigureAwait(false);
            last = await AskAsync(watcher, cancellation, WatcherProcess.ForgetOrder + Text(parts[Math.Max(0, parts.Count - PartsOfHour)])).ConfigureAwait(false);
            most = Math.Max(most, last.Rss);
            Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"bench: part {parts.Count}: {last.Rss:0} MiB, {last.Kept} statements kept"));
        }

        return last! with { Rss = most };
    }

    /// <summary>Asks until nothing new came for a second.</summary>
    private static async Task<Report> SettledAsync(Process watcher, CancellationToken cancellation)
    {
        var last = await AskAsync(watcher, cancellation).ConfigureAwait(false);
        while (true)
        {
            await Task.Delay(1000, cancellation).ConfigureAwait(false);
            var now = await AskAsync(watcher, cancellation).ConfigureAwait(false);
            if (now.Statements == last.Statements)
            {
                return now;
            }

            last = now;
        }
    }

    private static async Task OrderAsync(Process server, int changes, int perMinute, CancellationToken cancellation)
    {
        await server.StandardInput.WriteLineAsync($"go {Text(changes)} {Text(perMinute)}".AsMemory(), cancellation).ConfigureAwait(false);
        await ReadAsync(server, "done", cancellation).ConfigureAwait(false);
    }

    private static async Task<Report> AskAsync(Process watcher, CancellationToken cancellation, string order = "report")
    {
        await watcher.StandardInput.WriteLineAsync(order.AsMemory(), cancellation).ConfigureAwait(false);
        var words = (await ReadAsync(watcher, "report ", cancellation).ConfigureAwait(false)).Split(' ');
        double At(int index) => double.Parse(words[index], CultureInfo.InvariantCulture);
        return new(At(0), At(1), (int)At(2), At(3), At(4), (long)At(5), At(6), (long)At(7), At(8), At(9), (long)At(10));
    }

    private static async Task<string> ReadAsync(Process process, string start, CancellationToken cancellation)
    {
        var line = await process.StandardOutput.ReadLineAsync(cancellation).ConfigureAwait(false);
        return line is not null && line.StartsWith(start, StringComparison.Ordinal)
            ? line[start.Length..]
            : throw new InvalidOperationException($"'{start}' was expected, not '{line}'");
    }

    private static Process Start(params ReadOnlySpan<string> verb)
    {
        // As an executable of its own or through dotnet, however this one was started.
        var self = Environment.ProcessPath!;
        var isHost = Path.GetFileNameWithoutExtension(self) == "dotnet";
        var start = new ProcessStartInfo(self) { RedirectStandardInput = true, RedirectStandardOutput = true };
        foreach (var argument in (string[])[.. isHost ? [typeof(IdentityRun).Assembly.Location] : Array.Empty<string>(), IdentityCommand.Name, .. verb])
        {
            start.ArgumentList.Add(argument);
        }

        return Process.Start(start)!;
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
