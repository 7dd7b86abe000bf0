using System.Threading.Channels;
using Apache.Arrow;
using Flows.Core;
using Flows.Core.Accounting;
using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.Inventory.Host;
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

    private Keeper(FlowStore store, Intake intake, TimeProvider time)
    {
        (this.store, Intake, this.time) = (store, intake, time);
        Hosts = new HostBook(store.Identities(Origins.Host));
    }

    public Intake Intake { get; }

    /// <summary>The hop <c>store</c> in rows: seen = taken from the log, forwarded = what the manifest has gained.</summary>
    public HopAccount Account { get; } = new("store", "rows");

    /// <summary>What nodes said of themselves.</summary>
    public HostBook Hosts { get; }

    /// <summary>The last account of each node that was sealed, by node.</summary>
    public IReadOnlyList<AccountReport> LatestReports => [.. reports.Values];

    public static Keeper Open(string directory, FlowStore store, TimeProvider time)
    {
        var sealedBefore = store.SealedPosition is { } position ? position + 1 : 0;
        return new Keeper(store, Intake.Open(Path.Combine(directory, "log"), sealedBefore, new IntakeOptions(), time), time);
    }

    /// <summary>Tells the store what an inventory says; what it knows already changes nothing.</summary>
    public void Learn(InventoryNews news) => store.Learn(news);

    /// <summary>As <see cref="Learn(InventoryNews)"/>, for statements about who held addresses.</summary>
    public void Learn(IReadOnlyList<IdentityInterval> statements) => store.AddIdentities(statements);

    /// <summary>Everything that the ledger was ever told with this origin.</summary>
    public IReadOnlyList<IdentityInterval> SaidBy(string origin) => store.Identities(origin);

    /// <summary>The address scopes of which the ledger or a collector has spoken.</summary>
    public IReadOnlyCollection<string> Scopes => store.Scopes;

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

            // Before they are sealed: a crash in between only makes us hear it twice.
            LearnOfHosts(records);
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

    private void LearnOfHosts(IReadOnlyList<IntakeRecord> records)
    {
        List<IdentityInterval> news = [];
        var contested = Hosts.Contested;
        foreach (var record in records)
        {
            foreach (var fact in record.Account?.Facts?.Hosts ?? [])
            {
                news.AddRange(Hosts.Take(record.Scope, record.Node, fact, time.NowUs()));
            }
        }

        if (Hosts.Contested > contested)
        {
            Console.Error.WriteLine($"flows: warning: {Hosts.Contested} addresses are claimed by several nodes and are ambiguous: {Hosts.ContestedExample}");
        }

        if (news.Count > 0)
        {
            Learn(news);
        }
    }

    public void Dispose() => Intake.Dispose();
}
