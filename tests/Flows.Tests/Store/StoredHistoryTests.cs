using Flows.Core;
using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.Core.Map;
using Flows.Store;
using Flows.Tests.Identity;
using Flows.Tests.Support;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Flows.Tests.Store;

/// <summary>Whatever happens and however it is heard: SQL and edges answer as the plainest reading of all statements does, over restarts and folding.</summary>
public sealed class StoredHistoryTests(ITestOutputHelper output)
{
    private const int Histories = 4;
    private const int Flows = 40;
    private const long SpanUs = 3 * 60 * UnixTime.Minute;

    // Few rows are many here: every other change folds, and what is over is sealed.
    private static readonly StoreOptions Options = new() { MemoryMaxMib = 256, LateWindow = TimeSpan.FromMinutes(30), RecentRowsMax = 6 };

    private const string Overlapping = """
        WITH spans AS (SELECT *, row_number() OVER () AS number, coalesce(valid_to, 'infinity'::TIMESTAMP) AS ends FROM timeline WHERE prefix_len = 128)
        SELECT addr(a.addr_lo) FROM spans a JOIN spans b ON a.scope_id = b.scope_id AND a.addr_lo = b.addr_lo AND a.number <> b.number WHERE a.valid_from <= b.valid_from AND a.ends > b.valid_from
        """;

    [Fact]
    public void Stored_answers_and_edges_are_the_oracles()
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("FLOWS_HISTORY_SEED"), out var given) ? given : Random.Shared.Next();
        output.WriteLine($"FLOWS_HISTORY_SEED={seed}");
        for (var number = 0; number < Histories; number++)
        {
            var directory = Directory.CreateTempSubdirectory("flows-history-").FullName;
            try
            {
                Check(new Random(seed ^ (number * 7919)), directory, $"seed {seed}, history {number}");
            }
            finally
            {
                Directory.Delete(directory, recursive: true);
            }
        }
    }

    private static void Check(Random random, string directory, string where)
    {
        var history = new RandomHistory(random, Some.TimeUs, SpanUs, stories: 9);
        FlowRow[] rows = [.. Enumerable.Range(0, Flows).Select(number => RowOf(random, number))];
        Fill(random, directory, history, rows);

        List<IdentityInterval> delivered = [.. history.Deliveries.SelectMany(batch => batch)];
        using var reader = StoreReader.Open(directory);
        Assert.Empty(reader.Engine.Read(Overlapping, row => row.GetString(0)));
        Assert.Empty(reader.Engine.Read("SELECT entity_id FROM entities GROUP BY entity_id HAVING count(*) > 1", row => row.GetFieldValue<ulong>(0)));
        foreach (var address in RandomHistory.Addresses)
        {
            foreach (var time in history.Moments(delivered).Where(_ => random.Next(12) == 0))
            {
                var (by, entity) = RandomHistory.Truth(delivered, address, time);
                var found = reader.Engine.Read($"SELECT entity_id FROM who('{address}', {Engine.Time(time)})", row => row.GetFieldValue<ulong>(0));
                var answer = found.Count switch { 0 => 0UL, 1 => found[0], _ => Entity.IdOfAmbiguous(found) };
                Assert.True(entity == answer && found.Count > 1 == (by == ResolvedBy.Ambiguous), $"{where}: {address} at {time}: {by} {entity}, not {string.Join(' ', found)}");
            }
        }

        var expected = rows.Select(row => Line(row.WindowStartUs / UnixTime.Minute * UnixTime.Minute, Named(delivered, row.Src, row.WindowStartUs), Named(delivered, row.Dst, row.WindowStartUs)));
        var edges = reader.Engine.Read(
            "SELECT epoch_us(bucket), src_entity, src_resolved_by, dst_entity, dst_resolved_by, connections FROM edges_1m",
            row => Enumerable.Repeat(Line(row.GetInt64(0), (row.GetFieldValue<ulong>(1), row.GetFieldValue<byte>(2)), (row.GetFieldValue<ulong>(3), row.GetFieldValue<byte>(4))), (int)row.GetInt64(5)));
        var (missing, wrong) = (expected.Order(StringComparer.Ordinal).ToList(), edges.SelectMany(edge => edge).Order(StringComparer.Ordinal).ToList());
        Assert.True(missing.SequenceEqual(wrong), $"{where}: {string.Join(", ", missing.Except(wrong))} not {string.Join(", ", wrong.Except(missing))}");
    }

    /// <summary>Statements and flows arrive in turns; the store is closed and opened now and then.</summary>
    private static void Fill(Random random, string directory, RandomHistory history, FlowRow[] rows)
    {
        var time = new FakeTimeProvider(UnixTime.FromUs(Some.TimeUs));
        var store = FlowStore.Open(directory, time, Options);
        var (position, sealedRows) = (0UL, 0);
        foreach (var batch in history.Deliveries)
        {
            time.SetUtcNow(UnixTime.FromUs(Math.Max(time.NowUs(), batch.Max(said => said.LearnedAtUs))));
            store.AddIdentities(batch);
            if (random.Next(3) == 0)
            {
                SealSome(random.Next(1, 6));
            }

            if (random.Next(8) == 0)
            {
                store.Dispose();
                store = FlowStore.Open(directory, time, Options);
            }
        }

        SealSome(rows.Length);
        store.Dispose();

        void SealSome(int count)
        {
            var some = rows.Skip(sealedRows).Take(count).ToArray();
            sealedRows += some.Length;
            if (some.Length > 0)
            {
                store.Seal([Some.Record(++position, "node-a", some)]);
            }
        }
    }

    private static FlowRow RowOf(Random random, int number) => Some.Row(
        RandomHistory.Addresses[random.Next(5)], RandomHistory.Addresses[random.Next(5)], (ushort)(1000 + number), atUs: Some.TimeUs + random.NextInt64(SpanUs), connId: (ulong)number + 1);

    private static (ulong Entity, byte By) Named(List<IdentityInterval> said, NetAddress address, long timeUs)
    {
        var (by, entity) = RandomHistory.Truth(said, address.ToString(), timeUs);
        return (by == ResolvedBy.Unknown ? Entity.IdOfUnknown(RandomHistory.Scope, address) : entity, (byte)by);
    }

    /// <summary>Whether a name was late is a matter of when it was said, which the plain reading does not look at.</summary>
    private static string Line(long bucket, (ulong Entity, byte By) src, (ulong Entity, byte By) dst) => $"{bucket} {src.Entity} {Plain(src.By)} {dst.Entity} {Plain(dst.By)}";

    private static byte Plain(byte by) => by == (byte)ResolvedBy.Late ? (byte)ResolvedBy.AsOf : by;
}
