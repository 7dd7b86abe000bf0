using Flows.Core.Facts;

namespace Flows.Core.Identity;

/// <summary>
/// A ledger of few statements, such as all that was ever said about one address: who held it at a time, and who said what. Immutable.
/// The server's own is a <see cref="LiveLedger"/>.
/// </summary>
public sealed class Ledger
{
    private readonly IdentityInterval[] statements;
    private readonly SpanIndex index;

    private Ledger(IdentityInterval[] statements)
    {
        this.statements = statements;
        Spans = Timeline.Compile(statements);
        index = SpanIndex.Of(Spans);
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

    /// <summary>Who held the address at the time, as <see cref="SpanIndex.Find"/> finds it.</summary>
    public Resolution At(string scope, NetAddress address, long timeUs) => Resolution.Of(index.Find(scope, address, timeUs));

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
}
