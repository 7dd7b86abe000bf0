using Flows.Core.Identity;

namespace Flows.Core.Policy;

/// <summary>What the ledger holds true by now, out of everything that it was ever told.</summary>
internal static class LedgerNow
{
    /// <summary>The statement of each interval that was learned last, without the intervals that were withdrawn.</summary>
    public static IEnumerable<IdentityInterval> Latest(IEnumerable<IdentityInterval> statements)
    {
        Dictionary<ulong, IdentityInterval> latest = [];
        foreach (var statement in statements)
        {
            if (!latest.TryGetValue(statement.IntervalId, out var known) || Standing(statement).CompareTo(Standing(known)) >= 0)
            {
                latest[statement.IntervalId] = statement;
            }
        }

        return latest.Values.Where(statement => statement.RevokedAtUs is null);
    }

    private static (long, long) Standing(IdentityInterval statement) => (Math.Max(statement.LearnedAtUs, statement.RevokedAtUs ?? 0), statement.RevokedAtUs ?? 0);
}
