using Flows.Core.Facts;

namespace Flows.Core.Identity;

/// <summary>
/// One statement of the ledger: <see cref="Entity"/> held <see cref="Address"/> in [<see cref="ValidFromUs"/>,
/// <see cref="ValidToUs"/>), and we knew it from <see cref="LearnedAtUs"/> on. Append-only: a change is a new statement with the same
/// <see cref="IntervalId"/> that was learned later (the latest wins), a withdrawal one with <see cref="RevokedAtUs"/>.
/// </summary>
public sealed record IdentityInterval
{
    /// <summary>In the place of null: a server keeps hundreds of thousands of these, and a nullable number takes as much as two.</summary>
    private const long NoTime = long.MinValue;

    private readonly long validToUs = NoTime;
    private readonly long revokedAtUs = NoTime;

    /// <summary>Names the interval over its corrections: stable hash of entity, scope, address and valid_from.</summary>
    public required ulong IntervalId { get; init; }

    public required Entity Entity { get; init; }

    /// <summary>The address, or the first address of the range.</summary>
    public required NetAddress Address { get; init; }

    /// <summary>Bits of <see cref="Address"/> that count, of 128 (an IPv4 /24 is 120); 128 is one address.</summary>
    public byte PrefixLength { get; init; } = 128;

    public required long ValidFromUs { get; init; }

    /// <summary>The first moment at which the entity no longer held the address; null while it does.</summary>
    public long? ValidToUs
    {
        get => validToUs == NoTime ? null : validToUs;
        init => validToUs = value ?? NoTime;
    }

    /// <summary>
    /// The end was not witnessed: the holder was found gone after a time without news, and <see cref="ValidToUs"/> is the latest possible end. A
    /// successor that claims the address before that makes the answer ambiguous.
    /// </summary>
    public bool EndUncertain { get; init; }

    public required long LearnedAtUs { get; init; }

    public long? RevokedAtUs
    {
        get => revokedAtUs == NoTime ? null : revokedAtUs;
        init => revokedAtUs = value ?? NoTime;
    }

    /// <summary>Who said so: one of <see cref="Origins"/>, or a name of the inventory's own.</summary>
    public required string Origin { get; init; }

    public static ulong IdOf(Entity entity, NetAddress address, byte prefixLength, long validFromUs) => StableId.Of(
        "interval", StableId.Part(entity.Id), entity.Scope, $"{address}/{prefixLength}", StableId.Part((ulong)validFromUs));
}
