using System.CommandLine;
using System.Text.Json;
using Flows.Core;
using Flows.Core.Policy;
using Flows.Store;

namespace Flows.Verbs;

/// <summary><c>flows policy</c>: suggests policies from what a store has seen, and tests policies against it.</summary>
internal static class PolicyVerb
{
    public static Command Create() => new("policy", "Suggest policies from what was seen, test policies against it, or judge what policies mean.")
    {
        Suggest(),
        PolicyTestVerb.Create(),
        PolicyExplainVerb.Create(),
        PolicyDiffVerb.Create(),
        PolicyPlanVerb.Create(),
        PolicyEvaluateVerb.Create(),
        PolicyValidateVerb.Create(),
        PolicyConnectivityVerb.Create(),
        PolicyRenderVerb.Create(),
    };

    private static Command Suggest()
    {
        var store = CommonOptions.Store();
        var since = CommonOptions.Since();
        var until = CommonOptions.Until();
        var cluster = Cluster();
        var ranges = ClusterRanges();
        var output = CommonOptions.Output("table", "json");
        var level = new Option<string>("--level")
        {
            Description = "How coarse the segments are.",
            HelpName = "workload|namespace",
            DefaultValueFactory = _ => "workload",
        };
        level.AcceptOnlyFromAmong("workload", "namespace");
        var target = new Option<string>("--target") { Description = "For what the policies are written.", HelpName = "kubernetes", DefaultValueFactory = _ => "kubernetes" };
        target.AcceptOnlyFromAmong("kubernetes");
        var directory = new Option<DirectoryInfo>("--out")
        {
            Description = "Directory for the policies, evidence.json and review.json: new, empty, or written by this verb before.",
            HelpName = "DIR",
            Required = true,
        };
        var command = new Command("suggest", """
            Write the fewest policies that let through what was seen and needed, with the evidence for every rule.

            Example: flows policy suggest --store ./store --level workload --cluster-range 10.0.0.0/8 --out ./policies
            """)
        {
            store, level, target, since, until, cluster, ranges, directory, output,
        };
        command.SetAction(parse =>
        {
            var input = Read(parse.GetValue(store)!, parse.GetValue(since), parse.GetValue(until), parse.GetValue(cluster), parse.GetValue(ranges)!) with
            {
                Level = parse.GetValue(level) == "namespace" ? SegmentLevel.Namespace : SegmentLevel.Workload,
            };
            return (int)Suggest(input, parse.GetValue(directory)!, parse.GetValue(output)!);
        });
        return command;
    }

    private static ExitCode Suggest(PolicyInput input, DirectoryInfo directory, string output)
    {
        var suggestion = PolicySuggester.Suggest(input);
        var files = PolicyFiles.Render(suggestion);

        // What leaves is what was judged: the texts are read back and replayed before anything is written.
        var replay = PolicyReplay.Run(input, KubernetesReader.Read(files.Where(file => file.IsPolicy).Select(file => new PolicyDocument(file.Name, file.Text))));
        PolicyFiles.Write(directory, files);
        var policies = suggestion.Set.Policies.Select(PolicySummary.Of).ToList();
        if (output == "json")
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(new SuggestReport(policies, suggestion.Review, TestReport.Of(replay)), Json.Indented.SuggestReport));
        }
        else
        {
            var table = new DataTable("namespace", "policy", "pods", "ingress_rules", "egress_rules", "connections", "file");
            policies.ForEach(policy => table.Add(
                policy.Namespace, policy.Name, policy.Pods, policy.IngressRules ?? (object)"open", policy.EgressRules ?? (object)"open", policy.Connections, policy.File));
            table.Print(output, Console.Out);
            PolicyTestPrint.Review("For review, also in review.json:", suggestion.Review);
        }

        Console.Error.WriteLine($"{policies.Count} policies in {directory.FullName}; replayed over {replay.Needed} needed edges "
            + $"({replay.NeededConnections} connections): {replay.Denied.Count} denied.");
        PolicyTestPrint.Denied(replay);
        return replay.ExitCode;
    }

    private static Option<string> Cluster() => new("--cluster") { Description = "The cluster that is meant, where the store knows pods of several.", HelpName = "NAME" };

    private static Option<string[]> ClusterRanges() => new("--cluster-range")
    {
        Description = "A pod or service range of the cluster, such as 10.0.0.0/8; may be given several times. Taken out of rules that are widened to the world.",
        HelpName = "CIDR",
        DefaultValueFactory = _ => [],
        AllowMultipleArgumentsPerToken = true,
    };

    private static PolicyInput Read(DirectoryInfo store, string? since, string? until, string? cluster, string[] ranges)
    {
        var clusterRanges = ranges.Select(NetBlock.Parse).ToList();
        var (sinceUs, untilUs) = CommonOptions.Span(since, until, TimeProvider.System);
        using var reader = StoreReader.Open(store.FullName);
        return PolicyInput.Of(reader.Edges(sinceUs, untilUs), reader.Identities(), sinceUs, untilUs, cluster) with { ClusterRanges = clusterRanges };
    }
}
