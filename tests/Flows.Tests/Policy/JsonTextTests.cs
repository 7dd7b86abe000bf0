using System.Text.Json.Nodes;
using Flows.Core.Policy;
using Xunit;

namespace Flows.Tests.Policy;

/// <summary>JSON is read without the YAML parser. A marker of a new document before it makes the YAML parser read the same text, and both must agree on everything.</summary>
public sealed class JsonTextTests
{
    private const string Text = """
        {"apiVersion": "v1", "kind": "List", "items": [
          {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
           "metadata": {"name": "web", "namespace": "shop", "labels": {"a.b/c": "x", "n": "1"}},
           "spec": {"podSelector": {"matchLabels": {"app": "web"}, "matchExpressions": [{"key": "k", "operator": "In", "values": ["a", "b"]}]},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}], "ports": [{"port": 80, "endPort": 90, "protocol": "TCP"}]}],
            "egress": [{"to": [{"namespaceSelector": {}}], "ports": [{"port": "http"}]}, {}]}},
          {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "db"}, "spec": {"podSelector": null, "ingress": []}}
        ]}
        """;

    private static readonly string[] Replacements = ["null", "true", "80", "-1", "1e3", "8.5", "0", "\"\"", "\"yes\"", "\"a b\"", "\"\\u00e9\\n\"", "[]", "{}", "[{}]", "{\"x\": 1}", "\"TCP\"", "\"0.0.0.0/0\""];

    [Fact]
    public void Each_value_replaced_by_any_other_is_read_or_refused_in_the_same_words()
    {
        var places = 0;
        for (var at = 0; Damaged(at, "1") is not null; at++, places++)
        {
            foreach (var value in Replacements)
            {
                AssertSame(Damaged(at, value)!);
            }
        }

        Assert.True(places > 50);
    }

    [Theory]
    [InlineData("{\"a\": 1, \"a\": 2}", "duplicate key 'a'")]
    [InlineData("{\"a\": 1,\n \"b\": ]", "line 2")]
    [InlineData("{\"a\": 1} x", "is not YAML or JSON")]
    [InlineData("[1, 2", "is not YAML or JSON")]
    [InlineData("{\"kind\": \"\\ud800\", \"apiVersion\": \"v1\"}", "is no text")]
    [InlineData("{\n\"apiVersion\": \"v1\",\n\"kind\": 5}", "line 3: kind must be text")]
    public void What_is_no_JSON_is_said_with_its_line(string text, string message)
    {
        var fault = Assert.Single(PolicyReader.Objects([new PolicyDocument("p.json", text)])).Faults[0];
        Assert.Contains(message, fault.Message, StringComparison.Ordinal);
        Assert.StartsWith("p.json, line ", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{apiVersion: v1, kind: List, items: []}")]
    [InlineData("  \n{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": []}\n")]
    [InlineData("{\n\t\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": []}")]
    public void Flow_style_YAML_and_indented_JSON_are_both_read(string text) => Assert.Empty(PolicyReader.Objects([new PolicyDocument("p", text)]));

    [Fact]
    public void Deep_nesting_is_refused() => Assert.Contains(
        "nested", Assert.Single(PolicyReader.Objects([new PolicyDocument("p", new string('[', 10_000) + new string(']', 10_000))])).Faults[0].Message, StringComparison.Ordinal);

    private static void AssertSame(string json)
    {
        var read = PolicyReader.Objects([new PolicyDocument("p", json)]);
        var expected = PolicyReader.Objects([new PolicyDocument("p", "---\n" + json)]);
        Assert.Equal(expected.Select(one => (one.Kind, one.Id, one.Policies.Count)), read.Select(one => (one.Kind, one.Id, one.Policies.Count)));
        Assert.Equal(
            expected.SelectMany(one => one.Faults).Select(fault => $"{fault.Line - 1} {fault.Path} {fault.What}"), read.SelectMany(one => one.Faults).Select(fault => $"{fault.Line} {fault.Path} {fault.What}"));
        Assert.Equal(ModelJson.Write(PolicyReader.SetOf(expected)), ModelJson.Write(PolicyReader.SetOf(read)));
    }

    /// <summary>The text with the value of this number, counted from the root, replaced; null where there are fewer.</summary>
    private static string? Damaged(int number, string value)
    {
        var root = JsonNode.Parse(Text)!;
        var place = Below(root).Skip(number).FirstOrDefault();
        if (place.Set is null)
        {
            return null;
        }

        place.Set(JsonNode.Parse(value));
        return root.ToJsonString(new() { WriteIndented = true });
    }

    private static IEnumerable<(JsonNode? Node, Action<JsonNode?> Set)> Below(JsonNode? node) => node switch
    {
        JsonObject map => map.ToList().SelectMany(entry => Below(entry.Value).Prepend((entry.Value, value => map[entry.Key] = value))),
        JsonArray list => Enumerable.Range(0, list.Count).ToList().SelectMany(at => Below(list[at]).Prepend((list[at], value => list[at] = value))),
        _ => [],
    };
}
