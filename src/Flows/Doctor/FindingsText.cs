using Flows.Capture.Doctor;
using Flows.Core;

namespace Flows.Doctor;

/// <summary>Findings for people: a line for each, with what is not seen and what mends it below where there is something to say.</summary>
internal static class FindingsText
{
    private const int Width = 100;
    private const int StatusWidth = 9;

    public static void Write(string heading, IReadOnlyList<Check> checks, IReadOnlyList<Finding> findings, TextWriter to)
    {
        to.WriteLine(heading);
        var nameWidth = checks.Max(check => check.Id.Length) + 2;
        foreach (var area in Check.Areas)
        {
            var members = checks.Zip(findings).Where(pair => pair.First.Area == area).Select(pair => pair.Second).ToList();
            if (members.Count > 0)
            {
                to.WriteLine();
                to.WriteLine(area);
                members.ForEach(finding => Write(finding, nameWidth, to));
            }
        }

        to.WriteLine();
        to.WriteLine(string.Join(", ", Enum.GetValues<FindingStatus>().Select(status => $"{findings.Count(finding => finding.Status == status)} {Word(status)}")));
    }

    private static void Write(Finding finding, int nameWidth, TextWriter to)
    {
        // 1. Status, id and what was found.
        var indent = 2 + StatusWidth + nameWidth;
        Wrapped($"  {Word(finding.Status).PadRight(StatusWidth)}{finding.Check.PadRight(nameWidth)}", finding.Found, indent, to);

        // 2. What follows from it.
        var margin = new string(' ', 2 + StatusWidth);
        if (finding.Consequence.Length > 0)
        {
            Wrapped(margin, finding.Consequence, margin.Length, to);
        }

        // 3. Commands are never broken: they are there to be copied.
        var label = "mend: ";
        foreach (var line in finding.Mend.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            to.WriteLine($"{margin}{label}{line.TrimEnd()}");
            label = "  or: ";
        }
    }

    /// <summary>Words after a heading, broken at <see cref="Width"/>; what follows stands below them.</summary>
    private static void Wrapped(string heading, string text, int indent, TextWriter to)
    {
        var line = heading;
        var isEmpty = true;
        foreach (var word in VisibleText.Of(text).Split(' '))
        {
            if (!isEmpty && line.Length + 1 + word.Length > Width)
            {
                to.WriteLine(line);
                line = new string(' ', indent);
                isEmpty = true;
            }

            line += isEmpty ? word : $" {word}";
            isEmpty = false;
        }

        to.WriteLine(line);
    }

    /// <summary>Bad news stand out without colours.</summary>
    private static string Word(FindingStatus status) => status switch
    {
        FindingStatus.Ok => "ok",
        FindingStatus.Warn => "warn",
        FindingStatus.Fail => "FAIL",
        _ => "unknown",
    };
}
