using System.Globalization;
using Flows.Core;
using Flows.Core.Accounting;
using Flows.Inventory;

namespace Flows.Demo;

/// <summary>
/// A run on the real kernel: the fleet, a collector at each watchpoint, a server that they reach over a Unix socket, which crosses
/// namespaces and is never traffic.
/// </summary>
internal static class LiveDemo
{
    // Entries of the fleet's conntrack live 3 s at most after their last packet; then the final dump finds nothing left to wait for.
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan CollectorStart = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan CollectorStop = TimeSpan.FromSeconds(30);

    public static async Task<DemoEvidence> RunAsync(DemoOptions options, TimeProvider time, IProgress<string> progress, CancellationToken cancellation)
    {
        var socket = Path.Combine(options.ScratchDirectory, "flows.sock");
        await using var server = await Server.StartAsync(
            new ServerOptions { StoreDirectory = options.StoreDirectory, Listen = [$"unix:{socket}"], Scope = DemoInventory.Scope }, time).ConfigureAwait(false);
        using var stopServer = new CancellationTokenSource();
        var serving = server.RunAsync(stopServer.Token);

        // 1. The fleet, and somebody who watches before anybody talks.
        progress.Report("building the fleet in network namespaces");
        await using var fleet = await Fleet.StartAsync(time, cancellation).ConfigureAwait(false);
        progress.Report($"starting collectors on {string.Join(", ", fleet.Watchpoints.Select(point => point.Name))}");
        var collectors = fleet.Watchpoints.Select(point => fleet.StartInNode(point, Arguments(point, socket, options))).ToList();
        await Task.WhenAll(collectors.Select(one => ReadyAsync(one, cancellation))).ConfigureAwait(false);

        // 2. Traffic.
        progress.Report("opening real connections");
        var truth = await fleet.RunTrafficAsync(cancellation).ConfigureAwait(false);
        progress.Report($"{truth.Connections.Count} connections made; waiting for the kernel to forget them");
        await Task.Delay(Settle, time, cancellation).ConfigureAwait(false);

        // 3. The collectors hand over what they have, and their last accounts with it.
        foreach (var (collector, exit) in collectors.Zip(await Task.WhenAll(collectors.Select(one => one.StopAsync(CollectorStop))).ConfigureAwait(false)))
        {
            if (exit != 0)
            {
                throw new FlowsException(ExitCode.Failed, $"The collector '{collector.Name}' ended with {exit?.ToString(CultureInfo.InvariantCulture) ?? "a kill"}: {collector.Errors}");
            }
        }

        await stopServer.CancelAsync().ConfigureAwait(false);
        await serving.ConfigureAwait(false);

        // 4. Names last: the ledger learns late, and the roll-ups follow.
        var inventory = fleet.Inventory;
        Learn(server.Keeper, inventory, time);
        if (options.RecordTo is { } file)
        {
            DemoRecording.Write(file, [.. fleet.Watchpoints.Select(point => RecordingOf(point, options))], truth, inventory);
        }

        var reports = server.Keeper.LatestReports;
        return new DemoEvidence(
            "real kernel",
            truth,
            [.. reports.SelectMany(report => report.Hops.Select(hop => hop with { Hop = $"{report.Node}/{hop.Hop}" })), .. server.Accounts.Select(account => account.Report())],
            reports.SelectMany(report => report.Hops).Where(hop => hop.Hop == "rows").Sum(hop => hop.Seen));
    }

    /// <summary>Gives inventory lines to the ledger. They are our own, so a bad one is a fault.</summary>
    internal static void Learn(Keeper keeper, IReadOnlyList<string> inventory, TimeProvider time)
    {
        using var lines = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(string.Join('\n', inventory)));
        var report = InventoryFile.Read(lines, "the fleet's inventory", new InventoryDefaults(DemoInventory.Scope, time.NowUs()));
        if (report.RejectedCount > 0)
        {
            throw new FlowsException(ExitCode.Failed, $"The fleet's inventory is wrong: {report.Rejected[0]}");
        }

        keeper.Learn(report.Accepted);
    }

    private static IEnumerable<string> Arguments(FleetNode point, string socket, DemoOptions options)
    {
        string[] what = point.Interface is { } name ? ["--interface", name] : ["--conntrack"];
        string[] record = options.RecordTo is null ? [] : ["--record", RecordingOf(point, options)];

        // The fleet's pods have no cgroups of their own: to the kernel every socket of theirs is this machine's.
        return ["collect", "--server", $"unix:{socket}", "--node", point.Name, "--scope", DemoInventory.Scope,
            "--spool", Path.Combine(options.ScratchDirectory, $"spool-{point.Name}"), "--until-stdin-closes", "--no-owners", .. what, .. record];
    }

    private static string RecordingOf(FleetNode point, DemoOptions options) => Path.Combine(options.ScratchDirectory, $"{point.Name}.pcapng");

    private static async Task ReadyAsync(BoundProcess collector, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(CollectorStart);
        string? line = null;
        try
        {
            line = await collector.Output.ReadLineAsync(patience.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            // Judged below, with what it said.
        }

        if (line != "ready")
        {
            throw new FlowsException(ExitCode.Failed, $"The collector '{collector.Name}' did not start: {collector.Errors}");
        }
    }
}
