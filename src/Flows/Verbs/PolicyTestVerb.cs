using System.CommandLine;
using System.Text.Json;
using Flows.Core;
using Flows.Core.Policy;

namespace Flows.Verbs;

/// <summary><c>flows policy test</c>: what a set of policies would have done to what was seen, and what it allows beyond.</summary>
internal static class PolicyTestVerb
{
    private const string Live = "live";

    public static Command Create()
    {
        var from = new PolicyStoreOptions();
        var policies = PolicyOptions.Policies();
        var against = new Option<string>("--against")
        {
            Description = "history: what the store has seen. live: what it sees from now on, until interrupted or for as long as --for says.",
            HelpName = "history|live",
            DefaultValueFactory = _ => "history",
        };
        against.AcceptOnlyFromAmong("history", Live);
        var lasting = new Option<string?>("--for") { Description = "How long to watch with --against live, such as 10m.", HelpName = "AGE" };
        var ranges = new Option<string[]>("--cluster-range")
        {
            Description = "A pod or service range of the cluster, such as 10.0.0.0/8; may be given several times. An unknown address in it is for review.",
            HelpName = "CIDR",
            DefaultValueFactory = _ => [],
            AllowMultipleArgumentsPerToken = true,
        };
        var keepGoing = PolicyOptions.KeepGoing();
        var output = CommonOptions.Output("table", "json", "junit", "sarif");
        var command = new Command("test", """
            Replay what was seen under a set of policies, with the labels that pods had then: needed connections that it denies, connections that it allows
            and nobody made, workloads that stay open, and what each rule did. Needs the store only, or a copy of it; no cluster.
            Ends with exit code 3 if a needed connection would be denied.

            Examples:
              flows policy test --store ./store --policies ./policies --since 7d
              flows policy test --store ./store --policies ./policies --output junit > report.xml
              flows policy test --store ./store --policies ./policies --against live --for 1h
            """)
        {
            policies, against, lasting, ranges, keepGoing, output,
        };
        from.AddTo(command);
        command.SetAction(async (parse, cancel) =>
        {
            PolicySet ReadSet() => PolicyOptions.ReadSet(parse.GetValue(policies)!, parse.GetValue(keepGoing));
            var clusterRanges = parse.GetValue(ranges)!.Select(NetBlock.Parse).ToList();
            if (parse.GetValue(against) == Live)
            {
                using var lifetime = Lifetime.Start(cancel);
                return (int)await PolicyLiveTest.RunAsync(from, parse, ReadSet(), clusterRanges, parse.GetValue(lasting), TimeProvider.System, lifetime.Token).ConfigureAwait(false);
            }

            // Side by side: of a large estate each takes many seconds.
            var (reading, looking) = (Task.Run(ReadSet, cancel), Task.Run(() => from.Read(parse), cancel));
            await Task.WhenAll(reading, looking).ConfigureAwait(false);
            var (set, seen) = (await reading.ConfigureAwait(false), await looking.ConfigureAwait(false));
            var replay = PolicyReplay.Run(seen.Input with { ClusterRanges = clusterRanges }, set, seen.Options);
            Print(replay, set, parse.GetValue(output)!);
            return (int)replay.ExitCode;
        });
        return command;
    }

    private static void Print(ReplayResult replay, PolicySet set, string output)
    {
        switch (output)
        {
            case "json":
                Console.Out.WriteLine(JsonSerializer.Serialize(TestReport.Of(replay), Json.Indented.TestReport));
                break;
            case "junit":
                PolicyTestJUnit.Write(replay, Console.Out);
                break;
            case "sarif":
                PolicyTestSarif.Write(replay, set, Console.Out);
                break;
            default:
                PolicyTestPrint.Tables(replay, Console.Out);
                PolicyTestPrint.Review("Not judged:", replay.KeptOut);
                break;
        }

        PolicyTestPrint.Summary(replay, set);
    }
}
