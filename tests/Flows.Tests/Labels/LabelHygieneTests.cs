using System.Text.Json;
using Flows.Core.Identity;
using Flows.Core.Labels;
using Flows.Verbs;
using Xunit;

namespace Flows.Tests.Labels;

/// <summary>What has no labels is listed, and what is probably wrong is told with a reason.</summary>
public sealed class LabelHygieneTests
{
    private readonly List<Labelled> holders = [];
    private ulong next;

    [Fact]
    public void Workload_is_one_line_whatever_its_pods_are_called_and_missing_keys_are_named()
    {
        Pod("shop", "api", "app=api", "env=prod");
        Pod("shop", "api", "app=api", "env=prod");
        holders.Add(new(new Entity { Id = 99, Kind = EntityKind.Service, Name = "svc" }, []));
        holders.Add(new(new Entity { Id = 98, Kind = EntityKind.Host, Name = "bare" }, []));

        var all = LabelHygiene.Of(holders, LabelRules.Default);
        Assert.Equal(["bare", "api"], all.Select(one => one.Name));
        Assert.Equal((2, "api", "prod"), (all[1].Members, all[1].Labels["app"]!.Value, all[1].Labels["env"]!.Value));
        Assert.Equal(["role", "location"], all[1].Missing);
        Assert.Equal(["app", "role", "env", "location"], all[0].Missing);
    }

    [Fact]
    public void Members_that_disagree_are_told()
    {
        Pod("shop", "api", "env=prod");
        Pod("shop", "api", "env=prod");
        Pod("shop", "api", "env=dev");
        Pod("shop", "api");
        var one = Assert.Single(Assert.Single(LabelHygiene.Of(holders, LabelRules.Default)).Suspicions);
        Assert.Equal(("env", "members_disagree", "of 4 members 2 have env 'prod', 1 have no env, 1 have env 'dev'"), (one.Key, one.Reason, one.Detail));
    }

    [Theory]
    [InlineData("prdo", true)]
    [InlineData("Production", true)]
    [InlineData("produktion", true)]
    [InlineData("prodection", true)]
    [InlineData("staging", false)]
    [InlineData("production2", false)]
    public void Value_of_one_that_is_nearly_the_value_of_many_is_told(string value, bool suspect)
    {
        var usual = value.Length <= 4 ? "prod" : "production";
        foreach (var i in Enumerable.Range(0, 3))
        {
            Pod($"ns{i}", $"w{i}", $"env={usual}");
        }

        Pod("other", "w", $"env={value}");
        var found = LabelHygiene.Of(holders, LabelRules.Default).SelectMany(one => one.Suspicions).Where(one => one.Reason == "near_miss").ToList();
        Assert.Equal(suspect ? 1 : 0, found.Count);
    }

    [Fact]
    public void Environment_that_contradicts_its_namespace_is_told()
    {
        foreach (var i in Enumerable.Range(0, 4))
        {
            Pod("shop", $"w{i}", "env=prod");
        }

        Pod("shop", "odd", "env=dev");
        Pod("else", "fine", "env=dev");
        var found = LabelHygiene.Of(holders, LabelRules.Default).Where(one => one.Suspicions.Any(suspicion => suspicion.Reason == "namespace_majority"));
        Assert.Equal("odd", Assert.Single(found).Name);
    }

    [Fact]
    public void Hostile_values_are_told_and_printed_as_text()
    {
        Pod("shop", "api", "app=\u202egpj\u0007<b>");
        Pod("shop", "no", "app=~");
        var all = LabelHygiene.Of(holders, LabelRules.Default);
        Assert.All(all, one => Assert.Contains(one.Suspicions, suspicion => suspicion.Reason == "not_plain"));

        using var table = new StringWriter();
        LabelsVerb.Print(all, LabelRules.Default, "table", table);
        Assert.DoesNotContain(table.ToString(), one => one is '\u202e' or '\u0007');
        using var json = new StringWriter();
        LabelsVerb.Print(all, LabelRules.Default, "json", json);
        using var document = JsonDocument.Parse(json.ToString());
        Assert.Equal("\u202egpj\u0007<b>", document.RootElement[0].GetProperty("labels").GetProperty("app").GetProperty("value").GetString());
        using var csv = new StringWriter();
        LabelsVerb.Print(all, LabelRules.Default, "csv", csv);
        Assert.StartsWith("scope,cluster,namespace,kind,workload,members,app,role,env,location,missing,suspect", csv.ToString(), StringComparison.Ordinal);
    }

    private void Pod(string space, string workload, params string[] labels) => holders.Add(new(new Entity
    {
        Id = ++next,
        Kind = EntityKind.Pod,
        Scope = "east",
        Namespace = space,
        Name = $"{workload}-{next}",
        WorkloadKind = "Deployment",
        Workload = workload,
        Labels = new SortedDictionary<string, string>(labels.Select(label => label.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1])),
    }, []));
}
