using System.Text.Json;
using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.Core.Map;
using Flows.Core.Policy;
using Xunit;

namespace Flows.Tests.Policy;

/// <summary>The published policies of Online Boutique over the edges that it needs, where both are at hand beside the repository.</summary>
public sealed class BoutiqueTests
{
    [Fact]
    public void Published_policies_deny_none_of_the_needed_edges_and_list_ten_in_surplus()
    {
        var (needed, set) = Read();
        Assert.Equal(16, needed.Count);
        var replay = PolicyReplay.Run(Fleet.Held(needed), set, new JudgeOptions());
        Assert.Empty(replay.Denied);
        Assert.Empty(replay.Unsure);
        Assert.Equal(16, replay.Needed);
        Assert.True(replay.Surplus.Count == 10, string.Join('\n', replay.Surplus.Edges.Select(edge => $"{edge.Src} {edge.Dst} {edge.Port}: {string.Join(", ", edge.By)}")));
        Assert.Empty(replay.Uncovered);

        // Surplus is what the evaluator lets through, and nobody needs, pair by pair.
        var evaluator = new PolicyEvaluator(set);
        var pods = needed.SelectMany(edge => (Entity[])[edge.Src, edge.Dst]).DistinctBy(pod => pod.Id).ToList();
        var expected = from src in pods
                       from server in needed.Select(edge => (edge.Dst, edge.DstPort)).Distinct()
                       where src.Id != server.Dst.Id && !needed.Exists(edge => edge.Src.Id == src.Id && edge.Dst.Id == server.Dst.Id && edge.DstPort == server.DstPort)
                       where evaluator.Evaluate(new Connection(PartyOf(src), PartyOf(server.Dst), IpProtocol.Tcp, server.DstPort)).Allowed
                       select $"default/{src.Workload} default/{server.Dst.Workload} {server.DstPort}";
        Assert.Equal(expected.Order(StringComparer.Ordinal), replay.Surplus.Edges.Select(edge => $"{edge.Src} {edge.Dst} {edge.Port}").Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Without_one_rule_the_replay_names_the_edge_that_needs_it()
    {
        var (needed, set) = Read();
        var cut = PolicySet.Of(set.Policies.Select(policy => policy.Name == "redis-cart" ? policy with { Ingress = [] } : policy));
        var finding = Assert.Single(PolicyReplay.Run(Fleet.Held(needed), cut, new JudgeOptions()).Denied);
        Assert.Equal(("cartservice", "redis-cart"), (finding.Edge.Src.Workload, finding.Edge.Dst.Workload));
    }

    private static Party PartyOf(Entity pod) => new() { Id = pod.Name, Selectable = true, Namespace = pod.Namespace, Labels = pod.Labels };

    private static (List<Edge> Needed, PolicySet Set) Read()
    {
        var at = new DirectoryInfo(AppContext.BaseDirectory);
        while (at.Parent is not null && !File.Exists(Path.Combine(at.FullName, "Flows.sln")))
        {
            at = at.Parent;
        }

        var folder = Path.Combine(at.FullName, "..", "shared", "truth", "online-boutique");
        Assert.SkipUnless(Directory.Exists(folder), $"There is no {Path.GetFullPath(folder)}.");
        var needed = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "edges.json"))).RootElement.GetProperty("edges").EnumerateArray()
            .Select(edge => Fleet.Edge(App(edge[0]), App(edge[1]), edge[2].GetUInt16())).ToList();
        var files = Directory.GetFiles(Path.Combine(folder, "kustomize", "components", "network-policies"), "network-policy-*.yaml");
        return (needed, KubernetesReader.Read(files.Select(file => new PolicyDocument(file, File.ReadAllText(file)))));

        static Entity App(JsonElement name) => Fleet.App(name.GetString()!.Split('/')[1], ns: "default");
    }
}
