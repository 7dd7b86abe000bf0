using Flows.Core;
using Flows.Core.Facts;

namespace Flows.Capture.Conntrack;

/// <summary>
/// What the source says of its own sight, by aspect: the latest is a list of warnings here, every change a fact for the report. Written by the source's thread only.
/// </summary>
/// <param name="notes">Takes the facts; none when null.</param>
/// <param name="time">Gives them their times.</param>
/// <param name="space">Name of a further network namespace, which its aspects carry; empty for the node's own.</param>
internal sealed class ConntrackCoverage(NodeNotes? notes, TimeProvider time, string space)
{
    public const string Events = "events";
    public const string Accounting = "accounting";
    public const string Timestamps = "timestamps";
    public const string Table = "table";
    public const string Buffer = "buffer";
    public const string Activity = "activity";
    public const string Flush = "flush";

    private readonly SortedDictionary<string, string> limits = new(StringComparer.Ordinal);
    private volatile IReadOnlyList<string> warnings = [];

    /// <summary>One sentence for each aspect that is not full: what, with which consequence, and how to mend it.</summary>
    public IReadOnlyList<string> Warnings => warnings;

    public void Full(string aspect) => Say(aspect, CoverageLevel.Full, "");

    public void Partial(string aspect, string detail) => Say(aspect, CoverageLevel.Partial, detail);

    public void None(string aspect, string detail) => Say(aspect, CoverageLevel.None, detail);

    private void Say(string aspect, CoverageLevel level, string detail)
    {
        if (level == CoverageLevel.Full ? limits.Remove(aspect) : limits.GetValueOrDefault(aspect) != detail)
        {
            if (level != CoverageLevel.Full)
            {
                limits[aspect] = detail;
            }

            warnings = [.. limits.Values];
        }

        notes?.Note(new CoverageFact("conntrack", space.Length == 0 ? aspect : $"{aspect}@{space}", level, detail, time.NowUs()));
    }
}
