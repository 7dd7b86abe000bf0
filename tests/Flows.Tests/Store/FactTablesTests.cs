using Flows.Core;
using Flows.Core.Accounting;
using Flows.Core.Facts;
using Flows.Store;
using Flows.Tests.Support;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Flows.Tests.Store;

/// <summary>Coverage, owners, names and books of reports, in the store and in its views.</summary>
public sealed class FactTablesTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("flows-store-").FullName;
    private readonly FakeTimeProvider time = new(UnixTime.FromUs(Some.TimeUs));
    private ulong position;

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Fact]
    public void A_gap_lasts_until_the_source_says_otherwise()
    {
        using var store = Open();
        store.Seal(
        [
            Report("node-a", coverage: [Covered("accounting", CoverageLevel.None, 0, "off"), Covered("events", CoverageLevel.Full, 0)]),
            Report("node-a", coverage: [Covered("accounting", CoverageLevel.Partial, 60, "half"), Covered("accounting", CoverageLevel.Full, 90), Covered("events", CoverageLevel.None, 95, "overrun")]),
            Report("node-b", coverage: [Covered("accounting", CoverageLevel.None, 30, "nul\0 and \u001b[31m")]),
        ]);

        Assert.Equal(
            ["node-a accounting none 0 60 off", "node-a accounting partial 60 90 half", "node-a events none 95 - overrun", "node-b accounting none 30 - nul\ufffd and \u001b[31m"],
            Ask($"SELECT node, aspect, level, {Offset("since")}, {Offset("until")}, detail FROM gaps ORDER BY node, aspect, since"));
        Assert.Equal(["node-a events none overrun", "node-b accounting none nul\ufffd and \u001b[31m", "node-a accounting full "], Run("coverage", 0, long.MaxValue, "node", "aspect", "level", "detail"));
        Assert.Equal(["node-b accounting none nul\ufffd and \u001b[31m", "node-a accounting partial half", "node-a events full "], Run("coverage", 0, At(80), "node", "aspect", "level", "detail"));
        Assert.Equal(["node-b accounting", "node-a accounting"], Run("gaps", At(61), At(80), "node", "aspect"));
    }

    [Fact]
    public void Flows_name_the_owners_that_their_own_node_told()
    {
        using var store = Open();
        var owner = new OwnerFact(7, "unit", "nginx.service", 33, "/system.slice", "nginx.service", "", "", "", null, At(0));
        store.Seal(
        [
            Report("node-a", owners: [owner]),
            Report("node-a", owners: [owner with { Name = "nginx2.service", SeenAtUs = At(5), Pid = 12 }]),
            Report("node-evil", owners: [owner with { Name = "sshd.service", SeenAtUs = At(9) }]),
            Some.Record(position++, "node-a", Some.Row() with { DstOwnerId = 7 }, Some.Row(connId: 2, srcPort: 2) with { SrcOwnerId = 8 }),
        ]);

        Assert.Equal(["- unit/nginx2.service", "- -"], Ask("SELECT src_owner, dst_owner FROM flow_log ORDER BY conn_id"));
        Assert.Equal(["node-evil 7 sshd.service -", "node-a 7 nginx2.service 12"], Run("owners", 0, long.MaxValue, "node", "owner_id", "name", "pid"));
    }

    [Fact]
    public void A_flow_has_the_name_that_its_client_was_told_for_what_it_dialled()
    {
        using var store = Open();
        NameFact told = new("10.0.0.1", "old.example", "10.0.0.2", 60, At(0));
        store.Seal(
        [
            Report("node-a", names: [told, told with { Name = "new.example", SeenAtUs = At(100) }, told with { Client = "10.0.0.9", Name = "other.example" }, told with { Address = "10.0.0.3" }]),
            Report("node-b", scope: "elsewhere", names: [told with { Name = "scope.example", SeenAtUs = At(150) }]),
            Some.Record(position++, "node-a",
                Some.Row(connId: 1, atUs: At(-3)), Some.Row(connId: 2, atUs: At(-2)), Some.Row(connId: 3, atUs: At(50)), Some.Row(connId: 4, atUs: At(101)),
                Some.Row(connId: 5, atUs: At(459)), Some.Row(connId: 6, atUs: At(460)), Some.Row(connId: 7, src: "10.0.0.9", atUs: At(1)), Some.Row(connId: 8, dst: "10.0.0.8", atUs: At(1)),
                Some.Row(connId: 9, dst: "10.0.0.3", natDst: "10.0.0.8", natDstPort: 1, atUs: At(1)), Some.Row(connId: 9, windowNo: 1, dst: "10.0.0.3", natDst: "10.0.0.8", natDstPort: 1, atUs: At(61))),
        ]);

        Assert.Equal(
            ["1 -", "2 old.example", "3 old.example", "4 new.example", "5 new.example", "6 -", "7 other.example", "8 -", "9 old.example", "9 old.example"],
            Ask("SELECT conn_id, dst_fqdn FROM flow_log ORDER BY conn_id, window_no"));
        Assert.Equal(["elsewhere 10.0.0.1 scope.example", "lab 10.0.0.1 new.example", "lab 10.0.0.1 old.example", "lab 10.0.0.1 old.example", "lab 10.0.0.9 other.example"],
            Run("names", 0, long.MaxValue, "scope", "client", "name"));
    }

    [Fact]
    public void Names_of_flows_are_those_that_a_plain_search_finds()
    {
        var seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        string Host(int many) => $"10.0.0.{random.Next(1, many)}";
        var names = Enumerable.Range(0, 400).Select(i => new NameFact(Host(5), $"n{random.Next(4)}.example", Host(8), (uint)random.Next(200), At(random.Next(3000)))).ToList();
        var rows = Enumerable.Range(0, 500).Select(i => Some.Row(src: Host(6), dst: Host(9), connId: (ulong)i + 1, srcPort: (ushort)(i + 1), atUs: At(random.Next(3000)))).ToArray();
        using var store = Open();
        store.Seal([Report("node-a", names: names), Some.Record(position++, "node-a", rows)]);

        var expected = rows.Select(row =>
        {
            var told = names.Where(name => NetAddress.Parse(name.Client) == row.Src && NetAddress.Parse(name.Address) == row.Dst
                && name.SeenAtUs <= row.WindowStartUs + (2 * UnixTime.Second) && row.WindowStartUs < name.SeenAtUs + ((name.TtlSeconds + 300L) * UnixTime.Second));
            return $"{row.ConnId} {told.MaxBy(name => (name.SeenAtUs, name.Name), Comparer<(long, string)>.Create((x, y) => x.Item1 != y.Item1 ? x.Item1.CompareTo(y.Item1) : string.CompareOrdinal(x.Item2, y.Item2)))?.Name ?? "-"}";
        }).ToList();
        Assert.Equal(expected, Ask("SELECT conn_id, dst_fqdn FROM flow_log ORDER BY conn_id"));
        Assert.InRange(expected.Count(one => one.EndsWith('-')), 50, 450);
    }

    [Fact]
    public void Reports_of_every_five_seconds_stay_few_files_and_a_row_a_minute()
    {
        using var store = Open();
        var process = Guid.NewGuid();
        const int Reports = 96;
        for (var i = 0; i < Reports; i++)
        {
            var hop = new HopReport("conntrack", "events", i, i - 1, new SortedDictionary<string, long> { ["socket_overrun"] = 1 }, 0);
            store.Seal([Report("node-a", process: process, atUs: At(i * 5), hops: [hop], names: [new NameFact("10.0.0.1", $"n{i}.example", "10.0.0.2", 60, At(i))])]);
        }

        var manifest = Manifest.Read(directory);
        Assert.All([StoreLayout.Losses, StoreLayout.Names], table => Assert.InRange(manifest.FilesOf(table).Count, 1, 16));
        Assert.Equal([$"{Reports} {Reports}"], Ask("SELECT count(*), count(DISTINCT name) FROM names"));
        Assert.InRange(manifest.FilesOf(StoreLayout.Losses).Sum(file => file.Rows), Reports * 5 / 60, Reports / 4);
        Assert.Equal([$"{Reports - 1} {(Reports - 1) * 5}"], Ask($"SELECT seen, {Offset("\"at\"")} FROM losses ORDER BY \"at\" DESC LIMIT 1"));
        Assert.Equal(["conntrack socket_overrun 1"], Run("losses", 0, long.MaxValue, "hop", "reason", "count"));
    }

    [Fact]
    public void A_node_at_rest_writes_no_files_and_makes_no_reader_open_anew()
    {
        using var store = Open();
        var process = Guid.NewGuid();
        HopReport[] Books(long seen) => [new HopReport("conntrack", "events", seen, seen, new SortedDictionary<string, long>(), 0)];
        store.Seal([Report("node-a", process: process, atUs: At(0), hops: Books(1))]);
        var (sequence, files) = (store.Health.Sequence, store.Health.Files);
        for (var i = 1; i < 20; i++)
        {
            store.Seal([Report("node-a", process: process, atUs: At(i * 5), hops: Books(1))]);
        }

        Assert.Equal((sequence, files, 19UL), (store.Health.Sequence, store.Health.Files, store.SealedPosition));
        Assert.Equal(19UL, Manifest.Read(directory).IntakePosition);
        store.Seal([Report("node-a", process: process, atUs: At(100), hops: Books(2))]);
        Assert.Equal((sequence + 1, files + 1), (store.Health.Sequence, store.Health.Files));
        Assert.Equal(["1 0", "2 100"], Ask($"SELECT seen, {Offset("\"at\"")} FROM losses ORDER BY seen"));
    }

    [Fact]
    public void A_store_from_before_these_tables_opens_and_gains_them()
    {
        using (var store = Open())
        {
            store.Seal([Some.Record(position++, "node-a", Some.Row())]);
        }

        var path = Path.Combine(directory, StoreLayout.Manifest);
        var manifest = System.Text.Json.Nodes.JsonNode.Parse(File.ReadAllText(path))!;
        foreach (var table in (string[])[StoreLayout.Coverage, StoreLayout.Owners, StoreLayout.Names])
        {
            Assert.True(manifest["tables"]!.AsObject().Remove(table));
        }

        Assert.True(manifest.AsObject().Remove("superseded"));
        File.WriteAllText(path, manifest.ToJsonString());
        Assert.Equal(["- -"], Ask("SELECT dst_owner, dst_fqdn FROM flow_log"));
        using var again = Open();
        again.Seal([Report("node-a", names: [new NameFact("10.0.0.1", "db.example", "10.0.0.2", 60, At(0))])]);
        Assert.Equal(["db.example"], Ask("SELECT dst_fqdn FROM flow_log"));
    }

    [Fact]
    public void Views_serve_a_stock_engine_that_stands_in_the_store()
    {
        using var store = Open();
        store.Seal(
        [
            Report("node-a", coverage: [Covered("events", CoverageLevel.None, 0, "off")], names: [new NameFact("10.0.0.1", "db.example", "10.0.0.2", 60, At(0))]),
            Some.Record(position++, "node-a", Some.Row()),
        ]);
        using var stock = new DuckDB.NET.Data.DuckDBConnection("DataSource=:memory:");
        stock.Open();
        using var command = stock.CreateCommand();
        command.CommandText = File.ReadAllText(Path.Combine(directory, StoreLayout.Views)).Replace("read_parquet(['", $"read_parquet(['{directory}/", StringComparison.Ordinal);
        command.ExecuteNonQuery();
        command.CommandText = "SELECT (SELECT detail FROM gaps) || ' ' || (SELECT dst_fqdn FROM flow_log)";
        Assert.Equal("off db.example", command.ExecuteScalar());
    }

    private static long At(double seconds) => Some.TimeUs + (long)(seconds * UnixTime.Second);

    /// <summary>SQL for a time as seconds after the time of the tests.</summary>
    private static string Offset(string column) => $"((epoch_us({column}) - {Some.TimeUs}) / 1000000)::BIGINT";

    private static CoverageFact Covered(string aspect, CoverageLevel level, double seconds, string detail = "") => new("conntrack", aspect, level, detail, At(seconds));

    private IntakeRecord Report(
        string node, string scope = "lab", Guid? process = null, long? atUs = null, IReadOnlyList<HopReport>? hops = null,
        IReadOnlyList<CoverageFact>? coverage = null, IReadOnlyList<OwnerFact>? owners = null, IReadOnlyList<NameFact>? names = null)
    {
        var facts = new NodeFacts(coverage ?? [], owners ?? [], names ?? []);
        var report = new AccountReport(node, process ?? Guid.Empty, At(-1), atUs ?? At(0), hops ?? []) { Facts = facts.IsEmpty ? null : facts };
        return new IntakeRecord(position, new BatchId(Guid.Empty, 1, position++), node, scope, At(0), null, report);
    }

    private FlowStore Open() => FlowStore.Open(directory, time, new StoreOptions { MemoryMaxMib = 256 });

    private List<string> Ask(string sql)
    {
        using var reader = StoreReader.Open(directory);
        return reader.Engine.Read(sql, row => string.Join(' ', Enumerable.Range(0, row.FieldCount).Select(i => row.IsDBNull(i) ? "-" : row.GetValue(i))));
    }

    private List<string> Run(string question, long sinceUs, long untilUs, params string[] columns)
    {
        using var reader = StoreReader.Open(directory);
        var result = reader.Run(NamedQuery.Of(question)!, sinceUs, untilUs, 100);
        var indices = columns.Select(column => result.Columns.ToList().IndexOf(column)).ToList();
        return [.. result.Rows.Select(row => string.Join(' ', indices.Select(i => row[i] ?? "-")))];
    }
}
