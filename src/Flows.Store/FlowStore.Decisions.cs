using Flows.Core.Policy;

namespace Flows.Store;

/// <summary>What drafts of policies would have done: a file an hour, replaced whenever the hour's edges or the draft change.</summary>
public sealed partial class FlowStore
{
    /// <summary>Replaces what is said of a draft in these hours; what is said there of other drafts stays.</summary>
    public void PutDecisions(string draft, IReadOnlyList<long> hours, IReadOnlyList<DraftDecision> decisions)
    {
        lock (gate)
        {
            var next = manifest with { Sequence = manifest.Sequence + 1 };
            RowWriter.Decisions(engine, "decided", draft, decisions);
            var columns = TableColumns.Decisions.List;
            foreach (var hour in hours)
            {
                var old = next.FilesOf(StoreLayout.Decisions).Where(file => file.MinUs == hour).ToList();
                var others = $"SELECT {columns} FROM {Engine.Scan(directory, old, TableColumns.Decisions)} AS old WHERE draft <> {Engine.Text(draft)}";
                var file = files.Write(
                    StoreLayout.Dated(StoreLayout.Decisions, "hour", hour, hour + Hour - 1, next.Sequence),
                    $"SELECT {columns} FROM decided WHERE bucket = {Engine.Time(hour)} UNION ALL {others}",
                    "bucket, draft, src_entity, dst_entity, protocol, dst_port",
                    "bucket");
                next = Replaced(next, StoreLayout.Decisions, old, file is null ? [] : [file]);
            }

            engine.Execute("DROP TABLE decided");
            Commit(next);
        }
    }
}
