using System.Globalization;
using Flows.Core.Facts;

namespace Flows.Core.Identity;

/// <summary>A CIDR range. The prefix counts bits of the 128-bit form (an IPv4 /24 is 120); 128 is one address.</summary>
/// <param name="First">The first address of the range: all bits after the prefix are zero.</param>
/// <param name="PrefixLength">0 to 128.</param>
public readonly record struct AddressRange(NetAddress First, byte PrefixLength)
{
    /// <summary>Bits before the IPv4 address in its mapped form.</summary>
    private const int MappedBits = 96;

    /// <summary>The range of this length in which the address lies.</summary>
    public static AddressRange Of(NetAddress address, byte prefixLength)
    {
        var high = prefixLength switch { 0 => 0UL, >= 64 => ulong.MaxValue, _ => ulong.MaxValue << (64 - prefixLength) };
        var low = prefixLength switch { <= 64 => 0UL, >= 128 => ulong.MaxValue, _ => ulong.MaxValue << (128 - prefixLength) };
        return new(new(address.High & high, address.Low & low), prefixLength);
    }

    public bool Contains(NetAddress address) => Of(address, PrefixLength).First == First;

    /// <summary>
    /// Reads an address or a CIDR range, IPv4 or IPv6. An IPv4 octet with a leading zero is refused, because half of the world's parsers
    /// read it as octal; so is a range with bits after its prefix, because it leaves open what was meant.
    /// </summary>
    public static bool TryParse(string text, out AddressRange range)
    {
        range = default;
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var head = slash < 0 ? text : text[..slash];
        if (!IsPlain(head) || !NetAddress.TryParse(head, out var address))
        {
            return false;
        }

        var skipped = head.Contains(':', StringComparison.Ordinal) ? 0 : MappedBits;
        var bits = 128 - skipped;
        if (slash >= 0 && (!int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out bits) || bits > 128 - skipped))
        {
            return false;
        }

        range = Of(address, (byte)(bits + skipped));
        return range.First == address;
    }

    /// <summary>The address alone where the range is one address, else CIDR text.</summary>
    public override string ToString()
    {
        if (PrefixLength == 128)
        {
            return First.ToString();
        }

        return First.IsV4 && PrefixLength >= MappedBits
            ? string.Create(CultureInfo.InvariantCulture, $"{First}/{PrefixLength - MappedBits}")
            : string.Create(CultureInfo.InvariantCulture, $"{First}/{PrefixLength}");
    }

    private static bool IsPlain(string head) => head.Contains(':', StringComparison.Ordinal)
        || head.Split('.').All(octet => octet.All(char.IsAsciiDigit) && (octet.Length == 1 || !octet.StartsWith('0')));
}
