using Flows.Core;

namespace Flows.Store;

/// <summary>Finds the minutes whose edges late knowledge touches: those in which a touched address spoke within a changed span, or a socket or a name is told of.</summary>
internal sealed class DirtyBuckets(Engine engine, string directory, EdgeRollup rollup)
{
    private static readonly string[] Sides = ["f.src_addr", "f.dst_addr", "f.nat_dst_addr"];

    /// <summary>Fills the temporary table <c>dirty</c>.</summary>
    /// <returns>How many buckets it holds.</returns>
    public long Mark(Manifest manifest, IReadOnlyList<AnswerChange> changes)
    {
        engine.Execute("CREATE OR REPLACE TEMP TABLE dirty (bucket TIMESTAMP)");

        // A change about a time of which nothing is sealed yet, which is what nearly all are, looks into no file.
        var files = manifest.FilesOf(StoreLayout.Flows).ToDictionary(file => file, file => changes.Where(change => Overlaps(change, file)).ToList());
        List<AnswerChange> some = [.. files.Values.SelectMany(touching => touching).Distinct()];
        if (some.Count == 0)
        {
            return 0;
        }

        RowWriter.Changes(engine, "changed", some);
        var flows = Engine.Scan(directory, files.Where(file => file.Value.Count > 0).Select(file => file.Key), TableColumns.Flows);
        var (from, to) = (some.Min(change => change.FromUs), some.Max(change => change.ToUs));
        engine.Execute($"INSERT INTO dirty {Query(flows, from - UnixTime.Minute - rollup.MarginUs, to == long.MaxValue ? to : to + UnixTime.Minute + rollup.MarginUs)}; DROP TABLE changed");
        return engine.Read("SELECT count(*) FROM dirty", row => row.GetInt64(0))[0];
    }

    /// <summary>Adds to <c>dirty</c> the buckets of sealed flows whose sockets or names tables <c>owning</c> and <c>naming</c> now tell of.</summary>
    public void MarkTold(Manifest manifest, long sinceUs)
    {
        var files = manifest.FilesOf(StoreLayout.Flows).Where(file => file.MaxUs >= sinceUs - UnixTime.Minute).ToList();
        var flows = Engine.Scan(directory, files, TableColumns.Flows);
        engine.Execute($"""
            INSERT INTO dirty
            WITH touched AS (
                SELECT window_start FROM {flows} WHERE src_owner_id IN (SELECT owner_id FROM owning) OR dst_owner_id IN (SELECT owner_id FROM owning)
                UNION ALL
                SELECT f.window_start FROM {flows} f JOIN naming n ON stable_id('scope', n.scope) = f.scope_id AND n.client = f.src_addr AND n.address = f.dst_addr
                WHERE f.conn_start >= n.seen_at - {Asking.Slack})
            SELECT DISTINCT unnest({rollup.BucketsOf("window_start")}) FROM touched
            """);
    }

    /// <summary>
    /// A connection may have been named at the time of a window in the same minute that another node saw, or at its begin, which may lie long before all that is in
    /// the file.
    /// </summary>
    private bool Overlaps(AnswerChange change, StoreFile flows) => change.FromUs <= flows.MaxUs + rollup.MarginUs;

    /// <summary>
    /// A connection is named at its begin, or at the begin of its first window in the bucket. Where nobody translated it, that window is a row with the same
    /// addresses, and its time is the row's. Else another witness may have seen it before, at another address: no sooner than the connection began,
    /// and no later than this row.
    /// </summary>
    private string Query(string flows, long fromUs, long toUs) => $"""
        WITH rows_then AS (
            SELECT scope_id, src_addr, dst_addr, nat_dst_addr, window_start, conn_start, nat_dst_addr IS NOT NULL OR nat_src_addr IS NOT NULL AS translated
            FROM {flows} WHERE window_start >= {Engine.Time(fromUs)} AND least(window_start, conn_start) <= {Engine.Time(toUs)}),
        spoken AS (
            {string.Join("\n    UNION ALL ", Sides.SelectMany(Spoken))}),
        viewed AS (
            SELECT window_start, conn_start, translated, valid_from, valid_to,
                unnest(CASE WHEN translated OR conn_start < window_start THEN {rollup.BucketsOf("window_start")} ELSE [date_trunc('minute', window_start)] END) AS bucket
            FROM spoken),
        named AS (
            SELECT *, CASE WHEN translated THEN greatest(bucket, conn_start - to_microseconds({rollup.MarginUs})) ELSE window_start END AS soonest,
                least(window_start, bucket + INTERVAL 1 MINUTE - INTERVAL 1 MICROSECOND) AS latest
            FROM viewed)
        SELECT DISTINCT bucket FROM named WHERE (valid_from <= latest AND (valid_to IS NULL OR soonest < valid_to))
            OR (conn_start < window_start AND valid_from <= conn_start AND (valid_to IS NULL OR conn_start - to_microseconds({rollup.MarginUs}) < valid_to))
        """;

    private static IEnumerable<string> Spoken(string side)
    {
        const string Rows = "SELECT f.window_start, f.conn_start, f.translated, c.valid_from, c.valid_to FROM rows_then f JOIN changed c ON c.scope_id = f.scope_id";
        yield return $"{Rows} AND c.addr_lo = {side} AND c.addr_lo = c.addr_hi";
        yield return $"{Rows} AND c.addr_lo < c.addr_hi AND {side} BETWEEN c.addr_lo AND c.addr_hi";
    }
}
