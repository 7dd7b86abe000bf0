using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Flows.Core;
using Flows.Core.Facts;
using Flows.Core.Policy;

namespace Flows.Verbs;

/// <summary>A replay as SARIF 2.1.0, which code hosts show beside the files of the policies.</summary>
internal static class PolicyTestSarif
{
    private static readonly (string Id, string Level, string Text)[] Kinds =
    [
        ("denied-need", "error", "A needed connection would be denied."),
        ("unsure-need", "warning", "A needed connection would be denied for some of an end's addresses."),
        ("over-permission", "warning", "A rule lets through what nobody did."),
        ("open-direction", "note", "No policy closes a direction of a workload."),
        ("shadowed-rule", "warning", "Another rule makes this one needless."),
        ("unused-rule", "note", "Nothing that was seen is decided by the rule."),
    ];

    public static void Write(ReplayResult replay, PolicySet set, TextWriter to)
    {
        var origins = set.Policies.GroupBy(policy => policy.Id).ToDictionary(policies => policies.Key, policies => policies.First().Origin, StringComparer.Ordinal);
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteString("$schema", "https://json.schemastore.org/sarif-2.1.0.json");
            json.WriteString("version", "2.1.0");
            json.WriteStartArray("runs");
            json.WriteStartObject();
            Tool(json);
            json.WriteStartArray("results");
            foreach (var (kind, findings) in ((string, IReadOnlyList<ReplayFinding>)[])[("denied-need", replay.Denied), ("unsure-need", replay.Unsure)])
            {
                foreach (var finding in findings)
                {
                    var text = $"{finding.Sentence}; {finding.Edge.Connections} connections, last {UnixTime.Text(finding.Edge.LastSeenUs)}.";
                    Result(json, kind, text, [.. Refusing(finding).Select(policy => origins.GetValueOrDefault(policy, ""))]);
                }
            }

            foreach (var edge in replay.Surplus.Edges)
            {
                var text = $"{edge.Src} may reach {edge.Dst} on {IpProtocol.NameOf(edge.Protocol).ToUpperInvariant()} {edge.Port} and never did; allowed by {string.Join(", ", edge.By)}.";
                Result(json, "over-permission", text, [.. edge.By.Select(rule => origins.GetValueOrDefault(rule[..rule.LastIndexOf(' ')], ""))]);
            }

            foreach (var one in replay.Uncovered)
            {
                Result(json, "open-direction", $"Nothing closes {TestRule.Word(one.Direction)} of {one.Segment}.", []);
            }

            foreach (var rule in replay.Rules.Where(rule => rule.ShadowedBy is not null || rule.IsUnused))
            {
                var place = $"{rule.Policy} {TestRule.Word(rule.Direction)}[{rule.Index}]";
                Result(json, rule.ShadowedBy is null ? "unused-rule" : "shadowed-rule",
                    rule.ShadowedBy is null ? $"{place} {rule.Text}: nothing that was seen needs it." : $"{place} {rule.Text}: {rule.ShadowedBy} says that already.",
                    [origins.GetValueOrDefault(rule.Policy, "")]);
            }

            json.WriteEndArray();
            json.WriteEndObject();
            json.WriteEndArray();
            json.WriteEndObject();
        }

        to.WriteLine(Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length));
    }

    private static void Tool(Utf8JsonWriter json)
    {
        json.WriteStartObject("tool");
        json.WriteStartObject("driver");
        json.WriteString("name", "flows policy test");
        json.WriteString("version", Product.Version);
        json.WriteStartArray("rules");
        foreach (var (id, level, text) in Kinds)
        {
            json.WriteStartObject();
            json.WriteString("id", id);
            json.WriteStartObject("shortDescription");
            json.WriteString("text", text);
            json.WriteEndObject();
            json.WriteStartObject("defaultConfiguration");
            json.WriteString("level", level);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static IEnumerable<string> Refusing(ReplayFinding finding) => ((SideDecision[])[finding.Decision.Egress, finding.Decision.Ingress])
        .Where(side => !side.Allowed).SelectMany(side => side.By.Count > 0 ? side.By.Select(rule => rule.Policy) : side.IsolatedBy);

    private static void Result(Utf8JsonWriter json, string kind, string text, IReadOnlyList<string> origins)
    {
        json.WriteStartObject();
        json.WriteString("ruleId", kind);
        json.WriteString("level", Kinds.First(one => one.Id == kind).Level);
        json.WriteStartObject("message");
        json.WriteString("text", VisibleText.Of(text));
        json.WriteEndObject();
        json.WriteStartArray("locations");
        foreach (var file in origins.Where(origin => origin.Length > 0).Select(FileOf).Distinct(StringComparer.Ordinal))
        {
            json.WriteStartObject();
            json.WriteStartObject("physicalLocation");
            json.WriteStartObject("artifactLocation");
            json.WriteString("uri", Uri.EscapeDataString(file.Replace('\\', '/')).Replace("%2F", "/", StringComparison.Ordinal));
            json.WriteEndObject();
            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>An origin is a file, and with several documents in it the number of the document.</summary>
    private static string FileOf(string origin) => origin.LastIndexOf(", document ", StringComparison.Ordinal) is > 0 and var comma ? origin[..comma] : origin;
}
