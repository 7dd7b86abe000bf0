using Flows.Core.Facts;

namespace Flows.Core.Identity;

/// <summary>Addresses that say nothing about who holds them.</summary>
public static class SharedAddresses
{
    private static readonly AddressRange[] Ranges =
    [
        .. new[] { "0.0.0.0", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "255.255.255.255", "::", "::1", "fe80::/10", "ff00::/8" }.Select(
            text => AddressRange.TryParse(text, out var range) ? range : throw new ArgumentException(text)),
    ];

    /// <summary>
    /// False for loopback ("me"), link-local ("someone on this wire"), multicast, broadcast and none: every machine has the same, so a statement about one of
    /// them would only make every machine's traffic ambiguous.
    /// </summary>
    public static bool IsUniqueInScope(NetAddress address) => !Ranges.Any(range => range.Contains(address));
}
