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
    public void Drafts_for_several_clusters_stand_beside_each_other()
    {
        Judge("draft-a", new([OnlyWeb]), "east");
        Judge("draft-a", new([OnlyWeb with { Ingress = null }]), "west");
        Judge("draft-a", new([OnlyWeb]), "east");
        Judge("draft-a", new([OnlyWeb with { Ingress = null }]));
        Assert.Equal(
            ["draft-a  allowed 2", "draft-a  allowed 1", "draft-a east allowed 2", "draft-a east denied 1", "draft-a west allowed 2", "draft-a west allowed 1"],
            Rows("draft || ' ' || coalesce(cluster, '') || ' ' || verdict || ' ' || connections", "cluster NULLS FIRST, verdict, connections DESC"));
    }

    [Fact]
    public void Decisions_of_hours_that_are_over_are_merged_and_can_still_be_replaced()
    {
        var edges = Edges();
        var hours = Enumerable.Range(0, 20).Select(number => ((Some.TimeUs / Hour) + number) * Hour).ToList();
        time.SetUtcNow(UnixTime.FromUs(hours[^1] + (Hour / 2)));
        foreach (var hour in hours)
        {
            store.PutDecisions("draft-a", null, [hour], [.. edges.Select(edge => new DraftDecision(hour, edge, "allowed", "", "shop/api ingress[0]"))]);
        }

        // The last two hours may still change. Of those that are over the first 16 became one file, and the next four wait for twelve more.
        Assert.Equal((5, 1), (Files("*").Count, Files("merge1-*").Count));
        Assert.Equal(hours.Select(hour => $"{hour} allowed 2"), Rows($"epoch_us(bucket) || ' ' || verdict || ' ' || count(*)", "1", "GROUP BY bucket, verdict"));

        // An hour within the merged file, and one that no file holds yet, are judged again by another draft and by the same.
        time.Advance(TimeSpan.FromHours(1));
        store.PutDecisions("draft-b", null, [hours[3], hours[^1] + Hour], [new DraftDecision(hours[3], edges[0], "denied", "why", ""), new DraftDecision(hours[^1] + Hour, edges[0], "denied", "why", "")]);
        store.PutDecisions("draft-a", null, [hours[3], hours[4]], [new DraftDecision(hours[3], edges[0], "unsure", "why", "")]);
        Assert.Equal(
            hours.Where(hour => hour != hours[3] && hour != hours[4]).Select(hour => $"{hour} draft-a allowed 2")
                .Append($"{hours[3]} draft-a unsure 1").Append($"{hours[3]} draft-b denied 1").Append($"{hours[^1] + Hour} draft-b denied 1").Order(),
            Rows("epoch_us(bucket) || ' ' || draft || ' ' || verdict || ' ' || count(*)", "1", "GROUP BY bucket, draft, verdict"));
        Assert.Single(Files("merge1-*"));
    }

    [Fact]
    public void Decisions_that_were_written_before_there_were_clusters_are_read_and_replaced()
    {
        Judge("draft-a", new([OnlyWeb]));
        var path = Assert.Single(Files("*"));
        store.Dispose();

        // As it was written then: in a folder of its day, without the column.
        using (var reader = StoreReader.Open(directory))
        {
            reader.Engine.Execute($"COPY (SELECT * EXCLUDE (cluster) FROM '{path}') TO '{path}.old' (FORMAT parquet)");
        }

        File.Move($"{path}.old", path, overwrite: true);
        var manifest = Path.Combine(directory, "manifest.json");
        var text = File.ReadAllText(manifest);
        var named = Path.GetRelativePath(directory, path);
        var at = text.IndexOf("\"bytes\": ", text.IndexOf(named, StringComparison.Ordinal), StringComparison.Ordinal) + 9;
        File.WriteAllText(manifest, $"{text[..at]}{new FileInfo(path).Length}{text[text.IndexOfAny(['\n', '}', ','], at)..]}");
        Assert.Equal(["draft-a allowed web api 2", "draft-a denied web api 1"], Decisions());

        using var reopened = FlowStore.Open(directory, time, new StoreOptions { MemoryMaxMib = 256 });
        reopened.PutDecisions("draft-a", null, [(Some.TimeUs / Hour) * Hour], [new DraftDecision((Some.TimeUs / Hour) * Hour, Edges()[0], "denied", "why", "")]);
        Assert.Equal(["draft-a denied web api 2"], Decisions());
    }

    [Fact]
    public void Boards_are_told_what_decided()
    {
        Judge("draft-a", new([OnlyWeb]));
        using var reader = StoreReader.Open(directory);
        Assert.Equal([["draft-a", null, 2L, 1L, 0L, 0L]], Asked(reader, "drafts", "draft", "cluster", "allowed", "denied", "unsure", "not_needed"));
        Assert.Equal(
            [["denied", "isolated by shop/api", 1L, 1L], ["allowed", "shop/api ingress[0]", 2L, 1L]], Asked(reader, "decision_rules", "verdict", "decided_by", "connections", "edges"));
        Assert.Equal([["denied", "shop/web", "shop/api", "tcp", (ushort)443, 1L]], Asked(reader, "decisions", "verdict", "src", "dst", "protocol", "dst_port", "connections"));
        Assert.Equal([["allowed", 2L], ["denied", 1L]], Asked(reader, "decisions_over_time", "verdict", "connections"));
        Assert.Equal([["c1", 2L]], Asked(reader, "clusters", "cluster", "pods"));

        // Each of the two knows one edge, which one hour has seen.
        Assert.Equal(
            [["shop", "api", 1L, 3L, 1L, 1L, 1.0], ["shop", "web", 1L, 3L, 1L, 1L, 1.0]],
            Asked(reader, "readiness", "namespace", "workload", "edges", "connections", "sightings", "seen_once", "unseen_share"));
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

    private List<string> Decisions() => Rows("draft || ' ' || verdict || ' ' || src_name || ' ' || dst_name || ' ' || connections", "draft, verdict, connections DESC");

    private List<string> Rows(string text, string order, string group = "")
    {
        using var reader = StoreReader.Open(directory);
        return reader.Engine.Read($"SELECT {text} FROM decisions {group} ORDER BY {order}", row => row.GetString(0));
    }

    private IReadOnlyList<Core.Map.Edge> Edges()
    {
        using var reader = StoreReader.Open(directory);
        return reader.Edges(0, long.MaxValue, LabelHistory.Of(reader.Identities()));
    }

    /// <summary>The files that the state names.</summary>
    private List<string> Files(string pattern)
    {
        var state = File.ReadAllText(Path.Combine(directory, "manifest.json"));
        state = state[..state.IndexOf("\"superseded\"", StringComparison.Ordinal)];
        return [.. Directory.GetFiles(Path.Combine(directory, "decisions_1h"), pattern).Where(file => state.Contains(Path.GetFileName(file), StringComparison.Ordinal))];
    }

    private static List<object?[]> Asked(StoreReader reader, string question, params string[] columns)
    {
        var answer = reader.Run(NamedQuery.Of(question)!, 0, long.MaxValue, 100);
        var at = columns.Select(column => answer.Columns.ToList().IndexOf(column)).ToList();
        return [.. answer.Rows.Select(row => at.Select(column => row[column]).ToArray())];
    }
}
