using Flows.Core;
using Flows.Core.Identity;
using Flows.Core.Labels;
using Xunit;

namespace Flows.Tests.Labels;

/// <summary>Rules make business labels of what is known, say which rule did, and are refused with reasons when they are wrong.</summary>
public sealed class LabelRulesTests
{
    private static readonly Entity Pod = new()
    {
        Id = 1,
        Kind = EntityKind.Pod,
        Scope = "east",
        Cluster = "c1",
        Namespace = "shop-prod",
        Name = "api-7d9f-x2",
        WorkloadKind = "Deployment",
        Workload = "api",
        Labels = new SortedDictionary<string, string> { ["app.kubernetes.io/name"] = "shop", ["odd"] = "<b>\u202e" },
    };

    [Fact]
    public void First_rule_with_a_value_wins_for_each_key_and_is_the_evidence()
    {
        var rules = LabelRulesReader.Read("rules.yaml", """
            keys: [app, env, site]
            rules:
              - name: absent label
                set: {app: "${label:nothing}", site: a}
              - when: {namespace: "*-prod", kind: [vm, pod]}
                set: {app: "${label:app.kubernetes.io/name}-${workload}", env: prod, site: b}
              - set: {env: dev}
            """);
        var labels = rules.Apply(Pod);
        Assert.Equal(["app=shop-api by rule 2", "env=prod by rule 2", "site=a by absent label"], labels.Labels.Select(label => $"{label.Key}={label.Value} by {label.Rule}"));
        Assert.Equal("${label:app.kubernetes.io/name}-${workload}", labels["app"]!.Template);
        Assert.Equal("dev", rules.Apply(Pod with { Kind = EntityKind.Host })["env"]!.Value);
    }

    [Theory]
    [InlineData("kind: pod", true)]
    [InlineData("kind: [vm, host]", false)]
    [InlineData("scope: e?st", true)]
    [InlineData("cluster: c2", false)]
    [InlineData("workload: [x, 'ap*']", true)]
    [InlineData("name: api-*-x", false)]
    [InlineData("labels: {odd: '*'}", true)]
    [InlineData("labels: {odd: '*', even: '*'}", false)]
    [InlineData("labels: {app.kubernetes.io/name: [a, s*p]}", true)]
    [InlineData("cidr: 10.0.0.0/8", true)]
    [InlineData("cidr: ['2001:db8::/32', 10.1.0.0/16]", false)]
    [InlineData("kind: pod\n      namespace: other", false)]
    public void Conditions_hold_all_together(string when, bool holds)
    {
        var rules = LabelRulesReader.Read("r", $"rules:\n  - when:\n      {when}\n    set: {{env: x}}\n");
        Assert.True(AddressRange.TryParse("10.0.0.7", out var address));
        Assert.Equal(holds, rules.Apply(Pod, [address])["env"] is not null);
        Assert.Equal(holds && !when.StartsWith("cidr", StringComparison.Ordinal), rules.Apply(Pod)["env"] is not null);
    }

    [Fact]
    public void All_faults_are_told_at_once_each_with_its_line_and_remedy()
    {
        const string Bad = """
            kees: [app]
            rules:
              - set: {application: x}
              - when: {kind: plane}
                set: {app: x}
              - when: {namespce: x}
                set: {app: x}
              - set: {app: "${label:}"}
              - set: {app: no}
              - set: {app: "has space"}
              - when: {cidr: 10.0.0.1/8}
                set: {app: x}
              - name: nothing
            """;
        var lines = Assert.Throws<FlowsException>(() => LabelRulesReader.Read("rules.yaml", Bad)).Message.Split('\n');
        string[] begins =
        [
            "1: kees is not known", "3: rules[0].set.application sets", "4: rules[1].when.kind 'plane'", "6: rules[2].when.namespce is not known", "8: rules[3].set.app has ${label:}",
            "9: rules[4].set.app must be text; put 'no' in quotes", "10: rules[5].set.app 'has space' is no label value", "11: rules[6].when.cidr '10.0.0.1/8'", "13: rules[7] has no set",
        ];
        Assert.Equal(begins.Length, lines.Length);
        Assert.All(begins, begin => Assert.Contains(lines, line => line.StartsWith($"rules.yaml, line {begin}", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("rules: 7")]
    [InlineData("- a")]
    [InlineData("rules: [*x]")]
    [InlineData("rules: []\n---\nrules: []")]
    [InlineData("rules:\n - set: {app: \"\u0007")]
    [InlineData("keys: [a, a]\nrules: []")]
    public void What_is_no_rules_is_a_usage_fault(string text) =>
        Assert.Equal(ExitCode.Usage, Assert.ThrowsAny<FlowsException>(() => LabelRulesReader.Read("r", text)).ExitCode);

    [Fact]
    public void Built_in_rules_know_the_common_habits()
    {
        var labels = LabelRules.Default.Apply(Pod);
        Assert.Equal(("shop", "prod", null), (labels["app"]!.Value, labels["env"]!.Value, labels["role"]));
        var host = new Entity { Id = 2, Kind = EntityKind.Vm, Name = "db-1", Labels = new SortedDictionary<string, string> { ["host.cloud_region"] = "eu-1", ["env"] = "\u0007" } };
        Assert.Equal(("eu-1", "\u0007"), (LabelRules.Default.Apply(host)["location"]!.Value, LabelRules.Default.Apply(host)["env"]!.Value));
    }

    [Fact]
    public void Hostile_patterns_take_no_time()
    {
        var started = System.Diagnostics.Stopwatch.StartNew();
        Assert.False(new Glob(string.Concat(Enumerable.Repeat("*a", 60)) + "b").Matches(new string('a', 253)));
        Assert.True(new Glob("*").Matches(""));
        Assert.False(new Glob("?").Matches(""));
        Assert.InRange(started.Elapsed.TotalSeconds, 0, 1);
    }
}
