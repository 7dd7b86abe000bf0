using System.Text.Json;
using System.Xml.Linq;
using Xunit;

namespace Flows.SystemTests.Cli;

/// <summary>What a set means for what the demo did: test in every output, explain, diff and plan.</summary>
public sealed class PolicyJudgeTests(DemoStore demo)
{
    [Fact]
    public async Task Every_output_of_a_test_names_the_denied_need_and_the_open_workloads()
    {
        using var directory = new TemporaryDirectory();
        var store = await demo.PathAsync();
        var policies = directory.Write("policies/db.yaml", Closed("data", "db"));
        var json = await TestAsync(store, policies, "json");
        Assert.True(json.ExitCode == 3, json.ToString());
        var report = JsonDocument.Parse(json.Output).RootElement;
        var denied = report.GetProperty("denied").EnumerateArray().ToList();
        Assert.NotEmpty(denied);
        Assert.All(denied, one => Assert.Equal("db", one.GetProperty("edge").GetProperty("dst_workload").GetString()));
        Assert.Contains(report.GetProperty("uncovered").EnumerateArray(), one => one.GetProperty("segment").GetString() == "shop/web" && one.GetProperty("direction").GetString() == "ingress");
        Assert.DoesNotContain(report.GetProperty("uncovered").EnumerateArray(), one => one.GetProperty("segment").GetString() == "data/db" && one.GetProperty("direction").GetString() == "ingress");

        var junit = XDocument.Parse((await TestAsync(store, policies, "junit")).Output).Root!;
        Assert.Equal(denied.Count, junit.Descendants("failure").Count());
        var sarif = JsonDocument.Parse((await TestAsync(store, policies, "sarif")).Output).RootElement.GetProperty("runs")[0];
        var errors = sarif.GetProperty("results").EnumerateArray().Where(result => result.GetProperty("ruleId").GetString() == "denied-need").ToList();
        Assert.Equal(denied.Count, errors.Count);
        Assert.EndsWith("db.yaml", errors[0].GetProperty("locations")[0].GetProperty("physicalLocation").GetProperty("artifactLocation").GetProperty("uri").GetString(), StringComparison.Ordinal);

        // A copy of the store says the same, without anything beside it.
        var copy = directory["copy"];
        Copy(store, copy);
        Assert.Equal(json.Output, (await TestAsync(copy, policies, "json")).Output);
    }

    [Fact]
    public async Task A_suggestion_denies_nothing_and_every_rule_of_it_is_used()
    {
        using var directory = new TemporaryDirectory();
        var store = await demo.PathAsync();
        await FlowsProcess.RunAsync("policy", "suggest", "--store", store, "--out", directory["policies"]);
        var tested = await TestAsync(store, directory["policies"], "json");
        Assert.True(tested.ExitCode == 0, tested.ToString());
        var rules = JsonDocument.Parse(tested.Output).RootElement.GetProperty("rules").EnumerateArray().ToList();
        Assert.NotEmpty(rules);
        Assert.All(rules, rule => Assert.NotEqual("shadowed", rule.GetProperty("state").GetString()));

        var plan = await FlowsProcess.RunAsync("policy", "plan", "--store", store, "--policies", directory["policies"], "--output", "json");
        Assert.True(plan.ExitCode == 0, plan.ToString());
        Assert.All(JsonDocument.Parse(plan.Output).RootElement.GetProperty("steps").EnumerateArray(), step => Assert.Equal(0, step.GetProperty("denied").GetInt64()));
        Assert.Contains("\"mend\"", (await FlowsProcess.RunAsync("policy", "plan", "--store", store, "--policies", directory.Write("db.yaml", Closed("data", "db")), "--output", "json")).Output,
            StringComparison.Ordinal);

        var drift = await FlowsProcess.RunAsync("policy", "diff", directory["policies"], "traffic", "--store", store, "--output", "json");
        Assert.DoesNotContain(JsonDocument.Parse(drift.Output).RootElement.GetProperty("connections").EnumerateArray(), entry => entry.GetProperty("change").GetString() == "added");
        var same = await FlowsProcess.RunAsync("policy", "diff", directory["policies"], directory["policies"], "--store", store, "--exit-code");
        Assert.True(same.ExitCode == 0, same.ToString());
        var closed = await FlowsProcess.RunAsync("policy", "diff", directory["policies"], directory["db.yaml"], "--store", store, "--exit-code", "--output", "csv");
        Assert.True(closed.ExitCode == 3 && closed.Output.Contains("shop/api,data/db", StringComparison.Ordinal), closed.ToString());
    }

    [Fact]
    public async Task Explain_says_why_and_who_is_meant()
    {
        using var directory = new TemporaryDirectory();
        var store = await demo.PathAsync();
        var denied = await FlowsProcess.RunAsync("policy", "explain", "shop/api", "data/db", "5432", "--store", store, "--policies", directory.Write("db.yaml", Closed("data", "db")));
        Assert.True(denied.ExitCode == 0, denied.ToString());
        Assert.Contains("policies: denied", denied.Output, StringComparison.Ordinal);
        Assert.Contains("denied by default: data/closed closes ingress, and no rule matches", denied.Output, StringComparison.Ordinal);
        Assert.Contains("suggestion: allowed", denied.Output, StringComparison.Ordinal);
        Assert.Matches("seen: [0-9]+ connections", denied.Output);
        var never = await FlowsProcess.RunAsync("policy", "explain", "shop/web", "data/db", "5432", "--store", store);
        Assert.Contains("never seen", never.Output, StringComparison.Ordinal);
        var nobody = await FlowsProcess.RunAsync("policy", "explain", "shop/nobody", "data/db", "5432", "--store", store);
        Assert.True(nobody.ExitCode == 2 && nobody.Error.Contains("Nobody of the store goes by", StringComparison.Ordinal), nobody.ToString());
    }

    private static Task<Finished> TestAsync(string store, string policies, string output) =>
        FlowsProcess.RunAsync("policy", "test", "--store", store, "--policies", policies, "--output", output);

    private static string Closed(string space, string app) => $$"""
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: { name: closed, namespace: {{space}} }
        spec:
          podSelector: { matchLabels: { app.kubernetes.io/name: {{app}} } }
          policyTypes: [Ingress]
        """;

    private static void Copy(string from, string to)
    {
        foreach (var file in Directory.GetFiles(from, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }
}
