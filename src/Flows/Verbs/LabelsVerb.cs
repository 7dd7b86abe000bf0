using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using Flows.Core;
using Flows.Core.Identity;
using Flows.Core.Labels;
using Flows.Store;

namespace Flows.Verbs;

/// <summary><c>flows labels</c>: what business labels the workloads have, which have none, and which are probably wrong.</summary>
internal static class LabelsVerb
{
    private static readonly JsonWriterOptions Readable = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Command Create()
    {
        var store = CommonOptions.Store(required: false);
        var rules = new Option<FileInfo?>("--label-rules") { Description = "YAML file that says how labels are made. Common habits unless given.", HelpName = "FILE" };
        var print = new Option<bool>("--print-rules") { Description = "Print the rules that are used where no file is given, to begin one from, and end." };
        var at = new Option<string>("--at") { Description = "The time in question: a time such as 2026-01-31T10:00:00Z, or an age such as 2h.", HelpName = "TIME", DefaultValueFactory = _ => "now" };
        var only = new Option<string>("--only") { Description = "Leave out workloads that are well.", HelpName = "unlabelled|suspect" };
        only.AcceptOnlyFromAmong("unlabelled", "suspect");
        var output = CommonOptions.Output("table", "json", "csv");
        var verb = new Command("labels", """
            List workloads and machines with the labels in which people think (app, role, env, location, or keys of your own), made by rules from
            names, namespaces, addresses and the labels that clusters, inventories and hosts gave them.

            missing: keys that no rule could give. suspect: labels that are probably wrong, and why:
            members_disagree, near_miss (a slip of the pen), namespace_majority, not_plain (nothing that a selector can compare with).

            Examples:
              flows labels --store DIR
              flows labels --store DIR --label-rules rules.yaml --only unlabelled --output csv
              flows labels --print-rules > rules.yaml
            """) { store, rules, at, only, print, output };
        verb.SetAction(parsed =>
        {
            var to = parsed.InvocationConfiguration.Output;
            if (parsed.GetValue(print))
            {
                to.Write(LabelRules.DefaultText);
                return (int)ExitCode.Ok;
            }

            var directory = parsed.GetValue(store) ?? throw new FlowsException(ExitCode.Usage, "Option '--store' is required.");
            var used = RulesOf(parsed.GetValue(rules)?.FullName);
            var timeUs = UnixTime.Parse(parsed.GetRequiredValue(at), TimeProvider.System.NowUs());
            using var reader = StoreReader.Open(directory.FullName);
            var workloads = LabelHygiene.Of(HoldersAt(reader.Identities(), timeUs), used);
            workloads = parsed.GetValue(only) switch
            {
                "unlabelled" => [.. workloads.Where(one => one.Missing.Count > 0)],
                "suspect" => [.. workloads.Where(one => one.Suspicions.Count > 0)],
                _ => workloads,
            };
            Print(workloads, used, parsed.GetRequiredValue(output), to);
            return (int)ExitCode.Ok;
        });
        return verb;
    }

    /// <summary>The rules of a file, or the built-in ones.</summary>
    internal static LabelRules RulesOf(string? file)
    {
        try
        {
            return file is null ? LabelRules.Default : LabelRulesReader.Read(file, File.ReadAllText(file));
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new FlowsException(ExitCode.Usage, $"There is no file '{file}'; give the path of label rules with --label-rules.", missing);
        }
    }

    /// <summary>Who held addresses at the time, each with its attributes as last known and its addresses.</summary>
    internal static IEnumerable<Labelled> HoldersAt(IEnumerable<IdentityInterval> said, long timeUs) => said
        .GroupBy(one => one.IntervalId).Select(same => same.MaxBy(one => one.LearnedAtUs)!)
        .Where(one => one.RevokedAtUs is null && one.ValidFromUs <= timeUs && (one.ValidToUs ?? long.MaxValue) > timeUs)
        .GroupBy(one => one.Entity.Id)
        .Select(same => new Labelled(same.MaxBy(one => one.LearnedAtUs)!.Entity, [.. same.Select(one => new AddressRange(one.Address, one.PrefixLength))]));

    internal static void Print(IReadOnlyList<LabelledWorkload> workloads, LabelRules rules, string format, TextWriter to)
    {
        if (format == "json")
        {
            PrintJson(workloads, to);
            return;
        }

        var table = new DataTable(["scope", "cluster", "namespace", "kind", "workload", "members", .. rules.Keys, "missing", "suspect"]);
        foreach (var one in workloads)
        {
            table.Add(
            [
                one.Entity.Scope, one.Entity.Cluster, one.Entity.Namespace, KindOf(one.Entity), one.Name, one.Members,
                .. rules.Keys.Select(key => one.Labels[key]?.Value ?? ""),
                one.Missing,
                string.Join("; ", one.Suspicions.Select(suspicion => $"{suspicion.Reason}: {suspicion.Detail}")),
            ]);
        }

        table.Print(format, to);
    }

    private static string KindOf(Entity entity) => entity.Workload.Length > 0 ? entity.WorkloadKind : Entity.TextOf(entity.Kind);

    private static void PrintJson(IReadOnlyList<LabelledWorkload> workloads, TextWriter to)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, Readable))
        {
            json.WriteStartArray();
            foreach (var one in workloads)
            {
                Write(json, one);
            }

            json.WriteEndArray();
        }

        to.WriteLine(System.Text.Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length));
    }

    private static void Write(Utf8JsonWriter json, LabelledWorkload one)
    {
        json.WriteStartObject();
        json.WriteString("scope", one.Entity.Scope);
        json.WriteString("cluster", one.Entity.Cluster);
        json.WriteString("namespace", one.Entity.Namespace);
        json.WriteString("kind", KindOf(one.Entity));
        json.WriteString("workload", one.Name);
        json.WriteNumber("members", one.Members);
        json.WriteStartObject("labels");
        foreach (var label in one.Labels.Labels)
        {
            json.WriteStartObject(label.Key);
            json.WriteString("value", label.Value);
            json.WriteString("rule", label.Rule);
            json.WriteString("from", label.Template);
            json.WriteEndObject();
        }

        json.WriteEndObject();
        json.WriteStartArray("missing");
        foreach (var key in one.Missing)
        {
            json.WriteStringValue(key);
        }

        json.WriteEndArray();
        json.WriteStartArray("suspicions");
        foreach (var suspicion in one.Suspicions)
        {
            json.WriteStartObject();
            json.WriteString("key", suspicion.Key);
            json.WriteString("reason", suspicion.Reason);
            json.WriteString("detail", suspicion.Detail);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }
}
