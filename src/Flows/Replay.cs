using System.Text.Json.Serialization;
using System.Threading.Channels;
using Apache.Arrow;
using Flows.Capture.Files;
using Flows.Core;
using Flows.Core.Accounting;
using Flows.Store;

namespace Flows;

/// <summary>What <c>flows replay</c> was asked for.</summary>
internal sealed record ReplayOptions
{
    public required IReadOnlyList<string> Files { get; init; }

    /// <summary>Where the rows are kept; null to build their batches and keep nothing.</summary>
    public required string? StoreDirectory { get; init; }

    public IReadOnlyList<string> Inventories { get; init; } = [];

    /// <summary>Who saw the packets of an interface that does not say; recordings name their interfaces <c>node/source</c>.</summary>
    public required string Node { get; init; }

    public required string Scope { get; init; }

    /// <summary>Learn names from the DNS answers among the packets.</summary>
    public bool Names { get; init; } = true;
}

/// <summary>What became of a replay. <see cref="Fault"/> is the sentence about a file that could not be read to its end.</summary>
internal sealed record ReplayOutcome(
    long Packets,
    long PacketsInFlows,
    IReadOnlyDictionary<string, long> Rejected,
    long Connections,
    long Rows,
    IReadOnlyList<HopReport> Conservation,
    [property: JsonIgnore] string? Fault);

/// <summary>Puts capture files through the path of live traffic: tracker ─> Batcher ─▷ Intake ─▷ Keeper ─> FlowStore, or up to the batches only.</summary>
internal static class Replay
{
    /// <summary>Returns when everything readable is sealed and rolled up.</summary>
    /// <exception cref="FlowsException">A file is missing or no capture, or the store cannot be written.</exception>
    public static async Task<ReplayOutcome> RunAsync(ReplayOptions options, TimeProvider time, CancellationToken cancellation)
    {
        // 1. What cannot work at all fails before anything is written.
        using var inputs = ReplayInputs.Check(options.Files);

        return options.StoreDirectory is { } directory
            ? await IntoStoreAsync(options, inputs, directory, time, cancellation).ConfigureAwait(false)
            : await ReadAsync(options, inputs, BatchesAreLetGo, names: null, time, cancellation).ConfigureAwait(false);
    }

    private static async Task<ReplayOutcome> IntoStoreAsync(ReplayOptions options, ReplayInputs inputs, string directory, TimeProvider time, CancellationToken cancellation)
    {
        using var store = FlowStore.Open(directory, time, new StoreOptions());
        using var keeper = Keeper.Open(directory, store, time);
        new Inventories(options.Inventories, options.Scope, keeper, time).ReadAll();

        // 2. From the files to the log.
        var names = options.Names ? new ReplayNames(keeper, options.Scope, time) : null;
        var outcome = await ReadAsync(
            options, inputs, (node, batches) => keeper.TakeAllAsync(node, options.Scope, batches), names, time, cancellation).ConfigureAwait(false);

        // 3. From the log to the store.
        keeper.SealAll();
        return outcome with { Conservation = [.. outcome.Conservation, keeper.Intake.Rows.Report(), keeper.Account.Report()] };
    }

    /// <summary>From the files to the batches of each node.</summary>
    private static async Task<ReplayOutcome> ReadAsync(
        ReplayOptions options, ReplayInputs inputs, BatchTaker take, ReplayNames? names, TimeProvider time, CancellationToken cancellation)
    {
        await using var lanes = new ReplayLanes(take, time);
        var points = new ReplayPoints(options.Node, options.Scope, lanes.Open, names);
        var fault = await Task.Run(() => ReadAll(inputs, points, cancellation), CancellationToken.None).ConfigureAwait(false);
        await lanes.CompleteAsync().ConfigureAwait(false);
        names?.Complete();
        cancellation.ThrowIfCancellationRequested();
        var packets = points.Packets.Report();
        return new ReplayOutcome(
            packets.Seen,
            packets.Forwarded,
            packets.Dropped,
            points.Connections,
            lanes.Reports.Sum(report => report.Forwarded),
            [packets, .. points.Events is { } events ? [events.Report()] : (HopReport[])[], .. names?.Reports ?? [], .. lanes.Reports],
            fault);
    }

    private static async Task BatchesAreLetGo(string node, ChannelReader<RecordBatch> batches)
    {
        await foreach (var batch in batches.ReadAllAsync().ConfigureAwait(false))
        {
            batch.Dispose();
        }
    }

    /// <summary>Reads file after file; a broken one gives what it has, and does not keep the next from being read.</summary>
    private static string? ReadAll(ReplayInputs inputs, ReplayPoints points, CancellationToken cancellation)
    {
        var faults = new List<string>();
        foreach (var file in inputs.Files)
        {
            try
            {
                using var reader = inputs.Open(file);
                while (!cancellation.IsCancellationRequested && reader.TryReadNext(out var packet))
                {
                    points.Take(in packet);
                }
            }
            catch (FlowsException broken)
            {
                faults.Add(broken.Message);
            }
        }

        points.Complete();
        return faults.Count == 0 ? null : string.Join(" ", faults);
    }
}
