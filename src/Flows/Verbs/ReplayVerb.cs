using System.CommandLine;
using System.Text.Json;
using Flows.Core;

namespace Flows.Verbs;

/// <summary><c>flows replay</c>: capture files through the same path as live traffic.</summary>
internal static class ReplayVerb
{
    public static Command Create()
    {
        var files = new Argument<string[]>("FILE")
        {
            Description = "Capture files: pcap, pcapng, or a recording of 'flows collect --record', also compressed with gzip; '-' is standard input.",
            Arity = ArgumentArity.OneOrMore,
        };
        var store = CommonOptions.Store(required: false);
        var noStore = new Option<bool>("--no-store") { Description = "Decode, track and build the batches, and keep nothing: what does this file hold, how fast is it read?" };
        var inventory = CommonOptions.Inventory();
        var node = new Option<string>("--node") { Description = "The node that saw the packets, where the file does not say.", HelpName = "NAME", DefaultValueFactory = _ => "replay" };
        var scope = new Option<string>("--scope") { Description = "The routing domain of the addresses.", HelpName = "NAME", DefaultValueFactory = _ => "default" };
        var noNames = CommonOptions.NoNames();
        var output = CommonOptions.Output("table", "json");
        var verb = new Command("replay", """
            Put capture files through the same path as live traffic. Returns when all is sealed and rolled up.

            Examples:
              flows replay monday.pcap --store /tmp/flows --inventory inventory.jsonl
              flows replay monday.pcap --no-store --output json
              tcpdump -w - | flows replay - --store /tmp/flows
            """) { files, store, noStore, inventory, node, scope, noNames, output };
        verb.Validators.Add(result =>
        {
            if ((result.GetResult(store) is null) == (result.GetResult(noStore) is null))
            {
                result.AddError("Name a directory with --store, or say --no-store.");
            }
        });
        verb.SetAction(async (parsed, cancel) =>
        {
            var options = new ReplayOptions
            {
                Files = [.. parsed.GetRequiredValue(files).Select(file => file == ReplayInputs.StandardInput ? file : Path.GetFullPath(file))],
                StoreDirectory = parsed.GetValue(store)?.FullName,
                Inventories = CommonOptions.Paths(parsed.GetValue(inventory)),
                Node = parsed.GetRequiredValue(node),
                Scope = parsed.GetRequiredValue(scope),
                Names = !parsed.GetValue(noNames),
            };
            using var lifetime = Lifetime.Start(cancel);
            var result = await Replay.RunAsync(options, TimeProvider.System, lifetime.Token).ConfigureAwait(false);
            Print(result, parsed.GetRequiredValue(output));
            if (result.Fault is { } fault)
            {
                throw new FlowsException(ExitCode.Failed, fault);
            }

            return (int)ExitCode.Ok;
        });
        return verb;
    }

    private static void Print(ReplayOutcome result, string format)
    {
        if (format == "json")
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(result, Json.Indented.ReplayOutcome));
            return;
        }

        var table = new DataTable("what", "count");
        table.Add("packets", result.Packets);
        table.Add("packets in flows", result.PacketsInFlows);
        foreach (var (reason, count) in result.Rejected)
        {
            table.Add($"rejected: {reason}", count);
        }

        table.Add("connections", result.Connections);
        table.Add("rows", result.Rows);
        table.Print(format, Console.Out);
    }
}
