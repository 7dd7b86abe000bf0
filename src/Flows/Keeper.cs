using System.Threading.Channels;
using Apache.Arrow;
using Flows.Core;
using Flows.Core.Accounting;
using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.Inventory;
using Flows.Store;
using Flows.Transport.Intake;

namespace Flows;

/// <summary>
/// The server's half of the data path behind the wire: the durable log, and the loop that seals it into the store. A record is trimmed
/// from the log only when the store's manifest has it.
/// </summary>
internal sealed class Keeper : IDisposable
{
    // Fresh rows are visible within seconds, and a file a turn is what merging has to clean up after.
    private static readonly TimeSpan SealEvery = TimeSpan.FromSeconds(2);
    private const int RecordsPerSeal = 1024;

    private readonly FlowStore store;
    private readonly TimeProvider time;
    private readonly SortedDictionary<string, AccountReport> reports = new(StringComparer.Ordinal);

    private Keeper(FlowStore store, Intake intake, TimeProvider time) => (this.store, Intake, this.time) = (store, intake, time);

    public Intake Intake { get; }

    /// <summary>The hop <c>store</c> in rows: seen = taken from the log, forwarded = what the manifest has gained.</summary>
    public HopAccount Account { get; } = new("store", "rows");

    /// <summary>The last account of each node that was sealed, by node.</summary>
    public IReadOnlyList<AccountReport> LatestReports => [.. reports.Values];

    public static Keeper Open(string directory, FlowStore store, TimeProvider time)
    {
        var sealedBefore = store.SealedPosition is { } position ? position + 1 : 0;
        return new Keeper(store, Intake.Open(Path.Combine(directory, "log"), sealedBefore, new IntakeOptions(), time), time);
    }

    /// <summary>Tells the ledger what inventory files say. Bad lines are reported on standard error and cost no other line.</summary>
    public void Import(IReadOnlyList<string> inventories, string scope)
    {
        foreach (var file in inventories)
        {
            var report = InventoryFile.Read(file, new InventoryDefaults(scope, time.NowUs()));
            foreach (var rejected in report.Rejected)
            {
                Console.Error.WriteLine($"flows: {rejected}");
            }

            Learn(report.Accepted);
        }
    }

    /// <summary>Tells the ledger what is new in these statements.</summary>
    public void Learn(IReadOnlyList<IdentityInterval> statements) => store.AddIdentities(LedgerDelta.Of(store.Identities(), statements));

    /// <summary>Puts batches of this process into the log until the channel completes.</summary>
    public Task TakeAllAsync(string node, string scope, ChannelReader<RecordBatch> batches) => new LocalIntake(Intake, node, scope).TakeAllAsync(batches);

    /// <summary>Seals at each turn until cancelled, then what is left.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(SealEvery, time);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellation).ConfigureAwait(false))
            {
                SealAll();
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // Expected during shutdown.
        }

        SealAll();
    }

    /// <summary>Seals whatever the log holds, and rolls it up together.</summary>
    public void SealAll()
    {
        while (Intake.ReadUnsealed(RecordsPerSeal) is { Count: > 0 } records)
        {
            var before = store.Health.Rows;
            var rows = records.Sum(record => record.Flows?.Length ?? 0);
            Account.Seen(rows);
            store.Seal(records, more: Intake.Rows.Report().InFlight > rows);
            Account.Forwarded(store.Health.Rows - before);
            Intake.Trim(records[^1].Position + 1);
            foreach (var record in records)
            {
                if (record.Account is { } report)
                {
                    // What it brought beside the books is in the store; here it would only take memory.
                    reports[report.Node] = report with { Facts = null };
                }

                record.Flows?.Dispose();
            }
        }

        store.RollUp();
    }

    public void Dispose() => Intake.Dispose();
}
