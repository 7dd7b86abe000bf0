using System.Diagnostics;
using System.Text.Json;
using Flows.Core;
using Flows.SystemTests.Cli;
using Flows.SystemTests.Demo;
using Xunit;

namespace Flows.SystemTests.Traps;

/// <summary>All that share one run of the lab.</summary>
[CollectionDefinition(Name)]
public sealed class TrapSuite : ICollectionFixture<TrapRun>
{
    public const string Name = "accuracy traps";
}

/// <summary>
/// One run of the lab for all traps: their traffic is made together, everything is stopped in order, and the tests ask the store that is left. It starts with the first
/// test that asks.
/// </summary>
public sealed class TrapRun : IAsyncLifetime
{
    private readonly Lazy<Task> run;
    private readonly Lazy<Task<IReadOnlyList<string>>> suggested;
    private TrapLab? lab;
    private ILookup<int, string> edges = Array.Empty<string>().ToLookup(_ => 0);

    public TrapRun()
    {
        run = new Lazy<Task>(RunAsync);
        suggested = new Lazy<Task<IReadOnlyList<string>>>(() => TrapPolicies.SuggestAsync(Lab.Store, Lab["policies"], "--cluster", "east"));
    }

    internal TrapLab Lab => lab!;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => lab?.DisposeAsync() ?? ValueTask.CompletedTask;

    /// <summary>Makes the traffic where that was not done yet; skips with a reason where it cannot be.</summary>
    internal async Task<TrapRun> DoneAsync()
    {
        Require.RootAnd("ip", "nft", "conntrack", "sysctl", "perl", "setpriv");
        await run.Value;
        return this;
    }

    /// <summary>That the store holds exactly these edges at the ports of a trap, whatever it calls their ends.</summary>
    internal async Task HoldsAsync(int trap, params string[] expected)
    {
        await DoneAsync();
        Assert.Equal(expected.Order(StringComparer.Ordinal), edges[trap].Order(StringComparer.Ordinal));
    }

    /// <summary>The edges that belong to no trap: a stranger's number for each.</summary>
    internal IEnumerable<string> Others => edges.Where(group => group.Key is < 1 or > 24).SelectMany(group => group);

    /// <summary>The rows that the product answers a query with.</summary>
    internal async Task<IReadOnlyList<JsonElement>> AskAsync(string query, string? store = null)
    {
        var finished = await FlowsProcess.RunAsync("sql", "--store", store ?? Lab.Store, "--output", "json", query);
        Assert.True(finished.ExitCode == 0, finished.ToString());
        using var document = JsonDocument.Parse(finished.Output);
        return [.. document.RootElement.EnumerateArray().Select(row => row.Clone())];
    }

    /// <summary>Who held an address of a scope at a time; empty where nobody is known to.</summary>
    internal async Task<IReadOnlyList<JsonElement>> WhoAsync(string scope, string address, long atUs)
    {
        var finished = await FlowsProcess.RunAsync("who", address, "--at", UnixTime.Text(atUs), "--scope", scope, "--store", Lab.Store, "--output", "json");
        Assert.True(finished.ExitCode is 0 or 3, finished.ToString());
        using var document = JsonDocument.Parse(finished.Output);
        return [.. document.RootElement.GetProperty("answers").EnumerateArray().SelectMany(one => one.GetProperty("candidates").EnumerateArray()).Select(one => one.Clone())];
    }

    internal async Task<IReadOnlyList<string?>> NamesAsync(string scope, string address, long atUs) =>
        [.. (await WhoAsync(scope, address, atUs)).Select(one => one.GetProperty("name").GetString())];

    /// <summary>That the rules suggested for the pods of a trap in the routed cluster are exactly these.</summary>
    internal async Task AllowsAsync(string trap, params string[] expected)
    {
        await DoneAsync();
        var rules = await suggested.Value;
        Assert.Equal(expected.Order(StringComparer.Ordinal), rules.Where(rule => rule.Contains(trap, StringComparison.Ordinal)));
    }

    private async Task RunAsync()
    {
        var clock = Stopwatch.StartNew();
        lab = await TrapLab.StartAsync();
        PortTraps.Prepare(lab);
        HolderTraps.Prepare(lab);
        NodeTraps.Prepare(lab);
        PeerTraps.Prepare(lab);
        ConnectionTraps.Prepare(lab);
        MonthlyTrap.Prepare(lab);
        await lab.WatchAsync();
        await Task.Delay(1000);
        var watched = clock.Elapsed;
        var traffic = Task.WhenAll(
            Task.Run(() => PortTraps.Speak(lab)), HolderTraps.SpeakAsync(lab), Task.Run(() => NodeTraps.Speak(lab)),
            PeerTraps.SpeakAsync(lab), ConnectionTraps.SpeakAsync(lab), Task.Run(() => MonthlyTrap.Speak(lab)));
        await traffic.ContinueWith(_ => { }, TaskScheduler.Default);
        Assert.True(traffic.IsCompletedSuccessfully, traffic.Exception?.ToString());
        var spoken = clock.Elapsed;
        await lab.RestartAsync();
        foreach (var connection in lab.Lasting.Values)
        {
            connection.Speak();
            connection.Dispose();
        }

        await Task.Delay(1500);
        await lab.EndAsync();
        var rows = await AskAsync(TrapEdge.Query);
        edges = rows.ToLookup(row => (row.GetProperty("dst_port").GetInt32() - 10_000) / 100, TrapEdge.Text);
        Report = $"lab and collectors {watched.TotalSeconds:0.0} s, traffic until {spoken.TotalSeconds:0.0} s, all until {clock.Elapsed.TotalSeconds:0.0} s\n"
            + string.Join('\n', edges.SelectMany(one => one));
    }

    /// <summary>How long it took, and every edge of the store.</summary>
    internal string Report { get; private set; } = "";
}
