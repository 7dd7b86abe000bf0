using System.Text.Json;
using Flows.Core.Accounting;
using Flows.Core.Map;
using Flows.Core.Policy;

namespace Flows.Demo;

/// <summary>Prints what a demo found: for programs as one JSON object, for people as a story.</summary>
internal static class DemoPrinter
{
    public static void PrintJson(DemoResult result, TextWriter to)
    {
        var edges = new DemoEdges(result.Comparison.Expected, result.Comparison.Observed, result.Comparison.Missing, result.Comparison.Invented);
        to.WriteLine(JsonSerializer.Serialize(new DemoReport(edges, result.Checks, result.Evidence.Conservation), Json.Indented.DemoReport));
    }

    public static void PrintStory(DemoResult result, TextWriter to)
    {
        Title(to, $"The map ({result.Evidence.Kind}, level workload)");
        string[] shown = ["from", "to", "ports", "connections", "answered", "refused", "unanswered", "flags"];
        var map = new DataTable(shown);
        int[] columns = [.. shown.Select(name => MapText.Columns.ToList().IndexOf(name))];
        foreach (var row in MapText.Rows(EdgeGraph.Of(result.Edges, MapLevel.Workload)))
        {
            map.Add([.. columns.Select(column => row[column])]);
        }

        map.Print("table", to);

        Title(to, "What was dropped on the way, and why (seen = forwarded + dropped + in flight)");
        var books = new DataTable("hop", "unit", "seen", "forwarded", "dropped", "in_flight", "holds");
        foreach (var hop in result.Evidence.Conservation)
        {
            books.Add(hop.Hop, hop.Unit, hop.Seen, hop.Forwarded, string.Join(", ", hop.Dropped.Select(drop => $"{drop.Key} {drop.Value}")), hop.InFlight, hop.Holds);
        }

        books.Print("table", to);

        Title(to, "Suggested policies");
        foreach (var policy in result.Suggestion.Set.Policies)
        {
            to.WriteLine(policy.Id);
            foreach (var (direction, _, rule) in policy.AllRules())
            {
                to.WriteLine($"  {RuleSentence.Of(direction, rule)}");
            }
        }

        to.WriteLine();
        to.WriteLine($"Replayed over {result.Replay.Needed} needed edges ({result.Replay.NeededConnections} connections): {result.Replay.Denied.Count} denied.");

        Title(to, "Kept out of the rules, for review");
        var review = new DataTable("reason", "from", "to", "protocol", "port", "connections");
        foreach (var item in result.Suggestion.Review)
        {
            review.Add(JsonNamingPolicy.SnakeCaseLower.ConvertName(item.Reason.ToString()), item.Src, item.Dst, item.Protocol, item.Port, item.Connections);
        }

        review.Print("table", to);

        Title(to, "Held against the truth that the programs themselves reported");
        to.WriteLine($"{result.Comparison.Expected} edges expected, {result.Comparison.Observed} observed, {result.Comparison.Missing.Count} missing, {result.Comparison.Invented.Count} invented.");
        foreach (var fault in result.Comparison.Missing.Select(text => $"missing: {text}").Concat(result.Comparison.Invented.Select(text => $"invented: {text}")))
        {
            to.WriteLine($"  {fault}");
        }

        foreach (var check in result.Checks)
        {
            to.WriteLine($"  {(check.Ok ? "ok    " : "FAILED")} {check.Name}: {check.Detail}");
        }
    }

    private static void Title(TextWriter to, string text)
    {
        to.WriteLine();
        to.WriteLine(text);
        to.WriteLine(new string('-', text.Length));
    }
}

/// <summary>What a demo found, for programs.</summary>
internal sealed record DemoReport(DemoEdges Edges, IReadOnlyList<DemoCheck> Checks, IReadOnlyList<HopReport> Conservation);

/// <summary>How many edges were there and how many were seen; what is too few and too many.</summary>
internal sealed record DemoEdges(int Expected, int Observed, IReadOnlyList<string> Missing, IReadOnlyList<string> Invented);
