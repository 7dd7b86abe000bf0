using Flows.Core;
using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.Core.Map;

namespace Flows.Store;

/// <summary>
/// One row of the timeline: over [<see cref="FromUs"/>, <see cref="ToUs"/>) the addresses from <see cref="Low"/> to <see cref="High"/> belong to one
/// entity. Rows of single addresses are disjoint, and so are rows of ranges: a lookup finds at most one of each, and the former wins.
/// </summary>
internal sealed record TimelineRow(
    string Scope, NetAddress Low, NetAddress High, byte PrefixLength, long FromUs, long ToUs, Entity Entity, string CandidateIds, ResolvedBy ResolvedBy, long LearnedAtUs)
{
    public ulong ScopeId => StableId.OfScope(Scope);

    public IEnumerable<ulong> Candidates => CandidateIds.Split(' ').Select(id => ulong.Parse(id, System.Globalization.CultureInfo.InvariantCulture));

    /// <summary>What decides how an edge is named; attributes of the entity do not.</summary>
    public (string Scope, NetAddress Low, NetAddress High, byte Prefix, long From, long To, ulong Entity, long Learned) Fact => (Scope, Low, High, PrefixLength, FromUs, ToUs, Entity.Id, LearnedAtUs);

    /// <summary>What the row is about; at one time one row is about it.</summary>
    public (string Scope, NetAddress Low, byte Prefix) Key => (Scope, Low, PrefixLength);

    public bool IsRange => PrefixLength < 128;

    /// <summary>The rows of single addresses.</summary>
    public static IEnumerable<TimelineRow> OfAddresses(IEnumerable<NameSpan> spans) =>
        spans.Select(span => Row(span, span.Address, span.Address, span.FromUs, span.ToUs)).Where(IsStorable);

    /// <summary>The rows of all ranges of one scope.</summary>
    public static IEnumerable<TimelineRow> OfRanges(IEnumerable<NameSpan> spans) => Flatten([.. spans]).Where(IsStorable);

    /// <summary>What lies before 1970 or beyond 9999 is cut off.</summary>
    private static bool IsStorable(TimelineRow row) => StoreLayout.ClampUs(row.FromUs) < StoreLayout.ClampUs(row.ToUs);

    /// <summary>The ranges of a scope, cut so that each piece of addresses and time has the narrowest range only.</summary>
    private static IEnumerable<TimelineRow> Flatten(List<NameSpan> ranges)
    {
        var lows = ranges.SelectMany(range => new NetAddress?[] { First(range), Next(Last(range)) }).OfType<NetAddress>().Distinct().Order().ToList();
        for (var i = 0; i < lows.Count; i++)
        {
            var low = lows[i];
            var covering = ranges.Where(range => First(range) <= low && low <= Last(range)).OrderByDescending(range => range.PrefixLength).ToList();
            var cuts = covering.SelectMany(range => new[] { range.FromUs, range.ToUs }).Distinct().Order().ToList();
            foreach (var (from, to) in cuts.Zip(cuts.Skip(1)))
            {
                if (covering.FirstOrDefault(range => range.FromUs <= from && to <= range.ToUs) is { } narrowest)
                {
                    yield return Row(narrowest, low, i + 1 < lows.Count ? Previous(lows[i + 1]) : Last(narrowest), from, to);
                }
            }
        }
    }

    private static TimelineRow Row(NameSpan span, NetAddress low, NetAddress high, long from, long to)
    {
        var holder = span.Candidates.Count == 1 ? span.Candidates[0] : Ambiguous(span);
        var ids = span.Candidates.Select(candidate => candidate.Id).Order();
        return new(span.Scope, low, high, span.PrefixLength, from, to, holder, string.Join(' ', ids), Resolution.Of(span).ResolvedBy, span.LearnedAtUs);
    }

    /// <summary>The entity that stands for "one of these"; its name lists them.</summary>
    private static Entity Ambiguous(NameSpan span) => new()
    {
        Id = Entity.IdOfAmbiguous(span.Candidates.Select(candidate => candidate.Id)),
        Kind = EntityKind.Ambiguous,
        Scope = span.Scope,
        Name = string.Join(" | ", span.Candidates.Select(candidate => candidate.Title).Order(StringComparer.Ordinal)),
    };

    private static UInt128 Bits(NetAddress address) => new(address.High, address.Low);

    private static NetAddress Address(UInt128 bits) => new((ulong)(bits >> 64), (ulong)bits);

    private static UInt128 HostMask(byte prefix) => prefix == 0 ? UInt128.MaxValue : (UInt128.One << (128 - prefix)) - 1;

    private static NetAddress First(NameSpan range) => Address(Bits(range.Address) & ~HostMask(range.PrefixLength));

    private static NetAddress Last(NameSpan range) => Address(Bits(range.Address) | HostMask(range.PrefixLength));

    public static NetAddress? Next(NetAddress address) => Bits(address) == UInt128.MaxValue ? null : Address(Bits(address) + 1);

    public static NetAddress Previous(NetAddress address) => Address(Bits(address) - 1);
}
