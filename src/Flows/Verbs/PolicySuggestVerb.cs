using System.CommandLine;
using System.Text.Json;
using Flows.Core;
using Flows.Core.Policy;
using Flows.Store;

namespace Flows.Verbs;

/// <summary><c>flows policy suggest</c>: the fewest rules that let through what was seen and needed, for segments of any level and any target.</summary>
internal static class PolicySuggestVerb
{
    public static Command Create()
    {
        var store = CommonOptions.Store();
        var since = CommonOptions.Since();
        var until = CommonOptions.Until();
        var cluster = PolicyVerb.Cluster();
        var ranges = PolicyVerb.ClusterRanges();
        var output = CommonOptions.Output("table", "json");
        var levels = Enum.GetValues<SegmentLevel>().Select(LevelName).ToArray();
        var level = new Option<string>("--level")
        {
            Description = "How coarse the segments are. auto: workloads, and where no labels pick one alone the fewest that can be picked together.",
            HelpName = string.Join('|', levels),
            DefaultValueFactory = _ => "workload",
        };
        level.AcceptOnlyFromAmong(levels);
        var levelOf = new Option<string[]>("--segment-level")
        {
            Description = "Another level for one namespace or workload, such as data=namespace or shop/db=pod. May be repeated.",
            HelpName = "NAMESPACE[/WORKLOAD]=LEVEL",
            DefaultValueFactory = _ => [],
        };
        var segment = new Option<string?>("--segment")
        {
            Description = "Policies for this segment only: a namespace, NAMESPACE/WORKLOAD, or labels such as app=shop,env=prod (business labels, else the pods' own).",
            HelpName = "SEGMENT",
        };
        var ring = new Option<string?>("--ring-fence")
        {
            Description = "Put a fence around this segment (as in --segment): inside everything may talk, across only what was seen.",
            HelpName = "SEGMENT",
        };
        var target = new Option<string>("--target")
        {
            Description = "For what the policies are written. nftables: one folder for each host, from --level host or auto.",
            HelpName = string.Join('|', SuggestTarget.All.Select(one => one.Name)),
            DefaultValueFactory = _ => SuggestTarget.Kubernetes.Name,
        };
        target.AcceptOnlyFromAmong([.. SuggestTarget.All.Select(one => one.Name)]);
        var directory = new Option<DirectoryInfo>("--out")
        {
            Description = "Directory for the policies, evidence.json, readiness.json and review.json: new, empty, or written by this verb before.",
            HelpName = "DIR",
            Required = true,
        };
        var command = new Command("suggest", """
            Write the fewest policies that let through what was seen and needed, with the evidence for every rule and how far each segment is known.
            A namespace gets a default deny, and a direction that nobody used is closed, only once all that is in it is stable.

            Example: flows policy suggest --store ./store --level workload --cluster-range 10.0.0.0/8 --out ./policies
            """)
        {
            store, level, levelOf, segment, ring, target, since, until, cluster, ranges, directory, output,
        };
        command.SetAction(async parse =>
        {
            var only = Filter(parse.GetValue(segment));
            var fence = Filter(parse.GetValue(ring));

            // Said before anything that takes time.
            PolicyFiles.Own(parse.GetValue(directory)!);
            var input = PolicyVerb.Read(parse.GetValue(store)!, parse.GetValue(since), parse.GetValue(until), parse.GetValue(cluster), parse.GetValue(ranges)!) with
            {
                Level = LevelNamed(parse.GetValue(level)!)!.Value,
                LevelOf = LevelsOf(parse.GetValue(levelOf)!),
                Target = SuggestTarget.Named(parse.GetValue(target)!),
                Only = only,
                RingFence = fence,
            };
            return (int)await SuggestAsync(input, parse.GetValue(directory)!, parse.GetValue(output)!).ConfigureAwait(false);
        });
        return command;
    }

