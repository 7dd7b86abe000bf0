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
    private const string Later = "merge";

    /// <summary>Sorts flows as sealing does.</summary>
    public const string FlowOrder = "window_start, scope_id, src_addr, dst_addr, src_port, dst_port, window_no";

    /// <summary>Sorts losses as sealing does.</summary>
    public const string LossOrder = "\"at\", node, hop, reason";

    /// <summary>The state after all folding that is due.</summary>
    public Manifest Fold(Manifest state, long nowUs)
    {
        state = Fold(state, StoreLayout.Flows, TableColumns.Flows, FlowOrder, "window_start", nowUs);
        return Fold(state, StoreLayout.Losses, TableColumns.Losses, LossOrder, "\"at\"", nowUs);
    }

    private Manifest Fold(Manifest state, string table, TableColumns columns, string order, string time, long nowUs)
    {
        while (Due(state.FilesOf(table)) is { } due)
        {
            var scan = Engine.Scan(directory, due.Files, columns);
            var (min, max) = (due.Files.Min(file => file.MinUs), due.Files.Max(file => file.MaxUs));
            var tier = string.Create(CultureInfo.InvariantCulture, $"{Later}{due.Generation + 1}");
            var path = table == StoreLayout.Flows ? StoreLayout.Dated(table, tier, min, max, state.Sequence) : StoreLayout.Plain(table, tier, state.Sequence);
            var merged = files.Write(path, $"SELECT * FROM {scan}", order, time)!;
            state = state.With(table, [.. state.FilesOf(table).Except(due.Files), merged]) with
            {
                Superseded = [.. state.Superseded, .. due.Files.Select(file => new SupersededFile(file.Path, nowUs))],
            };
        }

        return state;
    }

    /// <summary>The oldest generation of one folder that has enough files; null where none has.</summary>
    private static (int Generation, List<StoreFile> Files)? Due(IReadOnlyList<StoreFile> live) => live
        .GroupBy(file => (Folder: Path.GetDirectoryName(file.Path), Generation: GenerationOf(file)))
        .Where(group => group.Count() >= FilesMin)
        .OrderBy(group => group.Key.Folder, StringComparer.Ordinal)
        .ThenBy(group => group.Key.Generation)
        .Select(group => ((int, List<StoreFile>)?)(group.Key.Generation, [.. group]))
        .FirstOrDefault();

    private static int GenerationOf(StoreFile file)
    {
        var tier = Path.GetFileName(file.Path).Split('-')[0];
        return tier.StartsWith(Later, StringComparison.Ordinal) ? int.Parse(tier.AsSpan(Later.Length), CultureInfo.InvariantCulture) : 0;
    }
}
