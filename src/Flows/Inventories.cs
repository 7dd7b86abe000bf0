using Flows.Core;
using Flows.Core.Accounting;
using Flows.Core.Identity;
using Flows.Inventory;

namespace Flows;

/// <summary>The inventory files of a server: read at its start, and again whenever one has changed and come to rest. A bad line costs no other.</summary>
internal sealed class Inventories(IReadOnlyList<string> files, string scope, Keeper keeper, TimeProvider time)
{
    // A file that is being written has another length at the next look; one that was moved into place is whole, and waits one turn for nothing.
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(2);

    // As many as stay readable in a journal; 'flows inventory check' lists them all.
    private const int ComplaintsMax = 20;

    private readonly Watched[] watched = [.. files.Distinct(StringComparer.Ordinal).Select(file => new Watched(file))];
    private IReadOnlyList<IdentityInterval> everywhere = [];
    private int scopesToldOfEverywhere;

    /// <summary>What tells two states of a file apart. Read from the open file, so that it follows links as a mounted ConfigMap has them.</summary>
    private readonly record struct Stamp(long Length, DateTime WrittenUtc);

    private sealed class Watched(string path)
    {
        public string Path => path;

        /// <summary>The state that was read.</summary>
        public Stamp? Read { get; set; }

        /// <summary>The state at the last look.</summary>
        public Stamp? Seen { get; set; }

        public bool IsGone { get; set; }

        /// <summary>The origin for which it is complete.</summary>
        public string? CompleteFor { get; set; }

        public IReadOnlyList<IdentityInterval> Everywhere { get; set; } = [];
    }

    /// <summary>The hop <c>inventory</c> in lines, each time one is read: seen = accepted (forwarded) + dropped{bad_line}.</summary>
    public HopAccount Account { get; } = new("inventory", "lines");

    /// <summary>Reads every file, one after the other.</summary>
    /// <exception cref="FlowsException">One is missing, or two claim one origin.</exception>
    public void ReadAll()
    {
        foreach (var file in watched)
        {
            file.Read = file.Seen = StampOf(file.Path);
            Take(file, InventoryFile.Read(file.Path, new InventoryDefaults(scope, time.NowUs())));
        }

        TellNewScopes();
    }

    /// <summary>Looks at the files at each turn until cancelled.</summary>
    public async Task FollowAsync(CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(LookEvery, time);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellation).ConfigureAwait(false))
            {
                Look();
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // Expected during shutdown.
        }
    }

    /// <summary>Reads again what has changed since it was read and has not changed since the last look.</summary>
    internal void Look()
    {
        foreach (var file in watched)
        {
            var stamp = StampOf(file.Path);
            if (stamp is null && !file.IsGone)
            {
                Console.Error.WriteLine($"flows: the inventory file '{file.Path}' is gone or cannot be read; what it said stays until it is back");
            }

            file.IsGone = stamp is null;
            var settled = stamp is not null && stamp == file.Seen && stamp != file.Read;
            file.Seen = stamp;
            if (settled)
            {
                ReadAgain(file, stamp);
            }
        }

        TellNewScopes();
    }

    private void ReadAgain(Watched file, Stamp? stamp)
    {
        try
        {
            file.Read = stamp;
            var report = InventoryFile.Read(file.Path, new InventoryDefaults(scope, time.NowUs()));
            var ended = Take(file, report);
            Console.Error.WriteLine($"flows: read '{file.Path}' again: {report.Accepted.Count} lines, {report.RejectedCount} bad, {ended} holders ended");
        }
        catch (Exception fault) when (fault is FlowsException or IOException)
        {
            Console.Error.WriteLine($"flows: {fault.Message}");
        }
    }

    /// <summary>Tells the ledger what the file says that is new; returns how many intervals its silence ends.</summary>
    private int Take(Watched file, InventoryReport report)
    {
        Account.Seen(report.Accepted.Count + report.RejectedCount);
        Account.Forwarded(report.Accepted.Count);
        Account.Dropped("bad_line", report.RejectedCount);
        foreach (var rejected in report.Rejected.Take(ComplaintsMax))
        {
            Console.Error.WriteLine($"flows: {rejected}");
        }

        if (report.RejectedCount > ComplaintsMax)
        {
            Console.Error.WriteLine($"flows: {file.Path} has {report.RejectedCount - ComplaintsMax} more bad lines; 'flows inventory check' lists them");
        }

        if (report.CompleteFor is { } claimed && watched.FirstOrDefault(other => other != file && other.CompleteFor == claimed) is { } rival)
        {
            throw new FlowsException(ExitCode.Usage, $"Both '{rival.Path}' and '{file.Path}' say that they are complete for {claimed}; give each an origin of its own.");
        }

        file.CompleteFor = report.CompleteFor;
        file.Everywhere = [.. report.Accepted.Where(said => said.Entity.Scope == EveryScope.Name)];
        everywhere = [.. watched.SelectMany(one => one.Everywhere)];
        report = report with { Accepted = EveryScope.Expand(report.Accepted, keeper.Scopes) };
        var ended = 0;
        keeper.Learn(report.CompleteFor is { } origin ? CompleteFile.News(report, keeper.SaidBy(origin), time.NowUs(), out ended) : report.Accepted);
        return ended;
    }

    /// <summary>Lines for every scope hold in those, too, that turn up later.</summary>
    private void TellNewScopes()
    {
        var scopes = keeper.Scopes;
        if (scopes.Count == scopesToldOfEverywhere)
        {
            return;
        }

        scopesToldOfEverywhere = scopes.Count;
        if (everywhere.Count > 0)
        {
            keeper.Learn(EveryScope.Expand(everywhere, scopes));
        }
    }

    private static Stamp? StampOf(string path)
    {
        try
        {
            using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            return new(RandomAccess.GetLength(file), File.GetLastWriteTimeUtc(file));
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            // Missing for the moment, or no plain file: read at the start, never again.
            return null;
        }
    }
}
