using Flows.Core.Facts;

namespace Flows.Core.Identity;

/// <summary>
/// What the ledger says in the end about one address or range: over [<see cref="FromUs"/>, <see cref="ToUs"/>) exactly these entities
/// claimed it. Spans of one (scope, address, prefix) never overlap, so a plain as-of join finds at most one.
/// </summary>
/// <param name="Scope">The address scope.</param>
/// <param name="Address">The address, or the first address of the range.</param>
/// <param name="PrefixLength">Bits of <paramref name="Address"/> that count, of 128; 128 is one address.</param>
/// <param name="FromUs">The first moment, µs since the epoch.</param>
/// <param name="ToUs">The first moment after it; <see cref="long.MaxValue"/> while open.</param>
/// <param name="Candidates">One entity (as_of) or several (ambiguous), ordered by kind, namespace, name and id. Never empty.</param>
/// <param name="LearnedAtUs">
/// Since when the ledger has claimed all of the span for all of the candidates. Closing an interval does not move it: what stays of the
/// interval was known before.
/// </param>
public sealed record NameSpan(
    string Scope, NetAddress Address, byte PrefixLength, long FromUs, long ToUs, IReadOnlyList<Entity> Candidates, long LearnedAtUs);
