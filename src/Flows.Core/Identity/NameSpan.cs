using Flows.Core.Facts;

namespace Flows.Core.Identity;

/// <summary>
/// Disjoint per scope, address and prefix: over [<see cref="FromUs"/>, <see cref="ToUs"/>) exactly these entities claimed the address.
/// </summary>
/// <param name="Scope">Name of the address scope.</param>
/// <param name="Address">The address, or the first one of the range.</param>
/// <param name="PrefixLength">Bits that count, of 128.</param>
/// <param name="FromUs">Begin of the span.</param>
/// <param name="ToUs">End of the span, exclusive; <see cref="long.MaxValue"/> while it is open.</param>
/// <param name="Candidates">One entity, or several where the claim is ambiguous; ordered by id.</param>
/// <param name="LearnedAtUs">When the last of the statements behind the span became known.</param>
public sealed record NameSpan(string Scope, NetAddress Address, byte PrefixLength, long FromUs, long ToUs, IReadOnlyList<Entity> Candidates, long LearnedAtUs);
