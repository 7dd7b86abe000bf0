using System.Runtime.InteropServices;

namespace Flows.Core.Identity;

/// <summary>What a set of statements adds to a ledger that may have heard them before.</summary>
public static class LedgerDelta
{
    /// <summary>
    /// The incoming statements that say something new, in the order learned. A statement is old news when the one that held just
    /// before it (about the same interval, learned no later) says the same; so the same import a second time adds nothing, and a late
    /// import of an older file still fills in the history. An interval that the incoming statements do not mention is left as it is.
    /// </summary>
    public static IReadOnlyList<IdentityInterval> Of(IEnumerable<IdentityInterval> existing, IEnumerable<IdentityInterval> incoming)
    {
        var said = new Dictionary<ulong, List<IdentityInterval>>();
        foreach (var statement in existing)
        {
            About(said, statement).Add(statement);
        }

        var news = new List<IdentityInterval>();
        foreach (var statement in incoming.Order(Statements.Order))
        {
            var about = About(said, statement);
            if (Statements.IsNews(about, statement))
            {
                about.Add(statement);
                news.Add(statement);
            }
        }

        return news;
    }

    private static List<IdentityInterval> About(Dictionary<ulong, List<IdentityInterval>> said, IdentityInterval statement)
    {
        ref var about = ref CollectionsMarshal.GetValueRefOrAddDefault(said, statement.IntervalId, out _);
        return about ??= [];
    }
}
