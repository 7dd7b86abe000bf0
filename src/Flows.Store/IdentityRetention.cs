using Flows.Core.Identity;

namespace Flows.Store;

/// <summary>How long statements about identities are kept: no shorter than any fact that they name.</summary>
internal static class IdentityRetention
{
    /// <summary>Whether all statements about an interval may go.</summary>
    /// <param name="last">The statement that holds.</param>
    /// <param name="oldestFactUs">Begin of the oldest flow or bucket of edges that is kept, µs since the epoch.</param>
    public static bool MayGo(IdentityInterval last, long oldestFactUs) =>
        last.RevokedAtUs is { } revoked ? revoked < oldestFactUs && last.ValidFromUs < oldestFactUs : last.ValidToUs is { } end && end <= oldestFactUs;
}
