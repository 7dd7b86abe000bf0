using System.CommandLine;
using Flows.Core;
using Flows.Inventory;

namespace Flows.Verbs;

/// <summary><c>flows inventory</c>: what a server would make of inventory files.</summary>
internal static class InventoryVerb
{
    public static Command Create()
    {
        var files = new Argument<FileInfo[]>("FILE") { Description = "JSON Lines, CSV (.csv) or YAML (.yaml, .yml).", Arity = ArgumentArity.OneOrMore };
        var output = CommonOptions.Output("table", "csv");
        var check = new Command("check", """
            Read inventory files and report every bad line: where it is, what is wrong, what to write instead. Changes nothing.
            Ends with exit code 3 when there is a bad line.

            Example: flows inventory check fleet.csv sites.yaml
            """) { files, output };
        check.SetAction(parsed => (int)Check(
            CommonOptions.Paths(parsed.GetRequiredValue(files)), parsed.GetRequiredValue(output), parsed.InvocationConfiguration.Output, TimeProvider.System));
        return new Command("inventory", "Look at inventory files: who holds which address.") { check };
    }

    internal static ExitCode Check(IReadOnlyList<string> files, string format, TextWriter to, TimeProvider time)
    {
        var table = new DataTable("place", "reason", "remedy");
        var bad = 0L;
        foreach (var file in files)
        {
            var report = InventoryFile.Read(file, new InventoryDefaults("default", time.NowUs()));
            foreach (var line in report.Rejected)
            {
                table.Add(line.Where, line.Reason, line.Remedy);
            }

            bad += report.RejectedCount;
            var silence = report.CompleteFor is not { } origin ? "absent lines end nothing"
                : report.RejectedCount > 0 || report.Accepted.Count == 0 ? $"complete for {origin}, but ends nothing until it has good lines only"
                : $"complete for {origin}: absent lines end";
            Console.Error.WriteLine($"{VisibleText.Of(file)}: {report.Accepted.Count} good, {report.RejectedCount} bad; {silence}");
        }

        if (bad > 0)
        {
            table.Print(format, to);
        }

        return bad > 0 ? ExitCode.No : ExitCode.Ok;
    }
}
