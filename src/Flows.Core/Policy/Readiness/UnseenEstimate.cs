namespace Flows.Core.Policy;

/// <summary>
/// How likely the next sighting is one of something never seen: the Good-Turing estimate, the share of what was seen exactly once, with Esty's interval
/// (1983) at 95 %. Where nothing was seen just once its variance is nought, and the rule of three bounds it instead.
/// </summary>
/// <param name="Once">What was seen exactly once.</param>
/// <param name="Sightings">How often anything was seen.</param>
/// <param name="Share">The estimate, 0 to 1; 1 where nothing was seen.</param>
/// <param name="Low">Lower end of the interval.</param>
/// <param name="High">Upper end of the interval.</param>
public sealed record UnseenEstimate(long Once, long Sightings, double Share, double Low, double High)
{
    // 97.5 % of the normal distribution.
    private const double Z = 1.96;

    // -ln 0.05: what may have been missed at 95 % if nothing was.
    private const double RuleOfThree = 3.0;

    /// <param name="counts">How often each distinct thing was seen.</param>
    public static UnseenEstimate Of(IEnumerable<long> counts)
    {
        long total = 0, once = 0, twice = 0;
        foreach (var count in counts)
        {
            total += count;
            once += count == 1 ? 1 : 0;
            twice += count == 2 ? 1 : 0;
        }

        if (total == 0)
        {
            return new(0, 0, 1, 0, 1);
        }

        var share = (double)once / total;
        var spread = Z * Math.Sqrt(Math.Max(0, once + (2.0 * twice) - (once * share))) / total;
        return new(once, total, share, Math.Max(0, share - spread), Math.Min(1, Math.Max(share + spread, RuleOfThree / total)));
    }
}
