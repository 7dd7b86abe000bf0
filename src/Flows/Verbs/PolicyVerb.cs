using System.CommandLine;
using System.Text.Json;
using Flows.Core;
using Flows.Core.Facts;
using Flows.Core.Policy;
using Flows.Store;

namespace Flows.Verbs;

/// <summary><c>flows policy</c>: suggests policies from what a store has seen, and tests policies against it.</summary>
internal static class PolicyVerb
{
    public static Command Create() => new("policy", "Suggest policies from what was seen, test policies against it, or judge what policies mean.")
    {
        PolicySuggestVerb.Create(),
        Test(),
        PolicyEvaluateVerb.Create(),
        PolicyValidateVerb.Create(),
        PolicyConnectivityVerb.Create(),
        PolicyRenderVerb.Create(),
    };

    private static Command Test()
    {
        var store = CommonOptions.Store();
        var since = CommonOptions.Since();
        var until = CommonOptions.Until();
        var cluster = Cluster();
        var ranges = ClusterRanges();
        var output = CommonOptions.Output("table", "json");
        var path = new Option<string>("--policies") { Description = "A file of policies (YAML or JSON), or a directory of such files.", HelpName = "PATH", Required = true };
        var command = new Command("test", """
            Replay what was seen under a set of policies; ends with exit code 3 if a needed connection would be denied.

            Example: flows policy test --store ./store --policies ./policies --since 7d
            """)
        {
            store, path, since, until, cluster, ranges, output,
        };
        command.SetAction(parse =>
        {
            var set = PolicyReader.Read(PolicyFiles.Read(parse.GetValue(path)!));
            var input = Read(parse.GetValue(store)!, parse.GetValue(since), parse.GetValue(until), parse.GetValue(cluster), parse.GetValue(ranges)!);
            return (int)Test(input, set, parse.GetValue(output)!);
        });
        return command;
    }

    private static ExitCode Test(PolicyInput input, PolicySet set, string output)
    {
        var replay = PolicyReplay.Run(input, set);
        if (output == "json")
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(TestReport.Of(replay), Json.Indented.TestReport));
        }
        else
        {
            var table = new DataTable("verdict", "src", "dst", "protocol", "port", "connections", "first_seen", "last_seen", "nodes", "why");
            foreach (var (verdict, finding) in replay.Denied.Select(finding => ("denied", finding)).Concat(replay.Unsure.Select(finding => ("unsure", finding))))
            {
                var edge = finding.Edge;
                table.Add(verdict, PolicyFiles.Called(edge.Src), PolicyFiles.Called(edge.Dst), IpProtocol.NameOf(edge.Protocol), edge.DstPort, edge.Connections,
                    UnixTime.Text(edge.FirstSeenUs), UnixTime.Text(edge.LastSeenUs), edge.Nodes, finding.Sentence);
            }

            table.Print(output, Console.Out);
            PrintReview("Not judged:", replay.KeptOut);
        }

        Console.Error.WriteLine($"{set.Policies.Count} policies over {replay.Needed} needed edges ({replay.NeededConnections} connections): "
            + $"{replay.Denied.Count} denied, {replay.Unsure.Count} unsure.");
        foreach (var note in replay.Notes)
        {
            Console.Error.WriteLine($"note: {note}");
        }

        PrintFindings(replay);
        return replay.ExitCode;
    }

    public static Option<string> Cluster() => new("--cluster") { Description = "The cluster that is meant, where the store knows pods of several.", HelpName = "NAME" };

    public static Option<string[]> ClusterRanges() => new("--cluster-range")
    {
        Description = "A pod or service range of the cluster, such as 10.0.0.0/8; may be given several times. Taken out of rules that are widened to the world.",
        HelpName = "CIDR",
        DefaultValueFactory = _ => [],
        AllowMultipleArgumentsPerToken = true,
    };

    public static PolicyInput Read(DirectoryInfo store, string? since, string? until, string? cluster, string[] ranges)
    {
        var clusterRanges = ranges.Select(NetBlock.Parse).ToList();
        var (sinceUs, untilUs) = CommonOptions.Span(since, until, TimeProvider.System);
        using var reader = StoreReader.Open(store.FullName);
        return Observation.Read(reader, sinceUs, untilUs, cluster) with { ClusterRanges = clusterRanges };
    }

    public static void PrintFindings(ReplayResult replay)
    {
        foreach (var finding in replay.Denied)
        {
            Console.Error.WriteLine($"denied: {finding.Sentence}; {finding.Edge.Connections} connections, last {UnixTime.Text(finding.Edge.LastSeenUs)}");
        }
    }

    public static void PrintReview(string title, IReadOnlyList<ReviewItem> review)
    {
        if (review.Count == 0)
        {
            return;
        }

        Console.Error.WriteLine(title);
        var table = new DataTable("reason", "src", "dst", "protocol", "port", "connections", "detail");
        foreach (var item in review)
        {
            table.Add(JsonNamingPolicy.SnakeCaseLower.ConvertName(item.Reason.ToString()), item.Src, item.Dst, item.Protocol, item.Port, item.Connections, item.Detail);
        }

        table.Print("table", Console.Error);
    }
}
