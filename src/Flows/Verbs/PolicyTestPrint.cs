using System.Text.Json;
using Flows.Core;
using Flows.Core.Facts;
using Flows.Core.Policy;

namespace Flows.Verbs;

/// <summary>Prints what a replay found, for people.</summary>
internal static class PolicyTestPrint
{
    /// <summary>Nobody reads on, and to align a million rows takes longer than to judge them.</summary>
    public const int RowsMost = 1000;

    /// <summary>Findings, then what rules did, then what stays open.</summary>
    public static void Tables(ReplayResult replay, TextWriter to)
    {
        var findings = new DataTable("verdict", "src", "dst", "protocol", "port", "connections", "first_seen", "last_seen", "nodes", "why");
        foreach (var (verdict, finding) in replay.Denied.Select(finding => ("denied", finding)).Concat(replay.Unsure.Select(finding => ("unsure", finding))).Take(RowsMost))
        {
            var edge = finding.Edge;
            findings.Add(verdict, EdgeEvidence.Called(edge.Src), EdgeEvidence.Called(edge.Dst), IpProtocol.NameOf(edge.Protocol), edge.DstPort, edge.Connections,
                UnixTime.Text(edge.FirstSeenUs), UnixTime.Text(edge.LastSeenUs), edge.Nodes, finding.Sentence);
        }

        foreach (var edge in replay.Surplus.Edges.Take(RowsMost))
        {
            findings.Add("surplus", edge.Src, edge.Dst, IpProtocol.NameOf(edge.Protocol), edge.Port, 0L, null, null, null, $"never seen, allowed by {string.Join(", ", edge.By)}");
        }

        findings.Print("table", to);
        Left(replay.Denied.Count + replay.Unsure.Count, "findings", to);
        Left(replay.Surplus.Edges.Count, "connections that were allowed and never seen", to);
        if (replay.Rules.Count > 0)
        {
            var rules = new DataTable("rule", "state", "connections", "alone", "last_seen", "text", "shadowed_by");
            foreach (var rule in Chosen(replay.Rules))
            {
                rules.Add($"{rule.Policy} {TestRule.Word(rule.Direction)}[{rule.Index}]", rule.State, rule.Connections, rule.Alone, rule.LastSeenUs is > 0 and var last ? UnixTime.Text(last) : "",
                    rule.Text, rule.ShadowedBy);
            }

            rules.Print("table", to);
            Left(replay.Rules.Count, "rules", to);
        }

        if (replay.Uncovered.Count > 0)
        {
            var open = new DataTable("uncovered", "direction", "connections");
            replay.Uncovered.Take(RowsMost).ToList().ForEach(one => open.Add(one.Segment, TestRule.Word(one.Direction), one.Connections));
            open.Print("table", to);
            Left(replay.Uncovered.Count, "open directions", to);
        }
    }

    public static void Summary(ReplayResult replay, PolicySet set)
    {
        Console.Error.WriteLine($"{set.Policies.Count} policies over {replay.Needed} needed edges ({replay.NeededConnections} connections): "
            + $"{replay.Denied.Count} denied, {replay.Unsure.Count} unsure, {replay.Surplus.Count}{(replay.Surplus.Complete ? "" : " or more")} allowed and never seen, "
            + $"{replay.Uncovered.Count} open directions, {replay.Rules.Count(rule => rule.IsUnused)} of {replay.Rules.Count} rules unused, "
            + $"{replay.Rules.Count(rule => rule.ShadowedBy is not null)} shadowed.");
        foreach (var note in replay.Notes)
        {
            Console.Error.WriteLine($"note: {VisibleText.Of(note)}");
        }

        Denied(replay);
    }

    public static void Denied(ReplayResult replay)
    {
        foreach (var finding in replay.Denied.Take(RowsMost))
        {
            Console.Error.WriteLine(VisibleText.Of($"denied: {finding.Sentence}; {finding.Edge.Connections} connections, last {UnixTime.Text(finding.Edge.LastSeenUs)}"));
        }
    }

    /// <summary>All rules in their order; of very many those that are not simply used.</summary>
    private static IEnumerable<RuleUse> Chosen(IReadOnlyList<RuleUse> rules) => rules.Count <= RowsMost ? rules : rules.OrderBy(rule => rule.State == "used").Take(RowsMost);

    /// <summary>How many rows were left out of a table, if any.</summary>
    public static void Left(int count, string what, TextWriter to)
    {
        if (count > RowsMost)
        {
            to.WriteLine($"... and {count - RowsMost} {what} more; --output json lists all.");
        }
    }

    public static void Review(string title, IReadOnlyList<ReviewItem> review)
    {
        if (review.Count == 0)
        {
            return;
        }

        Console.Error.WriteLine(title);
        var table = new DataTable("reason", "src", "dst", "protocol", "port", "connections", "detail");
        foreach (var item in review.Take(RowsMost))
        {
            table.Add(JsonNamingPolicy.SnakeCaseLower.ConvertName(item.Reason.ToString()), item.Src, item.Dst, item.Protocol, item.Port, item.Connections, item.Detail);
        }

        table.Print("table", Console.Error);
        Left(review.Count, "items", Console.Error);
    }
}
