using Flows.Core;
using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.Core.Map;
using Flows.Core.Policy;
using Xunit;
using static Flows.Tests.Policy.Fleet;

namespace Flows.Tests.Policy;

/// <summary>What one node alone says.</summary>
public sealed class CorroborationTests
{
    private static readonly Entity Web = On("web", "n1");
    private static readonly Entity Api = On("api", "n2");
    private static readonly Entity Db = On("db", "n1");

    private static readonly List<Edge> Honest = [Seen(Web, Api, 8080, "n1", "n2"), Seen(Api, Db, 5432, "n1", "n2"), Seen(On("spy", "n3"), On("spied", "n3"), 9000, "n3")];

    [Fact]
    public void A_node_that_invents_ten_thousand_edges_changes_no_rule_and_is_named()
    {
        Entity[] ends = [Web, Api, Db, On("spy", "n3"), On("spied", "n3"), .. Enumerable.Range(0, 50).Select(i => Unknown($"203.0.113.{i}"))];
        var random = new Random(1);
        List<Edge> invented = [];
        while (invented.Count < 10_000)
        {
            var (src, dst) = (ends[random.Next(ends.Length)], ends[random.Next(ends.Length)]);
            if (src.Id != dst.Id)
            {
                invented.Add(Seen(src, dst, (ushort)random.Next(1, 65_000), "n3") with { FirstSeenUs = Start + HourSet.HourUs, LastSeenUs = Start + (2 * HourSet.HourUs), Answered = random.Next(2) * 10 });
            }
        }

        var before = PolicySuggester.Suggest(Watched(Honest));
        var after = PolicySuggester.Suggest(Watched([.. Honest, .. invented]));
        Assert.Empty(before.Warnings);
        Assert.Equal(before.Set.Policies.Select(policy => KubernetesWriter.Write(policy)), after.Set.Policies.Select(policy => KubernetesWriter.Write(policy)));
        Assert.Contains(after.Warnings, warning => warning.Contains("'n3'", StringComparison.Ordinal));
        Assert.Contains(ReviewReason.Uncorroborated, after.Reasons());
    }

    [Fact]
    public void A_stranger_is_not_believed_about_others()
    {
        var suggestion = PolicySuggester.Suggest(Watched([.. Honest, Seen(Web, Db, 5432, "n9")]));
        Assert.Contains(suggestion.Review, item => item is { Reason: ReviewReason.Uncorroborated, Src: "shop/web", Dst: "shop/db" });
    }

    [Fact]
    public void The_other_end_has_to_have_seen_it_if_it_was_watching_then()
    {
        var oneSided = Seen(Web, Api, 9999, "n1");
        Assert.Contains(PolicySuggester.Suggest(Watched([.. Honest, oneSided])).Review, item => item is { Reason: ReviewReason.Uncorroborated, Port: 9999 });

        // It had not begun to watch, or says itself that it lost something.
        var early = oneSided with { Hours = HourSet.Of([10]) };
        Assert.DoesNotContain(ReviewReason.Uncorroborated, PolicySuggester.Suggest(Watched([.. Honest, early])).Reasons());
        var lossy = Watched([.. Honest, oneSided]) with { Gaps = [new ObservationGap("n2", Start, null, "conntrack dropped 7 events")] };
        Assert.DoesNotContain(ReviewReason.Uncorroborated, PolicySuggester.Suggest(lossy).Reasons());
    }

    [Fact]
    public void Where_the_other_node_has_no_collector_one_side_is_enough()
    {
        var suggestion = PolicySuggester.Suggest(Watched([Seen(Web, Api, 8080, "n1")]));
        Assert.DoesNotContain(ReviewReason.Uncorroborated, suggestion.Reasons());
        Assert.Equal(2, suggestion.Set.Policies.Count);
    }

    [Fact]
    public void A_tap_is_believed_where_no_node_collects() =>
        Assert.Equal(2, PolicySuggester.Suggest(Watched([Seen(Web, Api, 8080, "tap")])).Set.Policies.Count);

    [Fact]
    public void What_nobody_confirms_makes_no_scanner_of_anybody()
    {
        var framed = Enumerable.Range(1, 200).Select(port => Seen(Web, Api, (ushort)(port + 20_000), "n9") with { Answered = 0, Refused = 10 });
        var suggestion = PolicySuggester.Suggest(Watched([.. Honest, .. framed]));
        Assert.DoesNotContain(ReviewReason.Scanner, suggestion.Reasons());
        Assert.Contains(suggestion.Set.Policies, policy => policy.Name == "web-deployment");
    }

    [Fact]
    public void Hostile_names_break_no_output()
    {
        string[] hostile = ["a\nb: c", "\u202egpj.exe", "<script>", "yes", new string('x', 253), "0x1F", "'\"`$(id)"];
        var edges = hostile.SelectMany((name, i) => (Edge[])[Edge(Pod($"p{i}", name, $"app=ok{i}"), App("api"), 8080), Edge(Pod($"q{i}", "fine", "app=fine", ns: name), App("api"), 8080)]);
        var input = Input(edges, [.. hostile.Select((name, i) => App($"x{i}") with { Labels = new Dictionary<string, string> { [name] = name } })]);
        var suggestion = PolicySuggester.Suggest(input);
        Assert.Empty(Replay(input, suggestion.Set).Denied);
        Assert.All(suggestion.Set.Policies, policy => Assert.True(KubernetesGrammar.IsDnsSubdomain(policy.Name)));
        foreach (var target in (string[])["cilium", "calico", "json"])
        {
            Assert.NotEmpty(PolicyReader.Read(PolicyRenderer.Render(suggestion.Set, target).Documents).Policies);
        }
    }

    private static Entity On(string workload, string node) => App(workload) with { Node = node };

    private static Edge Seen(Entity src, Entity dst, ushort port, params string[] nodes) => Edge(src, dst, port) with { Nodes = nodes, Hours = HourSet.Between(Start, Start + UnixTime.Minute) };

    private static PolicyInput Watched(IReadOnlyList<Edge> edges) => Input(edges, [Web, Api, Db]);
}
