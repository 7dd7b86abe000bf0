using System.Globalization;
using Flows.Core;

namespace Flows.Store;

/// <summary>
/// Folds small files together, so that a store which is sealed every few seconds stays a few dozen files a day. Sixteen files of one
/// generation in one folder become one of the next: a day of seals, 43,200 of them, is rewritten four times at most.
/// </summary>
internal sealed class FileMerge(StoreFiles files, string directory)
{
    private const int FilesMin = 16;

    /// <summary>Sorts flows, which sealing does not: it is half of what writing them costs.</summary>
    private const string FlowOrder = "window_start, scope_id, src_addr, dst_addr, src_port, dst_port, window_no";

    /// <summary>Sorts losses as sealing does.</summary>
    public const string LossOrder = "\"at\", node, hop, reason";

    /// <summary>Sorts coverage as sealing does.</summary>
    public const string CoverageOrder = "\"at\", node, source, aspect";

    /// <summary>Sorts owners as sealing does.</summary>
    public const string OwnerOrder = "seen_at, node, owner_id";

    /// <summary>Sorts names as sealing does.</summary>
    public const string NameOrder = "seen_at, node, client, name, address";

    /// <summary>Sorts what inventories said as learning does.</summary>
    public const string StatementOrder = "learned_at, interval_id";

    /// <summary>Sorts decisions as judging does.</summary>
    public const string DecisionOrder = "bucket, draft, cluster, src_entity, dst_entity, protocol, dst_port";

    /// <summary>An hour of decisions is written again and again while it lasts and for as long as nodes are late; only then is it worth merging.</summary>
    private const long DecisionsRestUs = 120 * UnixTime.Minute;

    /// <summary>
    /// Books are counted from the start of a process on, so of the reports of a minute the last says it all; a report every five seconds would
    /// otherwise be most of a quiet store.
    /// </summary>
    private const string LastOfMinute = """QUALIFY row_number() OVER (PARTITION BY node, process, hop, reason, date_trunc('minute', "at") ORDER BY "at" DESC) = 1""";

    /// <summary>The state after all folding that is due.</summary>
    public Manifest Fold(Manifest state, long nowUs)
    {
        state = Fold(state, StoreLayout.Flows, FlowOrder, "window_start", nowUs);
        state = Fold(state, StoreLayout.Losses, LossOrder, "\"at\"", nowUs, LastOfMinute);
        state = Fold(state, StoreLayout.Coverage, CoverageOrder, "\"at\"", nowUs);
        state = Fold(state, StoreLayout.Owners, OwnerOrder, "seen_at", nowUs);
        state = Fold(state, StoreLayout.Names, NameOrder, "seen_at", nowUs);
        state = Fold(state, StoreLayout.Identities, StatementOrder, "learned_at", nowUs);
        state = Fold(state, StoreLayout.ServicePorts, StatementOrder, "learned_at", nowUs);
        state = Fold(state, StoreLayout.Backends, StatementOrder, "learned_at", nowUs);
        state = Fold(state, StoreLayout.ClusterObjects, StatementOrder, "learned_at", nowUs);
        state = Fold(state, StoreLayout.TimelineTable, LayeredTable.Timeline.Order, "valid_from", nowUs, until: "valid_to");
        return Fold(state, StoreLayout.Entities, LayeredTable.Entities.Order, time: null, nowUs);
    }

    /// <summary>The state after folding the decisions of hours that have come to rest.</summary>
    public Manifest FoldDecisions(Manifest state, long nowUs) => Fold(state, StoreLayout.Decisions, DecisionOrder, "bucket", nowUs, restUs: DecisionsRestUs);

    /// <param name="state">The state.</param>
    /// <param name="table">Whose files.</param>
    /// <param name="order">How to sort the rows.</param>
    /// <param name="time">The column whose bounds the manifest keeps.</param>
    /// <param name="nowUs">The time.</param>
    /// <param name="kept">SQL that leaves out what a longer view of the rows makes needless.</param>
    /// <param name="until">The column whose greatest value is the upper bound; <paramref name="time"/> unless given.</param>
    /// <param name="restUs">Files that hold anything younger are left alone.</param>
    private Manifest Fold(Manifest state, string table, string order, string? time, long nowUs, string kept = "", string? until = null, long restUs = 0)
    {
        while (Due(state.FilesOf(table).Where(file => restUs == 0 || file.MaxUs < nowUs - restUs)) is { } due)
        {
            var scan = Engine.Scan(directory, due.Files, TableColumns.Of(table));
            var (min, max) = (due.Files.Min(file => file.MinUs), due.Files.Max(file => file.MaxUs));
            var tier = string.Create(CultureInfo.InvariantCulture, $"{StoreLayout.MergeTier}{due.Generation + 1}");
            var path = table == StoreLayout.Flows ? StoreLayout.Dated(table, tier, min, max, state.Sequence) : StoreLayout.Plain(table, tier, state.Sequence);
            var merged = files.Write(path, $"SELECT * FROM {scan} {kept}", order, time, until)!;
            state = state.With(table, [.. state.FilesOf(table).Except(due.Files), merged]) with
            {
                Superseded = [.. state.Superseded, .. due.Files.Select(file => new SupersededFile(file.Path, nowUs))],
            };
        }

        return state;
    }

    /// <summary>The oldest generation of one folder that has enough files; null where none has. Files of other tiers are somebody else's.</summary>
    private static (int Generation, List<StoreFile> Files)? Due(IEnumerable<StoreFile> live) => live
        .Where(IsSealed)
        .GroupBy(file => (Folder: Path.GetDirectoryName(file.Path), Generation: GenerationOf(file)))
        .Where(group => group.Count() >= FilesMin)
        .OrderBy(group => group.Key.Folder, StringComparer.Ordinal)
        .ThenBy(group => group.Key.Generation)
        .Select(group => ((int, List<StoreFile>)?)(group.Key.Generation, [.. group]))
        .FirstOrDefault();

    /// <summary>Whether the file is one that sealing or merging wrote.</summary>
    public static bool IsSealed(StoreFile file) =>
        StoreLayout.TierOf(file) is var tier && (tier == StoreLayout.SealTier || tier.StartsWith(StoreLayout.MergeTier, StringComparison.Ordinal));

    private static int GenerationOf(StoreFile file)
    {
        var tier = StoreLayout.TierOf(file);
        return tier == StoreLayout.SealTier ? 0 : int.Parse(tier.AsSpan(StoreLayout.MergeTier.Length), CultureInfo.InvariantCulture);
    }
}
