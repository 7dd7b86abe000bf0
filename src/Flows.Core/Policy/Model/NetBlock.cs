using System.Globalization;
using Flows.Core.Facts;

namespace Flows.Core.Policy;

/// <summary>
/// A CIDR range of one address family. <see cref="PrefixLength"/> counts bits of the 128-bit form, so an IPv4 /24 is 120.
/// IPv6 ranges, even <c>::/0</c>, hold no IPv4 address: that is what sets it apart from the ledger's ranges, where one tree holds both.
/// </summary>
public readonly record struct NetBlock : IComparable<NetBlock>
{
    private const byte Bits = 128;
    private const byte V4Offset = 96;

    /// <summary>The range of this length around an address; the bits behind the prefix are cleared.</summary>
    public NetBlock(NetAddress address, byte prefixLength)
    {
        PrefixLength = Math.Min(prefixLength, Bits);
        First = Masked(address, PrefixLength);
    }

    public NetAddress First { get; }

    public byte PrefixLength { get; }

    public bool IsV4 => PrefixLength >= V4Offset && First.IsV4;

    /// <summary>The range of exactly this address.</summary>
    public static NetBlock Of(NetAddress address) => new(address, Bits);

    public bool Contains(NetAddress address) => address.IsV4 == IsV4 && Masked(address, PrefixLength) == First;

    public bool Contains(NetBlock other) => other.PrefixLength >= PrefixLength && other.IsV4 == IsV4 && Masked(other.First, PrefixLength) == First;

    /// <summary>The two ranges of half the size. A single address has none.</summary>
    public (NetBlock Low, NetBlock High) Halves()
    {
        var longer = (byte)(PrefixLength + 1);
        var low = new NetBlock(First, longer);
        var bit = PrefixLength >= 64 ? new NetAddress(First.High, First.Low | (1UL << (127 - PrefixLength))) : new NetAddress(First.High | (1UL << (63 - PrefixLength)), First.Low);
        return (low, new NetBlock(bit, longer));
    }

    /// <summary>Reads <c>10.0.0.0/8</c> or <c>2001:db8::/32</c>; the length is required.</summary>
    public static bool TryParse(string? text, out NetBlock range)
    {
        range = default;
        var slash = text?.IndexOf('/', StringComparison.Ordinal) ?? -1;
        if (slash < 0 || !NetAddress.TryParse(text![..slash], out var address)
            || !byte.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var length)
            || text.Contains(':', StringComparison.Ordinal) == address.IsV4
            || length > (address.IsV4 ? 32 : Bits)
            || LeadingZero(text))
        {
            return false;
        }

        range = new NetBlock(address, (byte)(address.IsV4 ? length + V4Offset : length));
        return true;
    }

    /// <summary>As <see cref="TryParse"/>, or an error that names the text.</summary>
    /// <exception cref="FlowsException">The text is no CIDR range.</exception>
    public static NetBlock Parse(string text) => TryParse(text, out var range)
        ? range
        : throw new FlowsException(ExitCode.Usage, $"'{text}' is not an address range; write it like 10.0.0.0/8 or 2001:db8::/32.");

    public int CompareTo(NetBlock other)
    {
        // IPv4 before IPv6, as people list them.
        var family = other.IsV4.CompareTo(IsV4);
        var first = family != 0 ? family : First.CompareTo(other.First);
        return first != 0 ? first : PrefixLength.CompareTo(other.PrefixLength);
    }

    public static bool operator <(NetBlock left, NetBlock right) => left.CompareTo(right) < 0;

    public static bool operator >(NetBlock left, NetBlock right) => left.CompareTo(right) > 0;

    public static bool operator <=(NetBlock left, NetBlock right) => left.CompareTo(right) <= 0;

    public static bool operator >=(NetBlock left, NetBlock right) => left.CompareTo(right) >= 0;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{First}/{(IsV4 ? PrefixLength - V4Offset : PrefixLength)}");

    /// <summary>Half of the world's parsers read 010 as octal.</summary>
    private static bool LeadingZero(string text) => !text.Contains(':', StringComparison.Ordinal)
        && text.Split('.', '/').Any(number => number.Length > 1 && number[0] == '0');

    private static NetAddress Masked(NetAddress address, int length) => new(
        address.High & (length >= 64 ? ulong.MaxValue : Leading(length)),
        address.Low & Leading(length - 64));

    private static ulong Leading(int bits) => bits <= 0 ? 0 : bits >= 64 ? ulong.MaxValue : ulong.MaxValue << (64 - bits);
}
