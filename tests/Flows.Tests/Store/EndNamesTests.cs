using Flows.Core;
using Flows.Core.Accounting;
using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.Store;
using Flows.Tests.Support;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Flows.Tests.Store;

/// <summary>Whom edges name, where the address alone does not tell: by the socket's owner, by the name that was asked for, by a node's port.</summary>
public sealed class EndNamesTests : IDisposable
{
    private static readonly Entity Node = new() { Id = Entity.IdOf("c1", EntityKind.Node, "node-a"), Kind = EntityKind.Node, Scope = "lab", Uid = "node-a", Cluster = "c1", Name = "node-a" };
    private static readonly Entity Agent = Some.Pod("agent") with { HostNetwork = true };
    private static readonly Entity Service = Some.Pod("shop") with { Id = Entity.IdOf("c1", EntityKind.Service, "shop"), Kind = EntityKind.Service };
    private static readonly OwnerFact Owner = new(7, "pod", "agent", 0, "/kubepods", "", "c", "agent", "", null, Some.TimeUs);

    private readonly string directory = Directory.CreateTempSubdirectory("flows-store-").FullName;
    private readonly FakeTimeProvider time = new(UnixTime.FromUs(Some.TimeUs));
    private readonly FlowStore store;
    private ulong position;

    public EndNamesTests()
    {
        store = FlowStore.Open(directory, time, new StoreOptions());
        store.AddIdentities([Some.Identity(Node, "10.0.0.1", 0), Some.Identity(Agent, "10.0.0.1", 0)]);
    }

