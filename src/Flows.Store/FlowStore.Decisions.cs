using Flows.Core;
using Flows.Core.Policy;

namespace Flows.Store;

/// <summary>What drafts of policies would have done: a file an hour, replaced whenever the hour's edges or the draft change, and merged with others once the hour is over.</summary>
public sealed partial class FlowStore
{
    /// <summary>Replaces what is said in these hours of a draft for a cluster; what is said there of other drafts stays.</summary>
    /// <param name="draft">The draft's name.</param>
    /// <param name="cluster">The cluster that it is for; null where it names none.</param>
    /// <param name="hours">Begins of hours, µs since the epoch.</param>
    /// <param name="decisions">All of these hours.</param>
    public void PutDecisions(string draft, string? cluster, IReadOnlyList<long> hours, IReadOnlyList<DraftDecision> decisions)
    {
        lock (gate)
        {
            var next = manifest with { Sequence = manifest.Sequence + 1 };
            RowWriter.Decisions(engine, "decided", draft, cluster, decisions);
            foreach (var (old, its) in hours.GroupBy(hour => next.FilesOf(StoreLayout.Decisions, hour, hour + 1).FirstOrDefault()).Select(same => (same.Key, Hours: same.ToList())).ToList())
            {
                if (old is not null)
                {
                    next = ReplaceDecisions(next, old, its, draft, cluster);
                }
                else
                {
                    its.ForEach(hour => next = ReplaceDecisions(next, null, [hour], draft, cluster));
                }
            }

            engine.Execute("DROP TABLE decided");
            Commit(merge.FoldDecisions(next, time.NowUs()));
        }
    }

    /// <summary>Writes the file anew with what table <c>decided</c> says of these hours; a new one where there was none. A file keeps its tier, and so its place among those to merge.</summary>
    private Manifest ReplaceDecisions(Manifest next, StoreFile? old, List<long> hours, string draft, string? cluster)
    {
        var within = $"bucket IN ({string.Join(", ", hours.Select(Engine.Time))})";
        var columns = TableColumns.Decisions.List;
        List<StoreFile> replaced = old is null ? [] : [old];
        var kept = $"SELECT {columns} FROM {Engine.Scan(directory, replaced, TableColumns.Decisions)} AS old "
            + $"WHERE NOT ({within} AND draft = {Engine.Text(draft)} AND cluster IS NOT DISTINCT FROM {(cluster is null ? "NULL" : Engine.Text(cluster))})";
        var tier = old is null ? StoreLayout.SealTier : StoreLayout.TierOf(old);
        var file = files.Write(
            StoreLayout.Plain(StoreLayout.Decisions, $"{tier}-{hours[0] / Hour}", next.Sequence),
            $"SELECT {columns} FROM decided WHERE {within} UNION ALL {kept}",
            FileMerge.DecisionOrder,
            "bucket");
        return Replaced(next, StoreLayout.Decisions, replaced, file is null ? [] : [file]);
    }
}
