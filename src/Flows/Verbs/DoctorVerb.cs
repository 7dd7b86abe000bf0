using System.CommandLine;
using System.Text.Json;
using Flows.Capture.Doctor;
using Flows.Core;
using Flows.Doctor;
using Flows.Transport;

namespace Flows.Verbs;

/// <summary><c>flows doctor</c>: what a collector on this node can see and what it cannot.</summary>
internal static class DoctorVerb
{
    public static Command Create()
    {
        var interfaces = new Option<string[]>("--interface")
        {
            Description = "Which interfaces to look at: a name, * and ? stand for any characters. May be repeated. All but loopback unless given.",
            HelpName = "PATTERN",
        };
        var server = new Option<string?>("--server") { Description = "Also ask this server whether it is well: http://HOST:PORT or unix:/path.", HelpName = "URL" };
        var spool = new Option<DirectoryInfo?>("--spool") { Description = "Also look at the room for a spool in this directory.", HelpName = "DIR" };
        var output = CommonOptions.Output("table", "json");
        var verb = new Command("doctor", $"""
            Tell what a collector on this node can see, what it cannot, and what mends that. Changes nothing, needs no privilege, and looks with
            the rights it is started with: start it as the collector is started.

            ok: as it should be. warn: something is not seen, or with less detail. FAIL: a whole source sees nothing. unknown: it could not be
            looked at. Ends with exit code 3 if anything failed; warnings alone end with 0. Each line after 'mend' is enough by itself.

            With --output json, 'findings' holds objects of check, area, status, found, consequence and mend; the names of the checks are stable:
            {Names()}

            Examples:
              flows doctor
              flows doctor --interface 'eth*' --server http://10.0.0.5:4739 --output json
            """)
        { interfaces, server, spool, output };
        verb.SetAction(async (parsed, _) =>
        {
            var checks = NodeChecks.All.ToList();
            if (parsed.GetValue(spool) is { } directory)
            {
                checks.Add(new SpoolCheck(directory.FullName));
            }

            if (parsed.GetValue(server) is { } url)
            {
                checks.Add(new ServerCheck(ServerAddress.Parse(url), TimeProvider.System));
            }

            var node = new NodeView { InterfacePatterns = parsed.GetValue(interfaces) ?? [] };
            var findings = await Examination.LookAsync(checks, node, Examination.PatienceMax, TimeProvider.System).ConfigureAwait(false);
            return (int)Answer(checks, findings, parsed.GetRequiredValue(output), parsed.InvocationConfiguration.Output);
        });
        return verb;
    }

    /// <summary>Prints the findings and tells whether anything failed.</summary>
    internal static ExitCode Answer(IReadOnlyList<Check> checks, IReadOnlyList<Finding> findings, string format, TextWriter to)
    {
        var worst = findings.Any(finding => finding.Status == FindingStatus.Fail) ? FindingStatus.Fail
            : findings.Any(finding => finding.Status == FindingStatus.Warn) ? FindingStatus.Warn
            : FindingStatus.Ok;
        if (format == "json")
        {
            var rows = checks.Zip(findings, (check, finding) => new DoctorFinding(finding.Check, check.Area, finding.Status, finding.Found, finding.Consequence, finding.Mend));
            var report = new DoctorReport(Environment.MachineName, Product.Version, UnixTime.Text(TimeProvider.System.NowUs()), worst, [.. rows]);
            to.WriteLine(JsonSerializer.Serialize(report, Json.Indented.DoctorReport));
        }
        else
        {
            FindingsText.Write($"What a collector can see on {VisibleText.Of(Environment.MachineName)} (flows {Product.Version})", checks, findings, to);
        }

        return worst == FindingStatus.Fail ? ExitCode.No : ExitCode.Ok;
    }

    /// <summary>The ids of all checks, some to a line.</summary>
    private static string Names()
    {
        const int OnALine = 6;
        string[] names = [.. NodeChecks.All.Select(check => check.Id), "spool", "server"];
        return string.Join(",\n", names.Chunk(OnALine).Select(line => string.Join(", ", line))) + ".";
    }
}

/// <summary>What a collector can see on a node, for programs.</summary>
/// <param name="Status">The worst of the findings; unknown ones do not count.</param>
internal sealed record DoctorReport(string Node, string Version, string At, FindingStatus Status, IReadOnlyList<DoctorFinding> Findings);

/// <summary>A finding with the area that its check is about.</summary>
internal sealed record DoctorFinding(string Check, string Area, FindingStatus Status, string Found, string Consequence, string Mend);