    private static async Task<ExitCode> SuggestAsync(PolicyInput input, DirectoryInfo directory, string output)
    {
        var suggestion = PolicySuggester.Suggest(input);
        var rendered = RenderedSuggestion.Of(input, suggestion.Set);

        // What leaves is what was judged: while the texts are written, they are read back and replayed.
        var writing = Task.Run(() => PolicyFiles.WriteAsync(directory, PolicyFiles.Of(rendered.Files, suggestion)));
        ReplayResult? replay;
        try
        {
            replay = rendered.ReadBack?.Invoke() is { } set ? PolicyReplay.Run(input, set, suggestion) : null;
        }
        finally
        {
            await writing.ConfigureAwait(false);
        }

        var policies = suggestion.Set.Policies.Select(PolicySummary.Of).ToList();
        if (output == "json")
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(
                new SuggestReport(
                    policies, suggestion.Review, replay is null ? null : TestReport.Of(replay),
                    [.. suggestion.Readiness.Select(ReadinessEntry.Of)], suggestion.Warnings, [.. rendered.Losses.Select(loss => loss.ToString())]),
                Json.Indented.SuggestReport));
        }
        else
        {
            Print(policies, suggestion);
        }

        foreach (var warning in suggestion.Warnings)
        {
            Console.Error.WriteLine(VisibleText.Of($"warning: {warning}"));
        }

        foreach (var loss in rendered.Losses)
        {
            Console.Error.WriteLine(VisibleText.Of($"{loss.EffectText}: {loss}"));
        }

        Console.Error.WriteLine($"{policies.Count} policies in {directory.FullName}; " + (replay is null
            ? "not replayed, since what is written for hosts cannot be read back."
            : $"replayed over {replay.Needed} needed edges ({replay.NeededConnections} connections): {replay.Denied.Count} denied."));
        if (replay is not null)
        {
            PolicyTestPrint.Denied(replay);
        }

        return replay?.ExitCode ?? ExitCode.Ok;
    }

    private static void Print(List<PolicySummary> policies, Suggestion suggestion)
    {
        var states = suggestion.Readiness.GroupBy(ready => ready.Segment).ToDictionary(same => same.Key, same => same.Max(ready => ready.State), StringComparer.Ordinal);
        var subjects = suggestion.Set.Policies.ToDictionary(policy => policy.Id, policy => policy.Subject, StringComparer.Ordinal);
        var table = new DataTable("namespace", "policy", "pods", "ingress_rules", "egress_rules", "connections", "state", "file");
        policies.Take(PolicyTestPrint.RowsMost).ToList().ForEach(policy => table.Add(
            policy.Namespace, policy.Name, policy.Pods, policy.IngressRules ?? (object)"open", policy.EgressRules ?? (object)"open", policy.Connections,
            subjects.TryGetValue(policy.Namespace.Length == 0 ? policy.Name : $"{policy.Namespace}/{policy.Name}", out var subject) && states.TryGetValue(subject, out var state)
                ? JsonNamingPolicy.SnakeCaseLower.ConvertName(state.ToString()) : "",
            policy.File));
        table.Print("table", Console.Out);
        PolicyTestPrint.Left(policies.Count, "policies", Console.Out);
        PolicyTestPrint.Review("For review, also in review.json:", suggestion.Review);
    }

    private static SegmentFilter? Filter(string? text) => text is null ? null : SegmentFilter.Parse(text);

    private static Dictionary<string, SegmentLevel> LevelsOf(string[] texts)
    {
        Dictionary<string, SegmentLevel> levels = new(StringComparer.Ordinal);
        foreach (var text in texts)
        {
            var parts = text.Split('=');
            levels[parts[0]] = parts.Length == 2 && LevelNamed(parts[1]) is { } level && SegmentFilter.Parse(parts[0]) is not null
                ? level
                : throw new FlowsException(ExitCode.Usage, $"'{text}' is no level of a segment; write NAMESPACE=LEVEL or NAMESPACE/WORKLOAD=LEVEL.");
        }

        return levels;
    }

    private static SegmentLevel? LevelNamed(string name) => Enum.GetValues<SegmentLevel>().Where(level => LevelName(level) == name).Select(level => (SegmentLevel?)level).FirstOrDefault();

    private static string LevelName(SegmentLevel level) => JsonNamingPolicy.SnakeCaseLower.ConvertName(level.ToString());
}
