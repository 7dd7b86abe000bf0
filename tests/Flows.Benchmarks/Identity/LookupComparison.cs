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

        var plain = Plain(engine, data.Addresses.Length);
        List<double> ours = [];
        List<(double Seconds, int Wrong)> blobs = [], numbers = [];
        for (var round = 0; round < rounds; round++)
        {
            ours.Add(PinnedThread.Run(new Measuring.Place(0), () => Seconds(() => index.Resolve(LookupData.Scope, data.Addresses, data.Times, entities, by))));
            if (Differing(entities, plain) is > 0 and var wrong)
            {
                throw BenchException.Of($"{wrong} answers differ from a plain join's.");
            }

            blobs.Add(Join(engine, "addr", plain));
            numbers.Add(Join(engine, "addr_number", plain));
        }

        yield return Line("as-of lookups, addresses as stored", blobs);
        yield return Line("as-of lookups, addresses as numbers", numbers);

        Comparison Line(string what, List<(double Seconds, int Wrong)> theirs) => new Comparison
        {
            Bar = "p7",
            What = what,
            Unit = "M rows/s",
            Peer = "DuckDB ASOF JOIN",
            Ours = MillionRows(ours),
            Theirs = MillionRows(theirs.ConvertAll(run => run.Seconds)),
            Note = string.Create(
                CultureInfo.InvariantCulture,
                $"{data.Spans.Count} intervals, {data.Addresses.Length} lookups, wrong answers 0 and {theirs.Max(run => run.Wrong)}, median of {rounds}; index made in {indexed.TotalSeconds:0.0} s"),
        }.AtLeast(Bar);

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

    /// <summary>The answers by a plain range join, which both sides are held to.</summary>
    private static ulong[] Plain(Engine engine, int count)
    {
        engine.Execute("""
            CREATE TABLE answers AS SELECT q.number, s.entity_id, true AS holds
            FROM questions q JOIN spans s ON q.addr_number = s.addr_number AND q.seen_at >= s.valid_from AND q.seen_at < s.valid_to
            """);
        return Answers(engine, count);
    }

    /// <summary>Seconds of the join, and how many of its answers are wrong.</summary>
    private static (double Seconds, int Wrong) Join(Engine engine, string address, ulong[] expected)
    {
        var seconds = Seconds(() => engine.Execute($"""
            CREATE OR REPLACE TABLE answers AS
            SELECT q.number, s.entity_id, q.seen_at < s.valid_to AS holds
            FROM questions q ASOF JOIN spans s ON q.{address} = s.{address} AND q.seen_at >= s.valid_from
            """));
        return (seconds, Differing(Answers(engine, expected.Length), expected));
    }

    private static ulong[] Answers(Engine engine, int count)
    {
        var answers = new ulong[count];
        using var command = engine.Connection.CreateCommand();
        command.CommandText = "SELECT number, entity_id FROM answers WHERE holds";
        using var rows = command.ExecuteReader();
        while (rows.Read())
        {
            answers[rows.GetFieldValue<ulong>(0)] = rows.GetFieldValue<ulong>(1);
        }

        return answers;
    }

    private static int Differing(ulong[] answers, ulong[] expected) => Enumerable.Range(0, expected.Length).Count(number => answers[number] != expected[number]);

    private static double Seconds(Action act)
    {
        var watch = Stopwatch.StartNew();
        act();
        return watch.Elapsed.TotalSeconds;
    }
}