    public void Dispose()
    {
        store.Dispose();
        Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public void A_pod_on_its_nodes_address_is_told_by_its_socket_also_when_that_is_learned_late()
    {
        Seal("node-a", Some.Row() with { SrcOwnerId = 7 });
        Assert.Equal(["node node-a | pod shop/agent ambiguous"], Ask("src_name || ' ' || src_resolved_by"));

        store.Seal([Report("node-a", owners: [Owner])]);
        Assert.Equal(["agent owner"], Ask("src_name || ' ' || src_resolved_by"));
    }

    [Fact]
    public void Nobody_tells_whose_the_sockets_of_another_node_are()
    {
        store.Seal([Report("node-b", owners: [Owner])]);
        Seal("node-a", Some.Row() with { SrcOwnerId = 7 });

        Assert.Equal(["ambiguous"], Ask("src_resolved_by"));
    }

    [Fact]
    public void A_socket_of_no_pod_is_the_nodes_where_the_node_is_a_candidate()
    {
        store.Seal([Report("node-a", owners: [Owner with { Kind = "unit", Name = "kubelet.service", PodUid = "" }])]);
        Seal("node-a", Some.Row() with { SrcOwnerId = 7 }, Some.Row(connId: 2, src: "10.0.0.9", srcPort: 2) with { SrcOwnerId = 7 });

        Assert.Equal(["10.0.0.9 unknown", "node-a owner"], Ask("src_name || ' ' || src_resolved_by"));
    }

    [Fact]
    public void A_stranger_has_the_name_that_this_client_asked_for_when_the_connection_began()
    {
        var asked = new NameFact("10.0.0.9", "db.example", "192.0.2.7", 60, At(0));
        Seal("node-a", Some.Row(src: "10.0.0.9", dst: "192.0.2.7", atUs: At(1)), Some.Row(connId: 2, src: "10.0.0.8", dst: "192.0.2.7", atUs: At(1)));
        store.Seal([Report("node-a", names: [asked])]);

        // A window long after the answer has expired belongs to a connection that began with it; a new connection does not.
        Seal(
            "node-a",
            Some.Row(src: "10.0.0.9", dst: "192.0.2.7", connStartUs: At(1), windowNo: 1, atUs: At(7200)),
            Some.Row(src: "10.0.0.9", dst: "192.0.2.7", connId: 3, srcPort: 3, atUs: At(7200)));

        Assert.Equal(
            ["192.0.2.7 unknown unknown", "192.0.2.7 unknown unknown", "db.example external name", "db.example external name"],
            Ask("dst_name || ' ' || dst_kind || ' ' || dst_resolved_by"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_connection_that_outlives_its_pod_is_never_the_next_holders(bool early)
    {
        IdentityInterval[] holders = [Some.Identity(Some.Pod("first"), "10.0.0.9", At(0), At(100)), Some.Identity(Some.Pod("second"), "10.0.0.9", At(101))];
        store.AddIdentities(early ? holders : []);
        Seal("node-a", Some.Row(src: "10.0.0.9", atUs: At(1)));
        Seal(
            "node-a",
            Some.Row(src: "10.0.0.9", connStartUs: At(1), windowNo: 1, atUs: At(7200)),
            Some.Row(src: "10.0.0.9", connId: 3, srcPort: 3, atUs: At(7200)));
        store.AddIdentities(early ? [] : holders);

        // Opened by the first, still heard of in the time of the second, who opened another one.
        Assert.Equal(["first 0", "first 1", "second 1"], Ask("src_name || ' ' || connections"));
        Assert.Equal(["first 0", "first 1", "second 0"], Ask("src_name || ' ' || window_no", "flow_log"));
    }

    [Fact]
    public void The_ledger_knows_better_than_a_name_and_a_name_better_than_a_range()
    {
        store.AddIdentities(
        [
            Some.Identity(Some.Pod("db"), "192.0.2.7", 0),
            Some.Identity(Some.Pod("cloud") with { Id = 5, Kind = EntityKind.Cidr }, "192.0.2.0", 0, prefix: 120),
        ]);
        store.Seal([Report("node-a", names: [.. "789".Select(last => new NameFact("10.0.0.9", $"n{last}.example", $"192.0.2.{last}", 60, At(0)))])]);
        Seal("node-a", Some.Row(src: "10.0.0.9", dst: "192.0.2.7"), Some.Row(connId: 2, src: "10.0.0.9", dst: "192.0.2.8"), Some.Row(connId: 3, src: "10.0.0.9", dst: "192.0.2.6"));

        Assert.Equal(["cloud cidr", "db as_of", "n8.example name"], Ask("dst_name || ' ' || dst_resolved_by"));
    }

    [Fact]
    public void A_port_of_every_node_is_its_services_for_as_long_as_the_service_has_it()
    {
        store.Learn(new InventoryNews
        {
            ServicePorts =
            [
                new() { IntervalId = 1, ServiceId = Service.Id, Scope = "lab", Protocol = IpProtocol.Tcp, Port = 80, NodePort = 30080, ValidFromUs = 0, ValidToUs = At(60), LearnedAtUs = 0 },
            ],
            Identities = [Some.Identity(Service, "10.96.0.1", 0)],
        });
        Seal(
            "node-a",
            Some.Row(src: "10.0.0.9", dst: "10.0.0.1", dstPort: 30080, natDst: "10.1.0.5", natDstPort: 8080),
            Some.Row(connId: 2, src: "10.0.0.9", dst: "10.0.0.1", srcPort: 2, dstPort: 30080, natDst: "10.1.0.5", natDstPort: 8080, atUs: At(120)),
            Some.Row(connId: 3, src: "10.0.0.9", dst: "10.0.0.1", srcPort: 3, dstPort: 30081, natDst: "10.1.0.5", natDstPort: 8080));

        Assert.Equal(["30080 node node-a | pod shop/agent", "30080 shop", "30081 node node-a | pod shop/agent"], Ask("svc_port || ' ' || svc_name"));
    }

    [Fact]
    public void A_nodes_address_that_the_node_does_not_vouch_for_may_be_anybody_behind_it()
    {
        Seal("node-a", Some.Row(dst: "10.0.0.5"));
        Seal("node-b", Some.Row(dst: "10.0.0.6", srcPort: 2));

        Assert.Equal(["10.0.0.5 0", "10.0.0.6 1"], Ask("dst_name || ' ' || snat_unresolved"));
    }

    private static long At(double seconds) => Some.TimeUs + (long)(seconds * UnixTime.Second);

    private void Seal(string node, params ReadOnlySpan<FlowRow> rows)
    {
        var seen = rows.ToArray().Select(row => row with { NodeId = StableId.OfNode(node) }).ToArray();
        store.Seal([Some.Record(position++, node, seen)]);
    }

    private IntakeRecord Report(string node, IReadOnlyList<OwnerFact>? owners = null, IReadOnlyList<NameFact>? names = null)
    {
        var report = new AccountReport(node, Guid.Empty, At(-1), At(0), []) { Facts = new NodeFacts([], owners ?? [], names ?? []) };
        return new IntakeRecord(position, new BatchId(Guid.Empty, 1, position++), node, "lab", At(0), null, report);
    }

    private List<string> Ask(string what, string of = "edges")
    {
        using var reader = StoreReader.Open(directory);
        return reader.Engine.Read($"SELECT {what} AS said FROM {of} ORDER BY said", row => row.GetString(0));
    }
}
