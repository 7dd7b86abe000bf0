namespace Flows.Core.Map;

/// <summary>Tells probing from use, so that neither a map nor a policy takes a port scan for a dependency.</summary>
public static class Noise
{
    /// <summary>
    /// Distinct targets (destination, protocol, port) below which nobody is called a scanner. A client whose service is down tries
    /// its handful of backends over and over; ten different targets that mostly fail are beyond what one broken dependency explains.
    /// </summary>
    public const int TargetsMin = 10;

    /// <summary>
    /// Share of those targets that never answered. Use succeeds most of the time even on a bad day; a scan of a segmented or sparse network
    /// fails nearly always, yet finds a few open ports, so the share is below 100 %.
    /// </summary>
    public const double FailedShareMin = 0.8;

    /// <summary>
    /// The ids of source entities that look like scanners: at least <see cref="TargetsMin"/> distinct targets, at least
    /// <see cref="FailedShareMin"/> of them refused or unanswered every time, and not more connections answered than failed. The last
    /// keeps a poller out (a metrics scraper whose old targets are gone): most of what it does works.
    /// </summary>
    public static IReadOnlySet<ulong> Scanners(IReadOnlyList<Edge> edges)
    {
        var scanners = new HashSet<ulong>();
        foreach (var source in edges.GroupBy(edge => edge.Src.Id))
        {
            var targets = source.GroupBy(edge => (edge.Dst.Id, edge.Protocol, edge.DstPort)).ToArray();
            if (targets.Length < TargetsMin)
            {
                continue;
            }

            var failed = targets.Count(target => target.All(edge => edge.Answered == 0) && target.Any(edge => edge.Refused + edge.Unanswered > 0));
            if (failed >= FailedShareMin * targets.Length && source.Sum(edge => edge.Answered) <= source.Sum(edge => edge.Refused + edge.Unanswered))
            {
                scanners.Add(source.Key);
            }
        }

        return scanners;
    }
}
