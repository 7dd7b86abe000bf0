using System.CommandLine;
using Flows.Benchmarks.Conntrack;
using Flows.Benchmarks.Live;
using Flows.Benchmarks.Measuring;
using Flows.Benchmarks.Replay;
using Flows.Core;

namespace Flows.Benchmarks;

/// <summary><c>capture</c>: the collectors against their peers, side by side on this machine.</summary>
internal static class CaptureCommand
{
    public const string Name = "capture";

    public static Command Create()
    {
        var bars = new Argument<string[]>("BAR") { Description = "p1 (capture files), p3 (conntrack), p4 (live packets); all without one.", Arity = ArgumentArity.ZeroOrMore };
        bars.AcceptOnlyFromAmong("p1", "p3", "p4");
        var rounds = new Option<int>("--rounds") { Description = "How often each side runs; the bars ask for 5 and more.", HelpName = "N", DefaultValueFactory = _ => 5 };
        var quick = new Option<bool>("--quick") { Description = "Tiny sizes and one round, to see that it works. Judges no bar." };
        var product = new Option<FileInfo>("--product") { Description = "The executable 'flows' to measure.", HelpName = "FILE", DefaultValueFactory = _ => new FileInfo(Path.Combine(AppContext.BaseDirectory, "flows")) };
        var cache = new Option<DirectoryInfo>("--cache") { Description = "Where generated captures are kept.", HelpName = "DIR", DefaultValueFactory = _ => new DirectoryInfo("artifacts/bench") };
        var wild = new Option<DirectoryInfo>("--captures") { Description = "A folder of capture files from the wild.", HelpName = "DIR", DefaultValueFactory = _ => new DirectoryInfo("../shared/captures") };
        var output = new Option<string>("--output") { Description = "table or json.", HelpName = "FORMAT", DefaultValueFactory = _ => "table" };
        output.AcceptOnlyFromAmong("table", "json");
        var verb = new Command(Name, """
            Compare flows with its peers as whole processes: interleaved rounds, CPU seconds by wait4 on one pinned core, medians.

            Example: ./dev bench capture p1 --rounds 7
            """) { bars, rounds, quick, product, cache, wild, output };
        verb.SetAction(parsed =>
        {
            var isQuick = parsed.GetValue(quick);
            var plan = new BenchPlan
            {
                Rounds = isQuick ? 1 : Math.Max(1, parsed.GetValue(rounds)),
                Quick = isQuick,
                Product = parsed.GetRequiredValue(product).FullName,
                Cache = parsed.GetRequiredValue(cache).FullName,
                Wild = parsed.GetRequiredValue(wild).FullName,
            };
            var chosen = parsed.GetValue(bars) is { Length: > 0 } some ? some : ["p1", "p3", "p4"];
            var lines = new List<Comparison>();
            foreach (var line in chosen.Distinct(StringComparer.Ordinal).SelectMany(bar => Compare(bar, plan)))
            {
                // A run takes minutes: whoever waits sees each result when it is there.
                BenchPlan.Say($"bench: {line.Bar} {line.What}: {line.Ours:0.00} to {line.Peer}'s {line.Theirs:0.00} {line.Unit}, {line.Ratio:0.00}x");
                lines.Add(line);
            }

            Print(isQuick ? lines.ConvertAll(line => line with { Holds = null }) : lines, parsed.GetRequiredValue(output));
            return (int)(isQuick || lines.TrueForAll(line => line.Holds != false) ? ExitCode.Ok : ExitCode.No);
        });
        return verb;
    }

    private static IEnumerable<Comparison> Compare(string bar, BenchPlan plan) => bar switch
    {
        "p1" => ReplayComparison.Run(plan),
        "p3" => ConntrackComparison.Run(plan),
        _ => LiveComparison.Run(plan),
    };

    private static void Print(List<Comparison> lines, string format)
    {
        if (format == "json")
        {
            Console.Out.WriteLine(System.Text.Json.JsonSerializer.Serialize(lines, BenchJson.Indented));
            return;
        }

        var table = new DataTable("bar", "what", "unit", "flows", "peer", "theirs", "ratio", "wanted", "holds", "note");
        foreach (var line in lines)
        {
            table.Add(
                line.Bar, line.What, line.Unit, Math.Round(line.Ours, 2), line.Peer, Math.Round(line.Theirs, 2), Math.Round(line.Ratio, 2),
                line.Wanted ?? "", line.Holds switch { true => "yes", false => "NO", null => "" }, line.Note);
        }

        table.Print("table", Console.Out);
    }
}
