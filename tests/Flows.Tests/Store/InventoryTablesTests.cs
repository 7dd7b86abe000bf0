using Flows.Core;
using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.Store;
using Flows.Tests.Support;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Flows.Tests.Store;

public sealed class InventoryTablesTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("flows-inventory-").FullName;
    private readonly FakeTimeProvider time = new(UnixTime.FromUs(Some.TimeUs));

    [Fact]
    public void Services_backends_and_objects_are_known_as_of_then()
    {
        using var store = Open();
        var port = new ServicePort { IntervalId = 1, ServiceId = 7, Scope = "lab", Protocol = 6, Port = 80, Name = "web", TargetPort = "http", ValidFromUs = Some.TimeUs, LearnedAtUs = Some.TimeUs };
        var backend = new Backend { IntervalId = 2, ServiceId = 7, Scope = "lab", Address = NetAddress.Parse("10.0.0.2"), Protocol = 6, Port = 8080, PortName = "web", TargetId = 9, Ready = true, ValidFromUs = Some.TimeUs, LearnedAtUs = Some.TimeUs };
        var thing = new ClusterObject { IntervalId = 3, Cluster = "c1", Kind = "v1/Namespace", Name = "shop\0x", Uid = "u", Json = "{}", ValidFromUs = Some.TimeUs, LearnedAtUs = Some.TimeUs };
        store.Learn(new InventoryNews { ServicePorts = [port], Backends = [backend], Objects = [thing] });
        store.Learn(new InventoryNews { ServicePorts = [port with { ValidToUs = Some.TimeUs + 50, LearnedAtUs = Some.TimeUs + 60 }], Backends = [backend with { Ready = false, LearnedAtUs = Some.TimeUs + 60 }] });

        using var reader = StoreReader.Open(directory);
        Assert.Equal([1L], Counts(reader, $"service_ports_at({Engine.Time(Some.TimeUs + 49)})"));
        Assert.Equal([0L], Counts(reader, $"service_ports_at({Engine.Time(Some.TimeUs + 50)})"));
        Assert.Equal([2L], Counts(reader, "service_ports"));
        Assert.Equal(["10.0.0.2 false"], reader.Engine.Read($"SELECT addr(addr) || ' ' || ready FROM backends_at({Engine.Time(Some.TimeUs + 70)})", row => row.GetString(0)));
        Assert.Equal(["v1/Namespace shop\ufffdx"], reader.Engine.Read($"SELECT kind || ' ' || name FROM cluster_objects_at({Engine.Time(Some.TimeUs)})", row => row.GetString(0)));
    }

    [Fact]
    public void Same_statements_a_second_time_write_nothing()
    {
        using var store = Open();
        var said = Some.Identity(Some.Pod("a"), "10.0.0.1", Some.TimeUs);
        store.AddIdentities([said]);
        var before = store.Health.Sequence;
        store.AddIdentities([said, said with { LearnedAtUs = Some.TimeUs + 5 }]);
        Assert.Equal(before, store.Health.Sequence);
        Assert.Single(store.Identities());
        Assert.Empty(store.Identities("kubernetes"));
    }

    [Fact]
    public void Address_that_begins_ranges_is_found_with_them()
    {
        using var store = Open();
        store.AddIdentities([Some.Identity(Some.Pod("exact"), "10.0.0.0", Some.TimeUs), Some.Identity(Some.Pod("wide"), "10.0.0.0", Some.TimeUs + 1, prefix: 104), Some.Identity(Some.Pod("other"), "10.0.0.1", Some.TimeUs)]);
        using var reader = StoreReader.Open(directory);
        Assert.Equal(["exact", "wide"], reader.IdentitiesAbout(NetAddress.Parse("10.0.0.0")).Select(said => said.Entity.Name));
        Assert.Equal(["other", "wide"], reader.IdentitiesAbout(NetAddress.Parse("10.0.0.1")).Select(said => said.Entity.Name));
    }

    [Fact]
    public void Store_of_an_earlier_version_opens_and_goes_on()
    {
        using (var store = Open())
        {
            store.AddIdentities([Some.Identity(Some.Pod("a"), "10.0.0.1", Some.TimeUs)]);
        }

        var manifest = Manifest.Read(directory);
        using (var engine = Engine.Start(128, 1, null))
        {
            foreach (var (table, grown) in new[] { (StoreLayout.Identities, "end_uncertain, ports"), (StoreLayout.Entities, "ports") })
            {
                var file = Assert.Single(manifest.FilesOf(table));
                var path = Path.Combine(directory, file.Path);
                engine.Execute($"CREATE OR REPLACE TABLE old AS SELECT * EXCLUDE ({grown}) FROM read_parquet({Engine.Text(path)}); COPY old TO {Engine.Text(path)} (FORMAT parquet)");
                manifest = manifest.With(table, [file with { Bytes = new FileInfo(path).Length }]);
            }
        }

        manifest.Write(directory);
        using (var store = Open())
        {
            Assert.False(Assert.Single(store.Identities()).EndUncertain);
            Assert.Equal("a", Assert.Single(store.Ledger.At("lab", NetAddress.Parse("10.0.0.1"), Some.TimeUs + 1).Candidates).Name);
            var named = Some.Pod("a") with { Ports = LabelDictionary.Of([new("http/tcp", "8080")]) };
            store.AddIdentities([Some.Identity(named, "10.0.0.1", Some.TimeUs, Some.TimeUs + 9, Some.TimeUs + 10) with { EndUncertain = true }]);
        }

        using var reader = StoreReader.Open(directory);
        Assert.Equal(["false", "true"], reader.Engine.Read("SELECT end_uncertain::VARCHAR FROM identities ORDER BY learned_at", row => row.GetString(0)));
        Assert.True(reader.IdentitiesAbout(NetAddress.Parse("10.0.0.1"))[1].EndUncertain);
        Assert.Equal(["{}", "{\"http/tcp\":\"8080\"}"], reader.Engine.Read("SELECT ports FROM identities ORDER BY learned_at", row => row.GetString(0)));
        Assert.Equal("8080", Assert.Single(reader.Entities()).Ports["http/tcp"]);
    }

    [Fact]
    public void Correction_after_days_replaces_a_sealed_row()
    {
        var options = new StoreOptions { MemoryMaxMib = 256, RecentRowsMax = 1 };
        using var store = FlowStore.Open(directory, time, options);

        // Addresses that end in the same three bits are folded together.
        var end = Some.TimeUs + 1000;
        store.AddIdentities([Some.Identity(Some.Pod("a"), "10.0.0.1", Some.TimeUs, end), Some.Identity(Some.Pod("b"), "10.0.0.2", Some.TimeUs, end), Some.Identity(Some.Pod("c"), "10.0.0.3", Some.TimeUs)]);
        time.Advance(TimeSpan.FromDays(3));
        store.AddIdentities([Some.Identity(Some.Pod("d"), "10.0.0.9", time.NowUs()), Some.Identity(Some.Pod("e"), "10.0.0.17", time.NowUs())]);
        Assert.Contains(Manifest.Read(directory).FilesOf(StoreLayout.TimelineTable), FileMerge.IsSealed);
        store.AddIdentities([Some.Identity(Some.Pod("a"), "10.0.0.1", Some.TimeUs, Some.TimeUs + 500, time.NowUs()), Some.Identity(Some.Pod("f"), "10.0.0.25", time.NowUs())]);

        using var reader = StoreReader.Open(directory);
        Assert.Equal(
            ["10.0.0.1 500", "10.0.0.2 1000", "10.0.0.3 -", "10.0.0.9 -", "10.0.0.17 -", "10.0.0.25 -"],
            reader.Engine.Read($"SELECT addr(addr_lo) || ' ' || coalesce((epoch_us(valid_to) - {Some.TimeUs})::VARCHAR, '-') FROM timeline ORDER BY addr_lo", row => row.GetString(0)));
        Assert.Equal([6L], Counts(reader, "entities"));
    }

    public void Dispose() => Directory.Delete(directory, recursive: true);

    private static List<long> Counts(StoreReader reader, string table) => reader.Engine.Read($"SELECT count(*) FROM {table}", row => row.GetInt64(0));

    private FlowStore Open() => FlowStore.Open(directory, time, new StoreOptions { MemoryMaxMib = 256 });
}
