using System.Collections.Frozen;
using Flows.Core.Facts;
using Flows.Core.Map;

namespace Flows.Core.Identity;

/// <summary>
/// The ledger in memory: who held an address at a time, and what was ever said about it. Immutable, so any thread may ask while a
/// successor is being made; whoever keeps one swaps it whole.
/// </summary>
public sealed class Ledger
{
    /// <summary>The spans of one prefix length in one scope, with their sort keys apart so that the search stays in one array.</summary>
    private sealed record Tier(byte PrefixLength, SpanKey[] Keys, NameSpan[] Spans);

    private readonly record struct SpanKey(NetAddress Address, long FromUs) : IComparable<SpanKey>
    {
        public int CompareTo(SpanKey other)
        {
            var order = Address.CompareTo(other.Address);
            return order != 0 ? order : FromUs.CompareTo(other.FromUs);
        }
    }

    private readonly IdentityInterval[] statements;
    private readonly FrozenDictionary<string, Tier[]> scopes;

    private Ledger(IdentityInterval[] statements)
    {
        this.statements = statements;
        Spans = Timeline.Compile(statements);
        scopes = Spans.GroupBy(span => span.Scope).ToFrozenDictionary(
            scope => scope.Key,
            scope => scope.GroupBy(span => span.PrefixLength).Select(TierOf).ToArray());
    }

    public static Ledger Empty { get; } = new([]);

    /// <summary>Every statement, in the order in which it was added.</summary>
    public IReadOnlyList<IdentityInterval> Said => statements;

    /// <summary>What the statements come to, ordered by scope, longest prefix, address and time.</summary>
    public IReadOnlyList<NameSpan> Spans { get; }

    /// <summary>A ledger that knows these statements too. Costs a sort of the whole: add many at once.</summary>
    public Ledger Add(IEnumerable<IdentityInterval> more)
    {
        IdentityInterval[] all = [.. statements, .. more];
        return all.Length == statements.Length ? this : new(all);
    }

    /// <summary>
    /// Who held the address at the time. An exact address beats a range and a longer prefix a shorter one, but only where it says
    /// something about that very moment.
    /// </summary>
    public Resolution At(string scope, NetAddress address, long timeUs)
    {
        if (scopes.TryGetValue(scope, out var tiers))
        {
            // Spans are ordered longest prefix first, so the first hit is the best.
            foreach (var tier in tiers)
            {
                if (Find(tier, AddressRange.Of(address, tier.PrefixLength).First, timeUs) is { } span)
                {
                    var by = span.Candidates.Count > 1 ? ResolvedBy.Ambiguous : span.PrefixLength == 128 ? ResolvedBy.AsOf : ResolvedBy.Cidr;
                    return new(by, span.Candidates, span);
                }
            }
        }

        return Resolution.Unknown;
    }

    /// <summary>
    /// Every statement ever made about the address or a range around it, superseded and revoked ones too; in every scope unless one is
    /// given. Ordered by scope, longest prefix, valid_from, and then as learned. Reads the whole ledger.
    /// </summary>
    public IReadOnlyList<IdentityInterval> History(string? scope, NetAddress address) =>
    [
        .. statements
            .Where(said => (scope is null || said.Entity.Scope == scope)
                && AddressRange.Of(said.Address, said.PrefixLength).Contains(address))
            .OrderBy(said => said.Entity.Scope, StringComparer.Ordinal)
            .ThenByDescending(said => said.PrefixLength)
            .ThenBy(said => said.ValidFromUs)
            .ThenBy(said => said.IntervalId)
            .ThenBy(said => said, Statements.Order),
    ];

    private static Tier TierOf(IGrouping<byte, NameSpan> spans) =>
        new(spans.Key, [.. spans.Select(span => new SpanKey(span.Address, span.FromUs))], [.. spans]);

    /// <summary>The last span of the address that begins at or before the time, if it still lasts.</summary>
    private static NameSpan? Find(Tier tier, NetAddress address, long timeUs)
    {
        var at = Array.BinarySearch(tier.Keys, new SpanKey(address, timeUs));
        at = at < 0 ? ~at - 1 : at;
        return at >= 0 && tier.Keys[at].Address == address && timeUs < tier.Spans[at].ToUs ? tier.Spans[at] : null;
    }
}
