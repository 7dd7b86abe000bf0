using Flows.Core.Identity;

namespace Flows.Inventory;

/// <summary>
/// What a file that lists every holder of its origin has to say that the ledger does not know. Unlike a part, it also tells by silence: a holder that it
/// no longer lists is gone. Pure.
/// </summary>
public static class CompleteFile
{
    private readonly record struct Place(string Scope, AddressRange Range);

    /// <summary>
    /// The file's statements, and an end for each standing interval of its origin that it does not list. When that ended nobody witnessed, so the end is
    /// when we looked. A line without <c>valid_from</c> goes on with the interval that stands; where the origin has spoken of the address before, a new
    /// holder begins now; else it counts since ever. A file with bad lines, or without good ones, ends nothing: what is missing may be in them.
    /// </summary>
    /// <param name="report">What was read; <see cref="InventoryReport.CompleteFor"/> is not null. Lines for every scope are expanded.</param>
    /// <param name="known">What the ledger was ever told with this origin.</param>
    /// <param name="nowUs">The time of reading.</param>
    /// <param name="ended">How many intervals end.</param>
    public static IReadOnlyList<IdentityInterval> News(InventoryReport report, IEnumerable<IdentityInterval> known, long nowUs, out int ended)
    {
        IdentityInterval[] last = [.. known.GroupBy(said => said.IntervalId).Select(said => said.MaxBy(one => one.LearnedAtUs)!)];
        var byId = last.ToDictionary(said => said.IntervalId);
        var spoken = last.Select(PlaceOf).ToHashSet();
        var standing = last.Where(said => said is { ValidToUs: null, RevokedAtUs: null }).ToLookup(said => (said.Entity.Id, PlaceOf(said)));
        IdentityInterval[] listed = [.. report.Accepted.Select(Placed)];
        if (report.RejectedCount > 0 || listed.Length == 0)
        {
            ended = 0;
            return listed;
        }

        var kept = listed.Select(said => said.IntervalId).ToHashSet();
        IdentityInterval[] gone =
        [
            .. standing.SelectMany(same => same).Where(said => !kept.Contains(said.IntervalId)).Select(said => said with
            {
                ValidToUs = Math.Max(nowUs, said.ValidFromUs + 1),
                EndUncertain = true,
                LearnedAtUs = Math.Max(nowUs, said.LearnedAtUs + 1),
            }),
        ];
        ended = gone.Length;
        return [.. listed, .. gone];

        // The reader gives 1970 to a line that names no begin. What the file says, it says now, however old the line's own learned_at is: else a holder
        // that came back would stay ended.
        IdentityInterval Placed(IdentityInterval said)
        {
            var from = said.ValidFromUs > 0 ? said.ValidFromUs
                : standing[(said.Entity.Id, PlaceOf(said))].FirstOrDefault() is { } stands ? stands.ValidFromUs
                : spoken.Contains(PlaceOf(said)) && (said.ValidToUs ?? long.MaxValue) > nowUs ? nowUs
                : 0;
            var id = IdentityInterval.IdOf(said.Entity, said.Address, said.PrefixLength, from);
            var knew = byId.TryGetValue(id, out var before) && before.LearnedAtUs >= said.LearnedAtUs;
            return said with { ValidFromUs = from, IntervalId = id, LearnedAtUs = knew ? Math.Max(nowUs, before!.LearnedAtUs + 1) : said.LearnedAtUs };
        }
    }

    private static Place PlaceOf(IdentityInterval said) => new(said.Entity.Scope, new(said.Address, said.PrefixLength));
}
