namespace Flows.Core.Identity;

/// <summary>Compiles the ledger's statements to what was true when, as far as we know by now.</summary>
public static class Timeline
{
    /// <summary>
    /// The spans of the ledger in the order of scope, address, prefix and time. Of several statements about one interval the one
    /// learned last holds; a revoked interval was never true.
    /// </summary>
    public static IReadOnlyList<NameSpan> Compile(IEnumerable<IdentityInterval> statements)
    {
        var final = statements
            .GroupBy(statement => statement.IntervalId)
            .Select(versions => versions.OrderBy(version => version.LearnedAtUs).ThenBy(version => version.RevokedAtUs is not null).ThenBy(version => version.ValidToUs ?? long.MaxValue).Last())
            .Where(interval => interval.RevokedAtUs is null && interval.ValidFromUs < (interval.ValidToUs ?? long.MaxValue));
        return
        [
            .. final
                .GroupBy(interval => (interval.Entity.Scope, interval.Address, interval.PrefixLength))
                .OrderBy(claims => claims.Key.Scope, StringComparer.Ordinal)
                .ThenBy(claims => claims.Key.Address)
                .ThenBy(claims => claims.Key.PrefixLength)
                .SelectMany(Spans),
        ];
    }

    /// <summary>Cuts the claims on one address at every begin and end, and joins neighbours that say the same.</summary>
    private static List<NameSpan> Spans(IEnumerable<IdentityInterval> claims)
    {
        var all = claims.ToList();
        var cuts = all.SelectMany(claim => new[] { claim.ValidFromUs, claim.ValidToUs ?? long.MaxValue }).Distinct().Order().ToList();
        List<NameSpan> spans = [];
        foreach (var (from, to) in cuts.Zip(cuts.Skip(1)))
        {
            var holders = all.Where(claim => claim.ValidFromUs <= from && to <= (claim.ValidToUs ?? long.MaxValue)).ToList();
            if (holders.Count == 0)
            {
                continue;
            }

            var span = new NameSpan(
                all[0].Entity.Scope, all[0].Address, all[0].PrefixLength, from, to,
                [.. holders.OrderBy(claim => claim.LearnedAtUs).GroupBy(claim => claim.Entity.Id).Select(same => same.Last().Entity).OrderBy(entity => entity.Id)],
                holders.Max(claim => claim.LearnedAtUs));
            if (spans is [.., var last] && last.ToUs == from && last.Candidates.Select(entity => entity.Id).SequenceEqual(span.Candidates.Select(entity => entity.Id)))
            {
                spans[^1] = last with { ToUs = to, LearnedAtUs = Math.Max(last.LearnedAtUs, span.LearnedAtUs) };
            }
            else
            {
                spans.Add(span);
            }
        }

        return spans;
    }
}
