using System.Runtime.InteropServices;

namespace Flows.Core.Identity;

/// <summary>Turns the ledger's statements into spans that do not overlap.</summary>
public static class Timeline
{
    /// <summary>An interval as it stands after all corrections.</summary>
    private readonly record struct Held(IdentityInterval Interval, long FromUs, long ToUs, long ClaimedSinceUs)
    {
        public int Rank { get; } = Origins.RankOf(Interval.Origin);
    }

    /// <summary>
    /// The spans of all statements, ordered by scope, then longest prefix first, then address and time. Of the statements about one
    /// interval the latest learned holds; a revoked interval is gone. Where several entities claim an address at a time, those of less
    /// believed origins step back for as long as the others last, and the span lists all that are left. The result does not depend on the order
    /// of the statements.
    /// </summary>
    public static IReadOnlyList<NameSpan> Compile(IEnumerable<IdentityInterval> statements)
    {
        var spans = new List<NameSpan>();
        var places = Hold(statements).GroupBy(held => (held.Interval.Entity.Scope, Range: AddressRange.Of(held.Interval.Address, held.Interval.PrefixLength)))
            .OrderBy(place => place.Key.Scope, StringComparer.Ordinal)
            .ThenByDescending(place => place.Key.Range.PrefixLength)
            .ThenBy(place => place.Key.Range.First);
        foreach (var place in places)
        {
            Sweep(place.Key.Scope, place.Key.Range, [.. place.OrderBy(held => held.FromUs)], spans);
        }

        return spans;
    }

    /// <summary>What holds of each interval: nothing where it was revoked or is empty.</summary>
    private static IEnumerable<Held> Hold(IEnumerable<IdentityInterval> statements)
    {
        var byInterval = new Dictionary<ulong, List<IdentityInterval>>();
        foreach (var statement in statements)
        {
            ref var said = ref CollectionsMarshal.GetValueRefOrAddDefault(byInterval, statement.IntervalId, out _);
            (said ??= new(1)).Add(statement);
        }

        foreach (var said in byInterval.Values)
        {
            var last = said.Max(Statements.Order)!;
            var to = last.ValidToUs ?? long.MaxValue;
            if (last.RevokedAtUs is null && last.ValidFromUs < to)
            {
                // An earlier statement that already covered all of it is when we knew; one that ended sooner, or was a withdrawal, is not.
                var since = said.Where(one => one.RevokedAtUs is null && (one.ValidToUs ?? long.MaxValue) >= to && one.ValidFromUs <= last.ValidFromUs)
                    .Min(one => one.LearnedAtUs);
                yield return new(last, last.ValidFromUs, to, since);
            }
        }
    }

    /// <summary>Walks the moments at which anything changes; between two of them the claimants are the same.</summary>
    private static void Sweep(string scope, AddressRange range, List<Held> held, List<NameSpan> spans)
    {
        var cuts = held.SelectMany(one => new[] { one.FromUs, one.ToUs }).Distinct().Order().ToArray();
        var active = new List<Held>();
        var next = 0;
        var first = spans.Count;
        for (var i = 0; i + 1 < cuts.Length; i++)
        {
            active.RemoveAll(one => one.ToUs <= cuts[i]);
            for (; next < held.Count && held[next].FromUs == cuts[i]; next++)
            {
                active.Add(held[next]);
            }

            if (active.Count == 0)
            {
                continue;
            }

            var (candidates, learnedAt) = Claims(active);
            if (spans.Count > first && Continues(spans[^1], cuts[i], candidates, learnedAt))
            {
                spans[^1] = spans[^1] with { ToUs = cuts[i + 1] };
            }
            else
            {
                spans.Add(new(scope, range.First, range.PrefixLength, cuts[i], cuts[i + 1], candidates, learnedAt));
            }
        }
    }

    /// <summary>The claimants that are believed most, each once, with the attributes that were learned last; and since when all of them were claimed.</summary>
    private static (Entity[] Candidates, long LearnedAtUs) Claims(List<Held> active)
    {
        if (active.Count == 1)
        {
            return ([active[0].Interval.Entity], active[0].ClaimedSinceUs);
        }

        var rank = active.Max(one => one.Rank);
        var entities = active.Where(one => one.Rank == rank).GroupBy(one => one.Interval.Entity.Id).ToArray();
        Entity[] candidates =
        [
            .. entities.Select(claims => claims.Select(claim => claim.Interval).Max(Statements.Order)!.Entity)
                .OrderBy(entity => entity.Kind)
                .ThenBy(entity => entity.Namespace, StringComparer.Ordinal)
                .ThenBy(entity => entity.Name, StringComparer.Ordinal)
                .ThenBy(entity => entity.Id),
        ];
        return (candidates, entities.Max(claims => claims.Min(claim => claim.ClaimedSinceUs)));
    }

    private static bool Continues(NameSpan last, long fromUs, Entity[] candidates, long learnedAtUs) =>
        last.ToUs == fromUs && last.LearnedAtUs == learnedAtUs && last.Candidates.Count == candidates.Length
        && last.Candidates.Zip(candidates).All(pair => Statements.SameEntity(pair.First, pair.Second));
}
