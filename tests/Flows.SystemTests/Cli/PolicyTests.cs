using k8s;
using k8s.Models;
using Xunit;

namespace Flows.SystemTests.Cli;

/// <summary><c>flows policy</c> on the store that the demo filled.</summary>
public sealed class PolicyTests(DemoStore demo)
{
    // Controllers set these anew for each roll-out or pod; a rule that selects by them breaks at the next one.
    private static readonly string[] Banned =
    [
        "pod-template-hash", "controller-revision-hash", "statefulset.kubernetes.io/pod-name", "apps.kubernetes.io/pod-index", "pod-index", "pod-template-generation",
    ];

    [Theory]
    [InlineData("workload")]
    [InlineData("namespace")]
    public async Task Suggestion_is_accepted_repeatable_and_denies_nothing_needed(string level)
    {
        using var directory = new TemporaryDirectory();
        var store = await demo.PathAsync();
        var suggested = await SuggestAsync(store, level, directory["once"]);
        Assert.True(suggested.ExitCode == 0, suggested.ToString());
        await SuggestAsync(store, level, directory["twice"]);
        Assert.Equal(Files(directory["once"]), Files(directory["twice"]));

        var policies = Directory.GetFiles(directory["once"], "*.yaml");
        Assert.NotEmpty(policies);
        foreach (var file in policies)
        {
            var text = await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken);
            var policy = KubernetesYaml.Deserialize<V1NetworkPolicy>(text, strict: true);
            Assert.Equal(("networking.k8s.io/v1", "NetworkPolicy"), (policy.ApiVersion, policy.Kind));
            Assert.NotEmpty(policy.Spec.PolicyTypes);
            Assert.All(Banned, label => Assert.DoesNotContain(label, text, StringComparison.Ordinal));
        }

        var tested = await FlowsProcess.RunAsync("policy", "test", "--store", store, "--policies", directory["once"]);
        Assert.True(tested.ExitCode == 0 && tested.Error.Contains(" 0 denied", StringComparison.Ordinal), tested.ToString());
    }

    [Fact]
    public async Task Removed_rule_is_named_with_the_flow_that_needs_it_and_the_evidence()
    {
        using var directory = new TemporaryDirectory();
        var store = await demo.PathAsync();
        var suggested = await SuggestAsync(store, "workload", directory["policies"]);
        Assert.True(suggested.ExitCode == 0, suggested.ToString());
        var file = Path.Combine(directory["policies"], "data.db-statefulset.yaml");
        var policy = KubernetesYaml.Deserialize<V1NetworkPolicy>(await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken), strict: true);
        Assert.NotEmpty(policy.Spec.Ingress);
        policy.Spec.Ingress.Clear();
        await File.WriteAllTextAsync(file, KubernetesYaml.Serialize(policy), TestContext.Current.CancellationToken);

        var tested = await FlowsProcess.RunAsync("policy", "test", "--store", store, "--policies", directory["policies"]);
        Assert.True(tested.ExitCode == 3, tested.ToString());
        var row = tested.Output.Split('\n').First(line => line.TrimStart().StartsWith("denied", StringComparison.Ordinal) && line.Contains("shop/api-", StringComparison.Ordinal));
        Assert.Matches(@"shop/api-\S+ +data/db-0 +tcp +5432 +\d+ +\d{4}-\d\d-\d\dT\S+Z +\d{4}-\d\d-\d\dT\S+Z +node-", row);
        Assert.Contains("db-statefulset", row, StringComparison.Ordinal);
        Assert.Matches(@"denied: no rule of data/db allows ingress from shop/api on TCP 5432 .*; \d+ connections, last \d{4}-", tested.Error);
    }

    [Fact]
    public async Task Several_processors_collect_the_garbage_of_a_test_and_one_that_of_a_server()
    {
        using var directory = new TemporaryDirectory();
        var policies = directory.Write("policies.yaml", "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p}, spec: {podSelector: {}}}");
        await using var test = FlowsProcess.Start("policy", "test", "--store", await demo.PathAsync(), "--policies", policies, "--against", "live");
        await using var server = FlowsProcess.Start("serve", "--store", directory["store"], "--listen", $"unix:{directory["flows.sock"]}");
        await test.SaysAsync("watching what comes in");
        await server.SaysAsync("serving on");
        Assert.Equal(Environment.ProcessorCount > 1 ? Math.Min(Environment.ProcessorCount, 4) : 0, CollectorsOf(test.Id));
        Assert.Equal(0, CollectorsOf(server.Id));
    }

    /// <summary>How many threads of the runtime collect garbage side by side.</summary>
    private static int CollectorsOf(int process) =>
        Directory.GetDirectories($"/proc/{process}/task").Count(thread => File.ReadAllText(Path.Combine(thread, "comm")).Trim() == ".NET Server GC");

    private static Task<Finished> SuggestAsync(string store, string level, string directory) =>
        FlowsProcess.RunAsync("policy", "suggest", "--store", store, "--level", level, "--target", "kubernetes", "--out", directory);

    private static List<string> Files(string directory) =>
        [.. Directory.GetFiles(directory).Order(StringComparer.Ordinal).Select(file => $"{Path.GetFileName(file)}\n{File.ReadAllText(file)}")];
}
