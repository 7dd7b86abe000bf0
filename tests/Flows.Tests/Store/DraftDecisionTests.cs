using Flows.Core;
using Flows.Core.Identity;
using Flows.Core.Policy;
using Flows.Store;
using Flows.Tests.Support;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Flows.Tests.Store;

/// <summary>Edges with the labels of their time, and what a draft would have done to them, as the store keeps it.</summary>
public sealed class DraftDecisionTests : IDisposable
{
    private const long Hour = 60 * UnixTime.Minute;
    private static readonly SegmentPolicy OnlyWeb = SegmentPolicy.For("shop", "api", LabelSelector.Of([new("app", "api")])) with
    {
        Ingress = [new Rule { Peers = [PodSegment.In("shop", LabelSelector.Of([new("app", "web")]))] }],
    };

    private readonly string directory = Directory.CreateTempSubdirectory("flows-draft-").FullName;
    private readonly FakeTimeProvider time = new(UnixTime.FromUs(Some.TimeUs + Hour));
    private readonly FlowStore store;

    public DraftDecisionTests()
    {
        store = FlowStore.Open(directory, time, new StoreOptions { MemoryMaxMib = 256 });
        var web = Some.Pod("web");
        var front = web with { Labels = new SortedDictionary<string, string>(StringComparer.Ordinal) { ["app"] = "front" } };
        var relabelled = Some.TimeUs + (10 * UnixTime.Minute);
        store.AddIdentities(
        [
            Some.Identity(web, "10.0.0.1", 0, relabelled), Some.Identity(front, "10.0.0.1", relabelled), Some.Identity(Some.Pod("api"), "10.0.0.2", 0),
        ]);
        Seal(1, 0);
        Seal(2, 1);
        Seal(3, 20);
    }

    public void Dispose()
    {
        store.Dispose();
        Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public void An_entity_that_changed_has_an_edge_for_each_of_its_versions()
    {
        using var reader = StoreReader.Open(directory);
        Assert.Single(reader.Edges(0, long.MaxValue));
        var edges = reader.Edges(0, long.MaxValue, LabelHistory.Of(reader.Identities()));
        Assert.Equal([("web", 2L), ("front", 1L)], edges.Select(edge => (edge.Src.Labels["app"], edge.Connections)));
        Assert.Equal(edges[0].Src.Id, edges[1].Src.Id);
        var denied = Assert.Single(PolicyReplay.Run(PolicyInput.Of(edges, reader.Identities(), 0, long.MaxValue, null), new PolicySet([OnlyWeb])).Denied);
        Assert.Equal(1, denied.Edge.Connections);
    }

    [Fact]
    public void Decisions_can_be_asked_and_add_up_to_the_edges_of_their_hours()
    {
        Judge("draft-a", new([OnlyWeb]));
        Assert.Equal(["draft-a allowed web api 2", "draft-a denied web api 1"], Decisions());

        // More of the same hour, and a second draft: the first is judged again, the other stays beside it.
        Seal(4, 2);
        Judge("draft-b", new([OnlyWeb with { Ingress = null }]));
        Judge("draft-a", new([OnlyWeb]));
        Assert.Equal(["draft-a allowed web api 3", "draft-a denied web api 1", "draft-b allowed web api 3", "draft-b allowed web api 1"], Decisions());
    }

    [Fact]
    public void An_hour_has_another_text_when_its_edges_change_and_only_then()
    {
        var before = Hours();
        store.AddIdentities([Some.Identity(Some.Pod("other"), "10.0.0.77", 0)]);
        Assert.Equal(before, Hours());
        Seal(5, 3);
        var after = Hours();
        Assert.Equal(before.Keys, after.Keys);
        Assert.NotEqual(before.Values, after.Values);
    }

    private IReadOnlyDictionary<long, string> Hours()
    {
        using var reader = StoreReader.Open(directory);
        return reader.EdgeHours(0);
    }

    private void Seal(ulong position, int minute) => store.Seal([Some.Record(position, "node-a", Some.Row(atUs: Some.TimeUs + (minute * UnixTime.Minute), connId: position, srcPort: (ushort)(4000 + position)))]);

    private void Judge(string draft, PolicySet set, string? cluster = null)
    {
        using var reader = StoreReader.Open(directory);
        var ledger = reader.Identities();
        var hour = Assert.Single(reader.EdgeHours(0)).Key;
        var input = PolicyInput.Of(reader.Edges(hour, hour + Hour, LabelHistory.Of(ledger)), ledger, hour, hour + Hour, null);
        store.PutDecisions(draft, cluster, [hour], DraftDecision.Of(hour, input, set, new JudgeOptions()));
    }

    private List<string> Decisions()
    {
        using var reader = StoreReader.Open(directory);
        return reader.Engine.Read(
            "SELECT draft || ' ' || verdict || ' ' || src_name || ' ' || dst_name || ' ' || connections FROM decisions ORDER BY draft, verdict, connections DESC", row => row.GetString(0));
    }
}
