namespace Flows.Core.Map;

/// <summary>Tells traffic that somebody needs from traffic that somebody merely tries.</summary>
public static class Noise
{
    private const int AttemptsMin = 10;
    private const double FailedShareMin = 0.8;

    /// <summary>
    /// Ids of the entities that scan: at least ten distinct destinations and ports were tried, and at least 80 % of these never answered.
    /// A monitoring client has the fan-out but not the failures; a client of a dead service has the failures but not the fan-out.
    /// </summary>
    public static IReadOnlySet<ulong> Scanners(IReadOnlyList<Edge> edges) => edges
        .GroupBy(edge => edge.Src.Id)
        .Where(IsScan)
        .Select(attempts => attempts.Key)
        .ToHashSet();

    private static bool IsScan(IEnumerable<Edge> ofOneSource)
    {
        var attempts = ofOneSource.GroupBy(edge => (edge.Dst.Id, edge.Protocol, edge.DstPort)).ToList();
        var failed = attempts.Count(attempt => attempt.All(edge => edge.Answered == 0));
        return attempts.Count >= AttemptsMin && failed >= FailedShareMin * attempts.Count;
    }
}
