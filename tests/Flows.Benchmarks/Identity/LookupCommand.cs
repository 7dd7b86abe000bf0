using System.CommandLine;
using System.Globalization;
using Flows.Benchmarks.Measuring;
using Flows.Core;

namespace Flows.Benchmarks.Identity;

/// <summary><c>identity lookup</c>: bar P7.</summary>
internal static class LookupCommand
{
    public static Command Create()
    {
        var rounds = new Option<int>("--rounds") { Description = "How often each side runs.", HelpName = "N", DefaultValueFactory = _ => 5 };
        var quick = new Option<bool>("--quick") { Description = "A hundredth of the size and one round, to see that it works. Judges no bar." };
        var verb = new Command("lookup", """
            Compare the bulk as-of lookup on one core with DuckDB's ASOF JOIN on two threads: 1 M intervals, 10 M lookups sorted by address and time.

            Example: ./dev bench identity lookup --rounds 7
            """) { rounds, quick };
        verb.SetAction(parsed =>
        {
            var isQuick = parsed.GetValue(quick);
            var holds = true;
            foreach (var line in LookupComparison.Run(LookupData.Of(isQuick ? 10_000 : 1_000_000, isQuick ? 100_000 : 10_000_000), isQuick ? 1 : Math.Max(1, parsed.GetValue(rounds))))
            {
                holds &= isQuick || line.Holds != false;
                Console.WriteLine(TextOf(isQuick ? line with { Holds = null } : line));
            }

            return (int)(holds ? ExitCode.Ok : ExitCode.No);
        });
        return verb;
    }

    private static string TextOf(Comparison line) => string.Create(
        CultureInfo.InvariantCulture,
        $"{line.Bar} {line.What}: flows {line.Ours:0.00}, {line.Peer} {line.Theirs:0.00} {line.Unit}, ratio {line.Ratio:0.00}{(line.Holds is { } holds ? $" (wanted {line.Wanted}: {(holds ? "holds" : "MISSED")})" : "")}; {line.Note}");
}
