namespace Flows.Capture.Flow;

/// <summary>Mixing of 64-bit words for hash tables and identifiers: one 64 by 64 to 128 bit multiplication, its halves folded.</summary>
internal static class Mix
{
    // Odd constants with as many ones as zeros, from the digits of the golden ratio and of the square root of 3.
    private const ulong Golden = 0x9E37_79B9_7F4A_7C15;
    private const ulong Root3 = 0xBB67_AE85_84CA_A73B;

    public static ulong Fold(ulong left, ulong right)
    {
        var high = Math.BigMul(left ^ Golden, right ^ Root3, out var low);
        return high ^ low;
    }
}
