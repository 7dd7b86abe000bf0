using System.CommandLine;
using System.Text.Json;
using Flows.Core;
using Flows.Core.Policy;

namespace Flows.Verbs;

/// <summary>What one side of a diff is: a set from files or from the cluster, or the traffic itself.</summary>
internal sealed record DiffSide(PolicySet? Set)
{
    public bool IsTraffic => Set is null;
}

/// <summary>A diff, for programs.</summary>
internal sealed record DiffReport(bool Same, bool Complete, IReadOnlyList<DiffEntry> Connections);

/// <summary><c>flows policy diff</c>: which connections one set lets through and another does not.</summary>
internal static class PolicyDiffVerb
{
    private const string OfCluster = "cluster";
    private const string Traffic = "traffic";

    public static Command Create()
    {
        var a = new Argument<string>("A") { Description = "A file or directory of policies; 'cluster' for those that the watched cluster has; 'traffic' for what was seen." };
        var b = new Argument<string>("B") { Description = "As A: what it is compared with." };
        var from = new PolicyStoreOptions();
        from.Store.Required = false;
        var fleet = new Option<string?>("--fleet")
        {
            Description = "Without a store: the cluster's objects, as kubectl get -o yaml or json prints them.",
            HelpName = "FILE",
        };
        var keepGoing = PolicyOptions.KeepGoing();
        var exit = new Option<bool>("--exit-code") { Description = "End with exit code 3 where there is a difference." };
        var output = CommonOptions.Output("table", "json", "csv");
        var command = new Command("diff", """
            Compare what two sets let through, or a set and what was seen, as connections and not as text: what B lets through and A does not is added,
            the other way round it is removed. With 'traffic' as B: added is what is needed and not allowed, removed what is allowed and never seen.

            Examples:
              flows policy diff ./policies ./policies-new --store ./store
              flows policy diff cluster ./policies --store ./store
              flows policy diff ./policies traffic --store ./store --since 7d
              flows policy diff old.yaml new.yaml --fleet cluster.yaml
            """)
        {
            a, b, fleet, keepGoing, exit, output,
        };
        from.AddTo(command);
        command.SetAction(parse =>
        {
            var seen = parse.GetValue(from.Store) is null ? null : from.Read(parse);
            var (one, other) = (Side(parse.GetValue(a)!, seen, parse.GetValue(keepGoing)), Side(parse.GetValue(b)!, seen, parse.GetValue(keepGoing)));
            var diff = Between(one, other, seen, parse.GetValue(fleet), PolicyOptions.DialectOf(parse.GetValue(from.Dialect)));
            Print(diff, parse.GetValue(output)!);
            return (int)(parse.GetValue(exit) && !diff.IsSame ? ExitCode.No : ExitCode.Ok);
        });
        return command;
    }

    private static DiffSide Side(string text, PolicyStore? seen, bool keepGoing) => text switch
    {
        Traffic when !File.Exists(text) && !Directory.Exists(text) => seen is not null ? new DiffSide((PolicySet?)null) : throw NoStore(text),
        OfCluster when !File.Exists(text) && !Directory.Exists(text) => new DiffSide((seen ?? throw NoStore(text)).ClusterPolicies ?? PolicySet.Empty),
        _ => new DiffSide(PolicyOptions.ReadSet(text, keepGoing)),
    };

    private static FlowsException NoStore(string text) => new(ExitCode.Usage, $"'{text}' needs a store; give one with --store.");

    private static DiffResult Between(DiffSide a, DiffSide b, PolicyStore? seen, string? fleet, Dialect? dialect)
    {
        if (a.IsTraffic || b.IsTraffic)
        {
            var set = (a.IsTraffic ? b.Set : a.Set) ?? throw new FlowsException(ExitCode.Usage, "Both sides are the traffic; name a set of policies.");
            var drift = PolicyDrift.Of(PolicyReplay.Run(seen!.Input, set, seen.Options));
            return a.IsTraffic ? PolicyDrift.Reversed(drift) : drift;
        }

        if (seen is null)
        {
            var view = PolicyOptions.ReadCluster(fleet ?? throw new FlowsException(ExitCode.Usage, "Policies mean nothing without those whom they select; give --store or --fleet."));
            return PolicyDiff.Between(a.Set!, b.Set!, DiffEnd.Of(view), null, new JudgeOptions { NamespaceLabels = view.NamespaceLabels, Dialect = dialect });
        }

        var ends = DiffEnd.Of(seen.Input, new PolicySet([.. a.Set!.Policies, .. b.Set!.Policies]));
        return PolicyDiff.Between(a.Set, b.Set, ends, seen.Input, seen.Options);
    }

    private static void Print(DiffResult diff, string output)
    {
        if (output == "json")
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(new DiffReport(diff.IsSame, diff.Complete, diff.Entries), Json.Indented.DiffReport));
        }
        else
        {
            var table = new DataTable("change", "src", "dst", "added", "removed", "seen");
            diff.Entries.ToList().ForEach(entry => table.Add(entry.Change, entry.Src, entry.Dst, entry.Added, entry.Removed, entry.Seen));
            table.Print(output, Console.Out);
        }

        Console.Error.WriteLine($"{diff.Entries.Count(entry => entry.Change == "added")} added, {diff.Entries.Count(entry => entry.Change == "removed")} removed, "
            + $"{diff.Entries.Count(entry => entry.Change == "changed")} changed{(diff.Complete ? "" : "; there was too much to look at, so there may be more")}.");
    }
}
