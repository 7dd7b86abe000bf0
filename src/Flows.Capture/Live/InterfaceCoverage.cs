using Flows.Core;
using Flows.Core.Facts;

namespace Flows.Capture.Live;

/// <summary>
/// Says what of the wanted interfaces is not captured: one fact for each pattern, not for each interface, since a busy node makes new
/// names all day.
/// </summary>
internal sealed class InterfaceCoverage(InterfacePatterns patterns, LinkMonitor links, NodeNotes notes, TimeProvider time)
{
    /// <summary>Interfaces that a sentence names; the rest are a number.</summary>
    private const int NamedMax = 5;

    /// <summary>The details of all facts that are not well, as last noted.</summary>
    public IReadOnlyList<string> Warnings { get; private set; } = [];

    /// <summary>Notes the state now. A state that was noted last is no news.</summary>
    public void Note()
    {
        var warnings = new List<string>();
        for (var pattern = 0; pattern < patterns.Chosen.Count; pattern++)
        {
            var (level, detail) = StateOf(pattern);
            notes.Note(new CoverageFact("packets", patterns.Chosen[pattern], level, detail, time.NowUs()));
            if (detail.Length > 0)
            {
                warnings.Add(detail);
            }
        }

        if (!warnings.SequenceEqual(Warnings))
        {
            Warnings = warnings;
        }
    }

    private (CoverageLevel Level, string Detail) StateOf(int pattern)
    {
        var matching = links.Links.Values.Where(link => link.Pattern == pattern).ToList();
        var text = VisibleText.Of(patterns.Chosen[pattern]);
        if (matching.Count == 0)
        {
            return pattern < patterns.Names
                ? (CoverageLevel.None, $"There is no interface {text} now; its packets are captured again when it is back.")
                : (CoverageLevel.Full, "");
        }

        var failing = matching.Where(link => link is { IsUp: true, Handle: null } && link.Problem.Length > 0).OrderBy(link => link.Index).ToList();
        if (failing.Count > 0)
        {
            var level = failing.Count == matching.Count ? CoverageLevel.None : CoverageLevel.Partial;
            return (level, $"Not captured {Name(failing)}: {failing[0].Problem}.");
        }

        if (links.LeftOut > 0)
        {
            return (CoverageLevel.Partial, "There are more interfaces than this collector follows; choose fewer by patterns.");
        }

        var losing = matching.Where(link => link.LostBefore > 0).OrderBy(link => link.Index).ToList();
        return losing.Count == 0
            ? (CoverageLevel.Full, "")
            : (CoverageLevel.Partial, $"Up to {losing.Sum(link => (long)link.LostBefore)} packets were lost before they could be captured {Name(losing)}; see 'ip -s link'.");
    }

    private static string Name(List<WatchedLink> some)
    {
        var names = string.Join(", ", some.Take(NamedMax).Select(link => VisibleText.Of(link.Name)));
        return some.Count > NamedMax ? $"on {names} and {some.Count - NamedMax} more" : $"on {names}";
    }
}
