using Flows.Core;
using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.Core.Map;
using Flows.Store;
using Flows.Tests.Support;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Flows.Tests.Store;

public sealed class FlowStoreTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("flows-store-").FullName;
    private readonly FakeTimeProvider time = new(UnixTime.FromUs(Some.TimeUs));

    [Fact]
    public void Empty_store_has_every_view()
    {
        using var store = Open();
        using var reader = StoreReader.Open(directory);
        foreach (var view in new[] { "flows", "identities", "edges_1m", "losses", "flow_log", "edges", "dependencies", "unresolved", "nodes", "entities", "timeline", "coverage", "owners", "names", "gaps", "service_ports", "backends", "cluster_objects" })
        {
            Assert.Equal([0L], reader.Engine.Read($"SELECT count(*) FROM {view}", row => row.GetInt64(0)));
        }

        Assert.Empty(reader.Engine.Read("SELECT name FROM who('10.0.0.1', TIMESTAMP '2026-01-31 10:00:00')", row => row.GetString(0)));
        Assert.Empty(reader.Edges(0, long.MaxValue));
        Assert.All(NamedQuery.All, query => Assert.Equal(query.Columns, reader.Run(query, 0, long.MaxValue, 10).Columns));
    }

    [Fact]
    public void Many_small_seals_stay_few_files_with_every_row()
    {
        using var store = Open();
        for (var i = 0; i < 40; i++)
        {
            store.Seal([Some.Record((ulong)i, "node-a", Some.Row(atUs: Some.TimeUs + i, connId: (ulong)i + 1, srcPort: (ushort)(40_000 + i)))]);
        }

        using var reader = StoreReader.Open(directory);
        Assert.Equal([(40L, 40L)], reader.Engine.Read("SELECT count(*), count(DISTINCT conn_id) FROM flows", row => (row.GetInt64(0), row.GetInt64(1))));
        Assert.Equal(40, reader.Edges(0, long.MaxValue).Sum(edge => edge.Connections));
        Assert.InRange(Manifest.Read(directory).FilesOf(StoreLayout.Flows).Count, 1, 16);
    }

    [Fact]
    public void A_witness_before_the_translation_takes_it_from_the_one_that_made_it()
    {
        using var store = Open();
        store.Seal(
        [
            Some.Record(1, "vm", Some.Row(dst: "10.96.0.1", connId: 1, node: "vm", source: FlowSource.Packets)),
            Some.Record(2, "node-a", Some.Row(dst: "10.96.0.1", natDst: "10.0.0.2", natDstPort: 8443, connId: 2)),
            Some.Record(3, "node-b", Some.Row(dst: "10.0.0.2", dstPort: 8443, connId: 3, node: "node-b"), Some.Row(dst: "10.0.0.9", srcPort: 50_000, connId: 4, node: "node-b")),
        ]);

        using var reader = StoreReader.Open(directory);
        var edges = reader.Edges(0, long.MaxValue).OrderBy(edge => edge.Dst.Name, StringComparer.Ordinal).ToList();
        Assert.Equal(["10.0.0.2", "10.0.0.9"], edges.Select(edge => edge.Dst.Name));
        Assert.Equal("10.96.0.1", edges[0].Service?.Name);
        Assert.Equal(1, edges[0].Connections);
        Assert.Equal(["node-a", "node-b", "vm"], edges[0].Nodes);
        Assert.Null(edges[1].Service);
    }

    [Fact]
    public void Sealed_rows_keep_every_value_and_their_names_as_of_then()
    {
        using var store = Open();
        store.AddIdentities([Some.Identity(Some.Pod("web-0", workload: "web"), "10.0.0.1", Some.TimeUs - 10), Some.Identity(Some.Pod("db-0"), "10.0.0.2", Some.TimeUs - 10, Some.TimeUs + 5), Some.Identity(Some.Pod("db-1"), "10.0.0.2", Some.TimeUs + 5)]);
        store.Seal([Some.Record(7, "node-a", Some.Row(dst: "10.96.0.1", natDst: "10.0.0.2", natDstPort: 8443), Some.Row(atUs: Some.TimeUs + 9, connId: 2, srcPort: 40001))]);

        Assert.Equal(7UL, store.SealedPosition);
        using var reader = StoreReader.Open(directory);
        var rows = reader.Engine.Read(
            "SELECT src_name, src_workload, dst_name, svc_name, dst_addr, nat_dst_addr, nat_dst_port, node, scope, state, direction_by, protocol, source, epoch_us(window_start), batch_id FROM flow_log ORDER BY window_start",
            row => string.Join(' ', Enumerable.Range(0, 15).Select(i => row.IsDBNull(i) ? "-" : row.GetValue(i))));
        Assert.Equal(
            [
                $"web-0 web db-0 10.96.0.1 10.96.0.1 10.0.0.2 8443 node-a lab closed ct_new tcp conntrack {Some.TimeUs} {new BatchId(Guid.Empty, 1, 7).Hash}",
                $"web-0 web db-1 - 10.0.0.2 - - node-a lab closed ct_new tcp conntrack {Some.TimeUs + 9} {new BatchId(Guid.Empty, 1, 7).Hash}",
            ],
            rows);
        Assert.Equal(["db-0"], reader.Engine.Read($"SELECT name FROM who('10.0.0.2', make_timestamp({Some.TimeUs}))", row => row.GetString(0)));
    }

    [Fact]
    public void Connection_that_two_nodes_saw_counts_once()
    {
        using var store = Open();
        store.Seal([Some.Record(1, "node-a", Some.Row(dst: "10.96.0.1", natDst: "10.0.0.2", natDstPort: 8443, natSrc: "10.0.9.9", natSrcPort: 5555, fwdBytes: 100))]);
        store.Seal([Some.Record(2, "node-b", Some.Row(src: "10.0.9.9", srcPort: 5555, dstPort: 8443, node: "node-b", connId: 77, atUs: Some.TimeUs + 900_000, fwdBytes: 120))]);

        var edge = Assert.Single(Edges());
        Assert.Equal("10.0.0.1", edge.Src.Name);
        Assert.Equal("10.0.0.2", edge.Dst.Name);
        Assert.Equal("10.96.0.1", edge.Service?.Name);
        Assert.Equal(Entity.IdOfUnknown("lab", NetAddress.Parse("10.0.0.1")), edge.Src.Id);
        Assert.Equal("1 1 1 120 8443 443", $"{edge.Connections} {edge.Answered} {edge.DirectionTrusted} {edge.FwdBytes} {edge.DstPort} {edge.ServicePort}");
        Assert.Equal(["node-a", "node-b"], edge.Nodes);
        Assert.Equal(ResolvedBy.Unknown, edge.SrcResolvedBy);
    }

    [Fact]
    public void Witnesses_on_both_sides_of_a_minute_count_once()
    {
        using var store = Open();
        var minute = Some.TimeUs + UnixTime.Minute;
        store.Seal([Some.Record(1, "node-b", Some.Row(node: "node-b", connId: 5, atUs: minute + 100_000))]);
        Assert.Equal(1, Edges().Sum(edge => edge.Connections));
        store.Seal([Some.Record(2, "node-a", Some.Row(atUs: minute - 100_000))]);

        var edge = Assert.Single(Edges());
        Assert.Equal("1 100", $"{edge.Connections} {edge.FwdBytes}");
    }

    [Fact]
    public void Ports_reused_within_the_skew_stay_two_connections()
    {
        using var store = Open();
        store.Seal([Some.Record(1, "node-a", Some.Row(), Some.Row(connId: 2, atUs: Some.TimeUs + 500_000)), Some.Record(2, "node-b", Some.Row(node: "node-b", connId: 8), Some.Row(node: "node-b", connId: 9, atUs: Some.TimeUs + 500_000))]);
        Assert.Equal(2, Assert.Single(Edges()).Connections);
    }

    [Fact]
    public void Connection_met_in_two_zones_of_one_node_counts_once()
    {
        using var store = Open();
        var met = Some.Row();
        var again = Some.Row(connId: 2, atUs: Some.TimeUs + 40, fwdBytes: 120) with { Zone = 0x8123 };
        store.Seal([Some.Record(1, "node-a", met, again)]);
        var edge = Assert.Single(Edges());
        Assert.Equal("1 120", $"{edge.Connections} {edge.FwdBytes}");
    }

    [Fact]
    public void States_are_counted_and_guessed_directions_are_not_trusted()
    {
        using var store = Open();
        store.Seal([Some.Record(1, "node-a",
            Some.Row(state: FlowState.Refused, revBytes: 0),
            Some.Row(connId: 2, srcPort: 2, state: FlowState.Unanswered, revBytes: 0, protocol: IpProtocol.Tcp),
            Some.Row(connId: 3, srcPort: 3, state: FlowState.MidStream, direction: DirectionBy.PortOrder),
            Some.Row(connId: 4, srcPort: 4, state: FlowState.Unanswered, direction: DirectionBy.Request, revBytes: 0))]);
        var edge = Assert.Single(Edges());
        Assert.Equal("4 1 1 2 2", $"{edge.Connections} {edge.Answered} {edge.Refused} {edge.Unanswered} {edge.DirectionTrusted}");
    }

    [Fact]
    public void Names_learned_late_rename_edges()
    {
        using var store = Open();
        store.Seal([Some.Record(1, "node-a", Some.Row())]);
        store.AddIdentities([Some.Identity(Some.Pod("web-0"), "10.0.0.1", Some.TimeUs - 1, learnedAtUs: Some.TimeUs + UnixTime.Minute * 10)]);
        store.AddIdentities([Some.Identity(Some.Pod("a"), "10.0.0.2", Some.TimeUs - 1), Some.Identity(Some.Pod("b"), "10.0.0.2", Some.TimeUs - 1)]);

        var edge = Assert.Single(Edges());
        Assert.Equal(("web-0", ResolvedBy.Late), (edge.Src.Name, edge.SrcResolvedBy));
        Assert.Equal(("pod shop/a | pod shop/b", ResolvedBy.Ambiguous, EntityKind.Ambiguous), (edge.Dst.Name, edge.DstResolvedBy, edge.Dst.Kind));
        Assert.Equal("web-0", edge.Src.Labels["app"]);
        using var reader = StoreReader.Open(directory);
        Assert.Equal(3, reader.Identities().Count);
        Assert.Equal(["pod shop/a | pod shop/b"], reader.Engine.Read("SELECT candidates FROM unresolved", row => row.GetString(0)));
    }

    [Fact]
    public void Narrowest_range_names_an_address_that_no_one_holds()
    {
        using var store = Open();
        var wide = Some.Pod("wide") with { Kind = EntityKind.Cidr };
        var narrow = Some.Pod("narrow") with { Kind = EntityKind.Cidr };
        store.AddIdentities([Some.Identity(wide, "10.0.0.0", 0, prefix: 104), Some.Identity(narrow, "10.0.0.0", 0, prefix: 127), Some.Identity(Some.Pod("exact"), "10.0.0.3", 0)]);
        store.Seal([Some.Record(1, "node-a", Some.Row(src: "10.0.0.1", dst: "10.0.0.2"), Some.Row(src: "10.0.0.3", dst: "11.0.0.1", srcPort: 5))]);
        Assert.Equal(["exact > 11.0.0.1 AsOf Unknown", "narrow > wide Cidr Cidr"], Edges().Select(edge => $"{edge.Src.Name} > {edge.Dst.Name} {edge.SrcResolvedBy} {edge.DstResolvedBy}").Order());
    }

    [Fact]
    public void Sealing_a_record_again_changes_nothing()
    {
        using var store = Open();
        store.Seal([Some.Record(1, "node-a", Some.Row())]);
        store.Seal([Some.Record(1, "node-a", Some.Row())]);
        Assert.Equal(1, Assert.Single(Edges()).Connections);
    }

    [Fact]
    public void Crash_before_the_manifest_leaves_the_old_state_and_no_orphans()
    {
        byte[] old;
        using (var store = Open())
        {
            store.Seal([Some.Record(1, "node-a", Some.Row())]);
            old = File.ReadAllBytes(Path.Combine(directory, "manifest.json"));
            store.Seal([Some.Record(2, "node-a", Some.Row(connId: 2, srcPort: 9))]);
        }

        // The files of the second seal are there, and its manifest is not.
        File.WriteAllBytes(Path.Combine(directory, "manifest.json"), old);
        var before = Parquet().Count;
        using var again = Open();
        Assert.Equal(1UL, again.SealedPosition);
        Assert.True(Parquet().Count < before);
        Assert.Equal(1, Assert.Single(Edges()).Connections);
        again.Seal([Some.Record(2, "node-a", Some.Row(connId: 2, srcPort: 9))]);
        Assert.Equal(2, Assert.Single(Edges()).Connections);
    }

    [Fact]
    public void Edges_that_waited_for_more_come_with_it_or_with_the_next_open()
    {
        using (var store = Open())
        {
            store.Seal([Some.Record(1, "node-a", Some.Row())], more: true);
            Assert.Empty(Edges());
            store.Seal([Some.Record(2, "node-a", Some.Row(connId: 2, srcPort: 9))]);
            Assert.Equal(2, Assert.Single(Edges()).Connections);
            store.Seal([Some.Record(3, "node-a", Some.Row(connId: 3, srcPort: 10))], more: true);
            Assert.Equal(2, Assert.Single(Edges()).Connections);
        }

        using var again = Open();
        Assert.Equal(3, Assert.Single(Edges()).Connections);
        Assert.Null(Manifest.Read(directory).Unrolled);
    }

    [Fact]
    public void Rows_of_many_hours_and_days_are_rolled_up_at_once_and_again()
    {
        const long Hours = 60 * UnixTime.Minute;
        using var store = Open();
        store.Seal([Some.Record(1, "node-a", [.. Enumerable.Range(0, 50).Select(i => Some.Row(atUs: Some.TimeUs + (i * 7 * Hours), connId: (ulong)i + 1))])]);
        store.Seal([Some.Record(2, "node-a", [.. Enumerable.Range(0, 10).Select(i => Some.Row(atUs: Some.TimeUs + (i * 35 * Hours), connId: (ulong)i + 100, srcPort: 9))])]);

        using var reader = StoreReader.Open(directory);
        var edges = reader.Engine.Read("SELECT count(*), count(DISTINCT bucket), sum(connections)::BIGINT FROM edges_1m", row => (row.GetInt64(0), row.GetInt64(1), row.GetInt64(2)));
        Assert.Equal([(50L, 50L, 60L)], edges);
        var manifest = Manifest.Read(directory);
        Assert.All(manifest.FilesOf(StoreLayout.Edges), file => Assert.Equal(UnixTime.FromUs(file.MinUs).Date, UnixTime.FromUs(file.MaxUs).Date));
        Assert.Equal(15, manifest.FilesOf(StoreLayout.Edges).Count);
    }

    [Fact]
    public void Open_reader_survives_a_swap_and_superseded_files_go_after_the_grace()
    {
        using var store = Open();
        store.Seal([Some.Record(1, "node-a", Some.Row())]);
        using var reader = StoreReader.Open(directory);
        store.Seal([Some.Record(2, "node-a", Some.Row(connId: 2, srcPort: 9))]);
        Assert.Equal(1, Assert.Single(reader.Edges(0, long.MaxValue)).Connections);
        Assert.Equal(2, Parquet().Count(path => path.Contains("edges_1m", StringComparison.Ordinal)));
        time.Advance(TimeSpan.FromMinutes(6));
        store.Seal([Some.Record(3, "node-a", Some.Row(connId: 3, srcPort: 10))]);
        Assert.Equal(2, Parquet().Count(path => path.Contains("edges_1m", StringComparison.Ordinal)));
    }

    [Fact]
    public void Second_writer_is_refused()
    {
        using var store = Open();
        Assert.Equal(ExitCode.Failed, Assert.Throws<FlowsException>(() => Open()).ExitCode);
    }

    [Fact]
    public void Directory_of_something_else_is_refused()
    {
        File.WriteAllText(Path.Combine(directory, "thesis.txt"), "");
        Assert.Equal(ExitCode.Usage, Assert.Throws<FlowsException>(() => Open()).ExitCode);
        Assert.Contains("is not a store", Assert.Throws<FlowsException>(() => StoreReader.Open(directory)).Message, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(directory, recursive: true);

    private FlowStore Open() => FlowStore.Open(directory, time, new StoreOptions { MemoryMaxMib = 256 });

    private IReadOnlyList<Edge> Edges()
    {
        using var reader = StoreReader.Open(directory);
        return reader.Edges(0, long.MaxValue);
    }

    private List<string> Parquet() => [.. Directory.EnumerateFiles(directory, "*.parquet", SearchOption.AllDirectories)];
}
