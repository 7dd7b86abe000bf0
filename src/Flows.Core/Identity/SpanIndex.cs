using System.Collections.Frozen;
using Flows.Core.Facts;
using Flows.Core.Map;

namespace Flows.Core.Identity;

/// <summary>
/// Spans sorted by scope, prefix length, address and time, for many questions at once: sorted questions are a merge over sorted arrays. Immutable.
/// </summary>
public sealed class SpanIndex
{
    private readonly record struct SpanKey(NetAddress Address, long FromUs) : IComparable<SpanKey>
    {
        public int CompareTo(SpanKey other)
        {
            var order = Address.CompareTo(other.Address);
            return order != 0 ? order : FromUs.CompareTo(other.FromUs);
        }
    }

    /// <summary>What a bulk answer needs of a span, beside its key.</summary>
    private readonly record struct Holder(long ToUs, ulong EntityId, ResolvedBy ResolvedBy);

    /// <summary>The spans of one prefix length in one scope.</summary>
    private sealed record Tier(byte PrefixLength, SpanKey[] Keys, Holder[] Holders, NameSpan[] Spans);

    private readonly FrozenDictionary<string, Tier[]> scopes;

    private SpanIndex(FrozenDictionary<string, Tier[]> scopes) => this.scopes = scopes;

    /// <summary>An index of these spans, which must not overlap within one (scope, address, prefix). Any order will do.</summary>
    public static SpanIndex Of(IEnumerable<NameSpan> spans) => new(spans.GroupBy(span => span.Scope).ToFrozenDictionary(
        scope => scope.Key,
        scope => scope.GroupBy(span => span.PrefixLength).OrderByDescending(tier => tier.Key).Select(TierOf).ToArray()));

    /// <summary>
    /// The span that says who held the address at the time; null where none does. An exact address beats a range and a longer prefix a
    /// shorter one, but only where it says something about that very moment.
    /// </summary>
    public NameSpan? Find(string scope, NetAddress address, long timeUs)
    {
        foreach (var tier in scopes.GetValueOrDefault(scope) ?? [])
        {
            var at = Last(tier.Keys, new(AddressRange.Of(address, tier.PrefixLength).First, timeUs), 0);
            if (Holds(tier, at, AddressRange.Of(address, tier.PrefixLength).First, timeUs))
            {
                return tier.Spans[at];
            }
        }

        return null;
    }

    /// <summary>
    /// Who held each address at its time. Any order is answered rightly; questions sorted by address and time, as flows sorted so are, cost a step
    /// or two each.
    /// </summary>
    /// <param name="scope">The scope of all questions.</param>
    /// <param name="addresses">One address a question.</param>
    /// <param name="timesUs">Its time, µs since the epoch.</param>
    /// <param name="entities">
    /// Receives the entity's id: of the holder, or of "one of these" (<see cref="Entity.IdOfAmbiguous"/>); 0 where nobody is known, since the id of an
    /// unknown peer costs a hash that not everybody needs (<see cref="Entity.IdOfUnknown"/>).
    /// </param>
    /// <param name="resolvedBy">Receives how it is known: as_of, cidr, ambiguous or unknown.</param>
    public void Resolve(string scope, ReadOnlySpan<NetAddress> addresses, ReadOnlySpan<long> timesUs, Span<ulong> entities, Span<ResolvedBy> resolvedBy)
    {
        entities[..addresses.Length].Clear();
        resolvedBy[..addresses.Length].Clear();
        foreach (var tier in scopes.GetValueOrDefault(scope) ?? [])
        {
            var finger = 0;
            for (var i = 0; i < addresses.Length; i++)
            {
                if (resolvedBy[i] != ResolvedBy.Unknown)
                {
                    continue;
                }

                var address = tier.PrefixLength == 128 ? addresses[i] : AddressRange.Of(addresses[i], tier.PrefixLength).First;
                var at = Last(tier.Keys, new(address, timesUs[i]), finger);
                finger = Math.Max(at, 0);
                if (Holds(tier, at, address, timesUs[i]))
                {
                    entities[i] = tier.Holders[at].EntityId;
                    resolvedBy[i] = tier.Holders[at].ResolvedBy;
                }
            }
        }
    }

    private static bool Holds(Tier tier, int at, NetAddress address, long timeUs) => at >= 0 && tier.Keys[at].Address == address && timeUs < tier.Holders[at].ToUs;

    /// <summary>The last key that is no greater, or -1. Looks ahead of the finger in growing steps, so that a key close by is found at once.</summary>
    private static int Last(SpanKey[] keys, SpanKey key, int finger)
    {
        if (keys.Length == 0 || keys[0].CompareTo(key) > 0)
        {
            return -1;
        }

        var low = keys[finger].CompareTo(key) <= 0 ? finger : 0;
        var step = 1;
        while (low + step < keys.Length && keys[low + step].CompareTo(key) <= 0)
        {
            low += step;
            step *= 2;
        }

        // keys[low] is no greater, and keys[low + step] is greater or beyond the end.
        for (var high = Math.Min(low + step, keys.Length); high - low > 1;)
        {
            var middle = low + ((high - low) / 2);
            if (keys[middle].CompareTo(key) <= 0)
            {
                low = middle;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }

    private static Tier TierOf(IGrouping<byte, NameSpan> tier)
    {
        NameSpan[] spans = [.. tier];
        var keys = Array.ConvertAll(spans, span => new SpanKey(span.Address, span.FromUs));
        Array.Sort(keys, spans);
        return new(tier.Key, keys, Array.ConvertAll(spans, HolderOf), spans);
    }

    private static Holder HolderOf(NameSpan span) => new(
        span.ToUs,
        span.Candidates.Count == 1 ? span.Candidates[0].Id : Entity.IdOfAmbiguous(span.Candidates.Select(candidate => candidate.Id)),
        Resolution.Of(span).ResolvedBy);
}
