using Flows.Core.Facts;

namespace Flows.Core.Identity;

/// <summary>What is claimed: an address or a range in a scope.</summary>
public readonly record struct Place(string Scope, AddressRange Range)
{
    public static Place Of(IdentityInterval statement) => new(statement.Entity.Scope, AddressRange.Of(statement.Address, statement.PrefixLength));

    public override string ToString() => $"{Range} in {Scope}";
}

/// <summary>What a change came to at one place: its spans, disjoint and ordered by time, before and after.</summary>
public sealed record PlaceChange(Place Place, IReadOnlyList<NameSpan> Before, IReadOnlyList<NameSpan> After);

/// <summary>What a change came to.</summary>
/// <param name="News">The statements that said something new, in the order in which they came to hold.</param>
/// <param name="Places">The places that they are about.</param>
public sealed record LedgerChange(IReadOnlyList<IdentityInterval> News, IReadOnlyList<PlaceChange> Places);
