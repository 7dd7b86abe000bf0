using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Flows.Core;
using Flows.Core.Policy;

namespace Flows.Verbs;

/// <summary>A roll-out plan, for programs.</summary>
internal sealed record PlanReport(IReadOnlyList<RolloutStep> Steps);

/// <summary><c>flows policy plan</c>: in which order to enforce a draft, and what each step changes.</summary>
internal static class PolicyPlanVerb
{
    public static Command Create()
    {
        var from = new PolicyStoreOptions();
        var policies = PolicyOptions.Policies();
        policies.Required = false;
        policies.Description = "The draft: a file of policies, or a directory of such files. A suggestion made from the store unless given.";
        var current = new Option<string?>("--current")
        {
            Description = "What is enforced today: a file or directory of policies. What the watched cluster has, unless given; nothing where none is watched.",
            HelpName = "PATH",
        };
        var keepGoing = PolicyOptions.KeepGoing();
        var output = CommonOptions.Output("table", "json", "csv");
        var command = new Command("plan", """
            Say in which order to enforce a draft. First comes what takes away most reach at no known risk; then what should be watched for longer; last what
            would deny needed connections and must be mended before. Each step says what it closes, what stays reachable and how ready its workloads are.

            Example: flows policy plan --store ./store --policies ./policies
            """)
        {
            policies, current, keepGoing, output,
        };
        from.AddTo(command);
        command.SetAction(parse =>
        {
            var seen = from.Read(parse);
            var suggestion = PolicySuggester.Suggest(seen.Observed);
            var draft = parse.GetValue(policies) is { } path ? PolicyOptions.ReadSet(path, parse.GetValue(keepGoing)) : suggestion.Set;
            var today = parse.GetValue(current) is { } now ? PolicyOptions.ReadSet(now, parse.GetValue(keepGoing)) : seen.ClusterPolicies ?? PolicySet.Empty;
            var plan = RolloutPlanner.Plan(seen.Input, today, draft, seen.Options, new SuggestedReadiness(suggestion));
            Print(plan, parse.GetValue(output)!);
            return (int)ExitCode.Ok;
        });
        return command;
    }

    private static void Print(RolloutPlan plan, string output)
    {
        if (output == "json")
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(new PlanReport(plan.Steps), Json.Indented.PlanReport));
            return;
        }

        var table = new DataTable("step", "advice", "policies", "segments", "reach_before", "reach_after", "denied", "readiness", "unseen", "changes");
        foreach (var step in plan.Steps)
        {
            table.Add(
                step.Number,
                JsonNamingPolicy.SnakeCaseLower.ConvertName(step.Advice.ToString()),
                step.Policies,
                step.Segments,
                step.ReachBefore,
                step.ReachAfter,
                step.Denied,
                step.Readiness is { } ready ? JsonNamingPolicy.SnakeCaseLower.ConvertName(ready.State.ToString()) : "unknown",
                step.Readiness?.UnseenProbability?.ToString("0.####", CultureInfo.InvariantCulture) ?? "",
                string.Join("; ", step.Changes.Concat(step.DeniedBecause)));
        }

        table.Print(output, Console.Out);
        Console.Error.WriteLine($"{plan.Steps.Count} steps: {plan.Steps.Count(step => step.Advice == StepAdvice.Enforce)} to enforce, "
            + $"{plan.Steps.Count(step => step.Advice == StepAdvice.Watch)} to watch, {plan.Steps.Count(step => step.Advice == StepAdvice.Mend)} to mend.");
    }
}
