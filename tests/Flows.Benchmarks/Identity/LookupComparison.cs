using System.Diagnostics;
using System.Globalization;
using Flows.Benchmarks.Measuring;
using Flows.Core.Identity;
using Flows.Core.Map;
using Flows.Store;

namespace Flows.Benchmarks.Identity;

/// <summary>
/// P7: the bulk lookup on one pinned core against DuckDB's ASOF JOIN on two threads, over the same data in memory, answer by answer. DuckDB gets the
/// addresses as the store has them (BLOB) and, since that is what it is faster with, as plain numbers; both write their answers down.
/// </summary>
internal static class LookupComparison
{
    private const double Bar = 1.0;

    public static IEnumerable<Comparison> Run(LookupData data, int rounds)
    {
        var (entities, by) = (new ulong[data.Addresses.Length], new ResolvedBy[data.Addresses.Length]);
        var watch = Stopwatch.StartNew();
        var index = SpanIndex.Of(data.Spans);
        var indexed = watch.Elapsed;
        using var engine = Engine.Start(memoryMaxMib: 8192, threads: 2, spillDirectory: null);
        Load(engine, data);

        List<double> ours = [], blobs = [], numbers = [];
        for (var round = 0; round < rounds; round++)
        {
            ours.Add(PinnedThread.Run(new Measuring.Place(0), () => Seconds(() => index.Resolve(LookupData.Scope, data.Addresses, data.Times, entities, by))));
            blobs.Add(Join(engine, "addr", entities));
            numbers.Add(Join(engine, "addr_number", entities));
        }

        var note = string.Create(CultureInfo.InvariantCulture, $"{data.Spans.Count} intervals, {data.Addresses.Length} lookups, same answers, median of {rounds}; index made in {indexed.TotalSeconds:0.0} s");
        yield return Line("as-of lookups, addresses as stored", blobs).AtLeast(Bar);
        yield return Line("as-of lookups, addresses as numbers", numbers).AtLeast(Bar);

        Comparison Line(string what, List<double> theirs) => new()
        {
            Bar = "p7", What = what, Unit = "M rows/s", Peer = "DuckDB ASOF JOIN", Ours = MillionRows(ours), Theirs = MillionRows(theirs), Note = note,
        };

        double MillionRows(List<double> seconds) => data.Addresses.Length / Figures.Median(seconds) / 1e6;
    }

    private static void Load(Engine engine, LookupData data)
    {
        engine.Execute("CREATE TABLE spans (addr BLOB, addr_number UBIGINT, valid_from UBIGINT, valid_to UBIGINT, entity_id UBIGINT)");
        engine.Execute("CREATE TABLE questions (addr BLOB, addr_number UBIGINT, seen_at UBIGINT, number UBIGINT)");
        Append("spans", data.SpanBatches());
        Append("questions", data.QuestionBatches());

        void Append(string table, IEnumerable<Apache.Arrow.RecordBatch> batches) =>
            ArrowBridge.Show(engine.Connection, "arriving", [.. batches], () => engine.Execute($"INSERT INTO {table} SELECT * FROM arriving"));
    }

    /// <summary>Seconds of the join; then checks every answer.</summary>
    private static double Join(Engine engine, string address, ulong[] expected)
    {
        var seconds = Seconds(() => engine.Execute($"""
            CREATE OR REPLACE TABLE answers AS
            SELECT q.number, s.entity_id, q.seen_at < s.valid_to AS holds
            FROM questions q ASOF JOIN spans s ON q.{address} = s.{address} AND q.seen_at >= s.valid_from
            """));
        var answers = new ulong[expected.Length];
        engine.Read("SELECT number, entity_id FROM answers WHERE holds", row => answers[row.GetFieldValue<ulong>(0)] = row.GetFieldValue<ulong>(1));
        var wrong = Enumerable.Range(0, expected.Length).Count(number => answers[number] != expected[number]);
        return wrong == 0 ? seconds : throw BenchException.Of($"{wrong} answers differ.");
    }

    private static double Seconds(Action act)
    {
        var watch = Stopwatch.StartNew();
        act();
        return watch.Elapsed.TotalSeconds;
    }
}
