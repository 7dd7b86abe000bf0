using Flows.Capture;
using Flows.Capture.Conntrack;
using Flows.Capture.Owners;
using Flows.Core.Accounting;
using Flows.Core.Facts;
using Flows.SystemTests.Conntrack;
using Xunit;

namespace Flows.SystemTests.Owners;

/// <summary>Conntrack and the resolver at work in the server's namespace, with the rows and facts that they gave.</summary>
internal sealed class OwnerRun : IDisposable
{
    private static readonly ObservationPoint Point = new("node-1", "test");

    private readonly List<FlowRow> rows = [];
    private readonly CancellationTokenSource stop = new();
    private readonly ConntrackSource source;
    private Task running = Task.CompletedTask;

    private OwnerRun(OwnerOptions options)
    {
        Resolver = new OwnerResolver(Point, options, Notes, TimeProvider.System);
        source = new ConntrackSource(
            Point, Resolver.Stamp((in FlowRow row) => rows.Add(row)), new HopAccount("conntrack", "events"), TimeProvider.System, new ConntrackSourceOptions { Prompt = true },
            seen: Resolver.OnConntrack);
    }

    public NodeNotes Notes { get; } = new();

    public OwnerResolver Resolver { get; }

    public HopReport Account => Resolver.Account.Report();

    public static async Task<OwnerRun> StartAsync(ConntrackNetns net, OwnerOptions? options = null)
    {
        var run = new OwnerRun(options ?? new OwnerOptions());
        run.running = net.InServer(() =>
        {
            run.Resolver.Start();
            return run.source.RunAsync(run.stop.Token);
        });
        await await Task.WhenAny(run.source.Started, run.running).WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        return run;
    }

    /// <summary>Stops the source; the rows that are not refusals.</summary>
    public async Task<List<FlowRow>> StopAsync()
    {
        await stop.CancelAsync();
        await running.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        return rows;
    }

    public void Dispose()
    {
        stop.Cancel();
        Resolver.Dispose();
        stop.Dispose();
    }
}
