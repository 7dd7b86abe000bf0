using Flows.Core.Facts;
using Flows.Core.Map;

namespace Flows.Core.Identity;

/// <summary>The ledger's answer to "who held this address then?".</summary>
/// <param name="ResolvedBy"><see cref="ResolvedBy.AsOf"/>, <see cref="ResolvedBy.Cidr"/>, <see cref="ResolvedBy.Ambiguous"/> or <see cref="ResolvedBy.Unknown"/>.</param>
/// <param name="Candidates">Empty where nobody is known; several where the ledger cannot tell them apart.</param>
/// <param name="Span">The span that answered; null where nobody is known.</param>
public sealed record Resolution(ResolvedBy ResolvedBy, IReadOnlyList<Entity> Candidates, NameSpan? Span)
{
    public static Resolution Unknown { get; } = new(ResolvedBy.Unknown, [], null);

    /// <summary>The answer that a span gives within its time; the unknown one without a span.</summary>
    public static Resolution Of(NameSpan? span) => span is null ? Unknown : new(
        span.Candidates.Count > 1 ? ResolvedBy.Ambiguous : span.PrefixLength == 128 ? ResolvedBy.AsOf : ResolvedBy.Cidr, span.Candidates, span);

    /// <summary>
    /// The one entity to write into an edge: the holder; an entity that stands for "one of these"; or one that stands for the address
    /// itself.
    /// </summary>
    public Entity EntityFor(string scope, NetAddress address) => Candidates.Count switch
    {
        0 => new() { Id = Entity.IdOfUnknown(scope, address), Kind = EntityKind.Unknown, Scope = scope, Name = address.ToString() },
        1 => Candidates[0],
        _ => new()
        {
            Id = Entity.IdOfAmbiguous(Candidates.Select(candidate => candidate.Id)),
            Kind = EntityKind.Ambiguous,
            Scope = scope,
            Name = string.Join(" | ", Candidates.Select(candidate => candidate.Title)),
        },
    };
}
