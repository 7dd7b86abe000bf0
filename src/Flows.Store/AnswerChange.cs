using Flows.Core;
using Flows.Core.Facts;
using Flows.Core.Map;

namespace Flows.Store;

/// <summary>Over [<see cref="FromUs"/>, <see cref="ToUs"/>) the addresses from <see cref="Low"/> to <see cref="High"/> are named otherwise than before.</summary>
internal readonly record struct AnswerChange(string Scope, NetAddress Low, NetAddress High, long FromUs, long ToUs)
{
    /// <summary>An edge is named late when its bucket began so long before its name was learned; the roll-up has the same figure.</summary>
    private const long LateAfterUs = 2 * UnixTime.Minute;

    /// <summary>
    /// Where the answers of two timelines differ, to the moment. Rows that are in both may be left out; within each, rows of one kind are disjoint.
    /// </summary>
    public static IEnumerable<AnswerChange> Between(IReadOnlyList<TimelineRow> before, IReadOnlyList<TimelineRow> after)
    {
        var all = before.Select(row => (Row: row, IsOld: true)).Concat(after.Select(row => (Row: row, IsOld: false)));
        return all.GroupBy(one => (one.Row.Scope, one.Row.IsRange)).SelectMany(kind => kind.Key.IsRange
            ? OfRanges(kind.Key.Scope, [.. kind.OrderBy(one => one.Row.Low)])
            : kind.GroupBy(one => one.Row.Low).SelectMany(address => ByTime([.. address]).Select(span => new AnswerChange(kind.Key.Scope, address.Key, address.Key, span.From, span.To))));
    }

    /// <summary>Cuts the addresses so that each piece lies in all of a row or in none of it.</summary>
    private static IEnumerable<AnswerChange> OfRanges(string scope, List<(TimelineRow Row, bool IsOld)> rows)
    {
        NetAddress[] cuts = [.. rows.Select(one => one.Row.Low).Concat(rows.Select(one => TimelineRow.Next(one.Row.High)).OfType<NetAddress>()).Distinct().Order()];
        var active = new List<(TimelineRow Row, bool IsOld)>();
        var next = 0;
        for (var i = 0; i < cuts.Length; i++)
        {
            active.RemoveAll(one => one.Row.High < cuts[i]);
            for (; next < rows.Count && rows[next].Row.Low == cuts[i]; next++)
            {
                active.Add(rows[next]);
            }

            foreach (var (from, to) in ByTime(active))
            {
                yield return new(scope, cuts[i], i + 1 < cuts.Length ? TimelineRow.Previous(cuts[i + 1]) : active[0].Row.High, from, to);
            }
        }
    }

    /// <summary>The spans of time in which old and new differ, joined where they touch.</summary>
    private static IEnumerable<(long From, long To)> ByTime(List<(TimelineRow Row, bool IsOld)> rows)
    {
        var cuts = rows.SelectMany(one => new[] { one.Row.FromUs, one.Row.ToUs }).Distinct().Order().ToArray();
        (long From, long To)? open = null;
        for (var i = 0; i + 1 < cuts.Length; i++)
        {
            var old = rows.Find(one => one.IsOld && one.Row.FromUs <= cuts[i] && cuts[i] < one.Row.ToUs).Row;
            var now = rows.Find(one => !one.IsOld && one.Row.FromUs <= cuts[i] && cuts[i] < one.Row.ToUs).Row;
            if (Differing(old, now, cuts[i], cuts[i + 1]) is not { } differing)
            {
                continue;
            }

            if (open is { } span && span.To == differing.From)
            {
                open = (span.From, differing.To);
                continue;
            }

            if (open is { } done)
            {
                yield return done;
            }

            open = differing;
        }

        if (open is { } last)
        {
            yield return last;
        }
    }

    /// <summary>
    /// The part of [from, to) in which the two name an edge differently. Where only the date of learning differs, that is where one of them is late
    /// and the other is not.
    /// </summary>
    private static (long From, long To)? Differing(TimelineRow? old, TimelineRow? now, long from, long to)
    {
        if (old?.Entity.Id != now?.Entity.Id || old?.ResolvedBy != now?.ResolvedBy)
        {
            return (from, to);
        }

        if (old is null || now is null || old.LearnedAtUs == now.LearnedAtUs || old.ResolvedBy != ResolvedBy.AsOf)
        {
            return null;
        }

        var (sooner, later) = (Math.Min(old.LearnedAtUs, now.LearnedAtUs), Math.Max(old.LearnedAtUs, now.LearnedAtUs));
        (from, to) = (Math.Max(from, sooner - LateAfterUs), Math.Min(to, later - LateAfterUs + UnixTime.Minute));
        return from < to ? (from, to) : null;
    }
}
