namespace Flows.Core.Identity;

/// <summary>
/// Which of several statements about one interval holds: the one learned last. Where two were learned in the same microsecond, a
/// withdrawal beats a claim and an earlier end beats a later one, so that the answer never depends on the order of arrival.
/// </summary>
internal sealed class Statements : IComparer<IdentityInterval>
{
    private Statements()
    {
    }

    /// <summary>Orders statements so that the last one holds.</summary>
    public static Statements Order { get; } = new();

    public int Compare(IdentityInterval? x, IdentityInterval? y)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(y);
        var order = x.LearnedAtUs.CompareTo(y.LearnedAtUs);
        order = order != 0 ? order : x.RevokedAtUs.HasValue.CompareTo(y.RevokedAtUs.HasValue);
        order = order != 0 ? order : (y.ValidToUs ?? long.MaxValue).CompareTo(x.ValidToUs ?? long.MaxValue);
        order = order != 0 ? order : y.ValidFromUs.CompareTo(x.ValidFromUs);
        return order != 0 || SameContent(x, y) ? order : string.CompareOrdinal(TextOf(x), TextOf(y));
    }

    /// <summary>
    /// Whether a statement says what these do not: the one about the same interval that held just before it, learned no later, says something
    /// else, or there is none.
    /// </summary>
    public static bool IsNews(IEnumerable<IdentityInterval> said, IdentityInterval statement)
    {
        var before = said.Where(one => one.IntervalId == statement.IntervalId && Order.Compare(one, statement) <= 0).Max(Order);
        return before is null || !SameContent(before, statement);
    }

    /// <summary>True where both say the same about the same interval, and are believed alike; when we learned it does not matter.</summary>
    public static bool SameContent(IdentityInterval x, IdentityInterval y) =>
        x.IntervalId == y.IntervalId && x.Address == y.Address && x.PrefixLength == y.PrefixLength
        && x.ValidFromUs == y.ValidFromUs && x.ValidToUs == y.ValidToUs && x.RevokedAtUs.HasValue == y.RevokedAtUs.HasValue
        && x.EndUncertain == y.EndUncertain && Origins.RankOf(x.Origin) == Origins.RankOf(y.Origin) && SameEntity(x.Entity, y.Entity);

    /// <summary>Equal in every attribute. (The record's own equality takes two dictionaries of the same labels for different.)</summary>
    public static bool SameEntity(Entity x, Entity y) => ReferenceEquals(x, y)
        || (SameLabels(x.Labels, y.Labels) && SameLabels(x.Selector, y.Selector) && SameLabels(x.Ports, y.Ports)
            && x == y with { Labels = x.Labels, Selector = x.Selector, Ports = x.Ports });

    private static bool SameLabels(IReadOnlyDictionary<string, string> x, IReadOnlyDictionary<string, string> y) => ReferenceEquals(x, y)
        || (x.Count == y.Count && x.All(label => y.TryGetValue(label.Key, out var value) && value == label.Value));

    private static string TextOf(IdentityInterval statement) => string.Join('\u001f',
    [
        (statement.Entity with { Labels = Entity.NoLabels, Selector = Entity.NoLabels, Ports = Entity.NoLabels }).ToString(),
        .. Sorted(statement.Entity.Labels),
        "",
        .. Sorted(statement.Entity.Selector),
        "",
        .. Sorted(statement.Entity.Ports),
        statement.ToString(),
    ]);

    private static IEnumerable<string> Sorted(IReadOnlyDictionary<string, string> labels) =>
        labels.OrderBy(label => label.Key, StringComparer.Ordinal).SelectMany(label => new[] { label.Key, label.Value });
}
