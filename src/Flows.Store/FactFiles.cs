using Flows.Core.Accounting;
using Flows.Core.Facts;

namespace Flows.Store;

/// <summary>Seals what reports hold into the tables <c>losses</c>, <c>coverage</c>, <c>owners</c> and <c>names</c>.</summary>
internal sealed class FactFiles(StoreFiles files, Engine engine)
{
    /// <summary>Processes whose last books are remembered; beyond it all are forgotten, which costs a row that says nothing new.</summary>
    private const int ProcessesMax = 4096;

    private readonly Dictionary<Guid, IReadOnlyList<HopReport>> stored = [];
    private readonly Dictionary<Guid, IReadOnlyList<HopReport>> pending = [];

    /// <summary>Since when the facts sealed last tell of sockets and of names, which lie in tables <c>owning</c> and <c>naming</c>; null where there are none.</summary>
    public long? ToldSinceUs { get; private set; }

    /// <summary>Writes the files of these records; <see cref="Committed"/> follows once the state names them.</summary>
    public Manifest Seal(Manifest next, List<IntakeRecord> records)
    {
        pending.Clear();
        ToldSinceUs = null;
        List<(string Scope, AccountReport Report)> reports = [.. records.Where(record => record.Account is not null).Select(record => (record.Scope, record.Account!))];
        if (reports.Count == 0)
        {
            return next;
        }

        RowWriter.Losses(engine, "lost", reports.Select(one => one.Report).Where(IsNews));
        next = Written(next, StoreLayout.Losses, "lost", FileMerge.LossOrder, "\"at\"");
        var told = reports.Where(one => one.Report.Facts is { IsEmpty: false }).ToList();
        if (told.Count == 0)
        {
            return next;
        }

        RowWriter.Coverage(engine, "covered", told.Select(one => one.Report));
        RowWriter.Owners(engine, "owning", told.Select(one => one.Report));
        RowWriter.Names(engine, "naming", told);
        ToldSinceUs = told.SelectMany(one => one.Report.Facts!.Owners.Select(owner => owner.SeenAtUs).Concat(one.Report.Facts.Names.Select(name => name.SeenAtUs)))
            .Select(at => (long?)at).DefaultIfEmpty().Min();
        next = Written(next, StoreLayout.Coverage, "covered", FileMerge.CoverageOrder, "\"at\"");
        next = Written(next, StoreLayout.Owners, "owning", FileMerge.OwnerOrder, "seen_at");
        return Written(next, StoreLayout.Names, "naming", FileMerge.NameOrder, "seen_at");
    }

    public void Committed()
    {
        if (stored.Count + pending.Count > ProcessesMax)
        {
            stored.Clear();
        }

        foreach (var (process, books) in pending)
        {
            stored[process] = books;
        }
    }

    /// <summary>A node at rest reports the same books every few seconds: they are stored once.</summary>
    private bool IsNews(AccountReport report)
    {
        var last = pending.GetValueOrDefault(report.Process) ?? stored.GetValueOrDefault(report.Process);
        pending[report.Process] = report.Hops;
        return last is null || last.Count != report.Hops.Count || !last.Zip(report.Hops).All(pair => Same(pair.First, pair.Second));
    }

    private static bool Same(HopReport last, HopReport now) =>
        last.Hop == now.Hop && last.Unit == now.Unit && last.Seen == now.Seen && last.Forwarded == now.Forwarded && last.InFlight == now.InFlight
        && last.Dropped.OrderBy(drop => drop.Key, StringComparer.Ordinal).SequenceEqual(now.Dropped.OrderBy(drop => drop.Key, StringComparer.Ordinal));

    private Manifest Written(Manifest next, string table, string rows, string order, string time)
    {
        var file = files.Write(StoreLayout.Plain(table, "seal", next.Sequence), $"SELECT * FROM {rows}", order, time);
        return file is null ? next : next.With(table, next.FilesOf(table).Append(file));
    }
}
