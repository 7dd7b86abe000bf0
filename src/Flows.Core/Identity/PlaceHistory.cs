namespace Flows.Core.Identity;

/// <summary>
/// The statements about one place that still matter, immutable. Two kinds are left out: those that later ones made needless, and those about
/// intervals that ended by <paramref name="KnownFromUs"/>. From that moment on the spans are what all statements would give.
/// </summary>
/// <param name="Said">In no order.</param>
/// <param name="KnownFromUs"><see cref="long.MinValue"/> where nothing is forgotten. Else no span of the whole history crosses it.</param>
internal sealed record PlaceHistory(IdentityInterval[] Said, long KnownFromUs)
{
    public IReadOnlyList<NameSpan> Spans()
    {
        var spans = Timeline.Compile(Said);
        return KnownFromUs == long.MinValue
            ? spans
            : [.. spans.Where(span => span.ToUs > KnownFromUs).Select(span => span.FromUs >= KnownFromUs ? span : span with { FromUs = KnownFromUs })];
    }

    /// <summary>
    /// Whether what is kept here cannot tell what the statement comes to: it may be older than what holds, or change what was before the
    /// moment from which on all is known.
    /// </summary>
    public bool NeedsAll(IdentityInterval statement)
    {
        var last = LastOf(statement.IntervalId);
        if (last is null)
        {
            return statement.ValidFromUs < KnownFromUs;
        }

        var order = Statements.Order.Compare(last, statement);
        if (order > 0)
        {
            return true;
        }

        // An interval that ends sooner than was said, but not before all is known, leaves everything before that as it is.
        var shortens = last.RevokedAtUs is null && statement.RevokedAtUs is null && EndOf(statement) <= EndOf(last) && EndOf(statement) >= KnownFromUs
            && Origins.RankOf(last.Origin) == Origins.RankOf(statement.Origin) && last.Entity.Id == statement.Entity.Id
            && !Array.Exists(Said, said => said.IntervalId == statement.IntervalId && EndOf(said) < EndOf(last));
        return order < 0 && statement.ValidFromUs < KnownFromUs && !shortens && !Statements.SameContent(last, statement);
    }

    /// <summary>Whether the statement says what the one that holds does not.</summary>
    public bool IsNews(IdentityInterval statement) => Statements.IsNews(Said, statement);

    public PlaceHistory With(IdentityInterval statement) => this with { Said = [.. Said, statement] };

    /// <summary>
    /// Without the statements that others of their interval made needless. Kept are the one that holds, and those that tell since when something was
    /// claimed: of two claims the one that was learned sooner and lasts as long says it all.
    /// </summary>
    public PlaceHistory Pruned() => Said.Length < 2 ? this : this with
    {
        Said = [.. Said.GroupBy(said => said.IntervalId).SelectMany(interval => Needed([.. interval.Order(Statements.Order)]))],
    };

    /// <summary>
    /// Without the intervals that ended by the horizon, as far as no span crosses the cut; a withdrawn one counts as ended when that was learned.
    /// Null where nothing is left.
    /// </summary>
    public PlaceHistory? Since(long horizonUs)
    {
        var cut = horizonUs;
        foreach (var span in Spans())
        {
            cut = span.FromUs < cut && cut < span.ToUs ? span.FromUs : cut;
        }

        if (cut <= KnownFromUs)
        {
            return this;
        }

        var kept = Said.GroupBy(said => said.IntervalId).Where(interval => Lasts(interval.Max(Statements.Order)!, cut)).SelectMany(interval => interval).ToArray();
        return kept.Length > 0 ? new PlaceHistory(kept, cut).Pruned() : null;
    }

    /// <summary>What holds of each interval and was not withdrawn.</summary>
    public IEnumerable<IdentityInterval> Standing() =>
        Said.Length == 1 ? Said.Where(said => said.RevokedAtUs is null)
        : Said.GroupBy(said => said.IntervalId).Select(interval => interval.Max(Statements.Order)!).Where(said => said.RevokedAtUs is null);

    private IdentityInterval? LastOf(ulong intervalId) => Said.Where(said => said.IntervalId == intervalId).Max(Statements.Order);

    private static bool Lasts(IdentityInterval last, long cut) =>
        last.ValidFromUs >= cut || (last.RevokedAtUs is null ? EndOf(last) > cut : last.LearnedAtUs >= cut);

    private static IEnumerable<IdentityInterval> Needed(IdentityInterval[] interval)
    {
        var last = interval[^1];
        foreach (var said in interval)
        {
            if (ReferenceEquals(said, last) || (said.RevokedAtUs is null && !Array.Exists(interval, other => SaysMore(other, said))))
            {
                yield return said;
            }
        }
    }

    /// <summary>Of two that say the same, the first in order says more.</summary>
    private static bool SaysMore(IdentityInterval one, IdentityInterval other) =>
        !ReferenceEquals(one, other) && one.RevokedAtUs is null && one.LearnedAtUs <= other.LearnedAtUs && EndOf(one) >= EndOf(other) && one.ValidFromUs <= other.ValidFromUs
        && (one.LearnedAtUs < other.LearnedAtUs || EndOf(one) > EndOf(other) || one.ValidFromUs < other.ValidFromUs || Statements.Order.Compare(one, other) < 0);

    private static long EndOf(IdentityInterval said) => said.ValidToUs ?? long.MaxValue;
}
