using System.Buffers.Binary;
using System.Numerics;

namespace Flows.Core.Map;

/// <summary>Hours in which something was seen, counted since the Unix epoch (UTC). A bit each, so that 30 days take 90 bytes. Equal when they hold the same hours.</summary>
public sealed class HourSet : IEquatable<HourSet>
{
    public const long HourUs = 3_600_000_000;

    /// <summary>Hours in one word of a set.</summary>
    public const int WordHours = 64;

    // Bit 0 of the first word is this hour, a multiple of 64; the first and the last word are never empty.
    private readonly int first;
    private readonly ulong[] words;

    private HourSet(int first, ulong[] words) => (this.first, this.words) = (first, words);

    public static HourSet Empty { get; } = new(0, []);

    public int Count => words.Sum(BitOperations.PopCount);

    public bool IsEmpty => words.Length == 0;

    /// <summary>The hours, ascending.</summary>
    public IEnumerable<int> Hours
    {
        get
        {
            for (var i = 0; i < words.Length; i++)
            {
                for (var word = words[i]; word != 0; word &= word - 1)
                {
                    yield return first + (i * WordHours) + BitOperations.TrailingZeroCount(word);
                }
            }
        }
    }

    /// <summary>The hour that holds this time, µs since the epoch.</summary>
    public static int HourOf(long us) => (int)Math.Clamp(us / HourUs, 0, int.MaxValue - WordHours);

    /// <summary>The set of these hours, in any order.</summary>
    public static HourSet Of(IReadOnlyCollection<int> hours)
    {
        if (hours.Count == 0)
        {
            return Empty;
        }

        var from = hours.Min() / WordHours * WordHours;
        var words = new ulong[((hours.Max() - from) / WordHours) + 1];
        foreach (var hour in hours)
        {
            words[(hour - from) / WordHours] |= 1UL << ((hour - from) % WordHours);
        }

        return new(from, words);
    }

    /// <summary>The set of hours of which a bit is set, the first one in the highest bit of the first byte.</summary>
    /// <param name="from">The first bit's hour, a multiple of <see cref="WordHours"/>.</param>
    /// <param name="bits">Whole words.</param>
    public static HourSet OfBits(int from, ReadOnlySpan<byte> bits)
    {
        var words = new ulong[bits.Length / sizeof(ulong)];
        for (var i = 0; i < words.Length; i++)
        {
            words[i] = Reversed(BinaryPrimitives.ReadUInt64BigEndian(bits[(i * sizeof(ulong))..]));
        }

        var (start, end) = (Array.FindIndex(words, word => word != 0), Array.FindLastIndex(words, word => word != 0) + 1);
        return start < 0 ? Empty : new(from + (start * WordHours), words[start..end]);
    }

    /// <summary>Every hour that [fromUs, toUs] touches.</summary>
    public static HourSet Between(long fromUs, long toUs)
    {
        var (from, to) = (HourOf(fromUs), HourOf(toUs));
        return to < from ? Empty : Of(Enumerable.Range(from, to - from + 1).ToArray());
    }

    /// <summary>Whatever hour is in any of them.</summary>
    public static HourSet Union(IEnumerable<HourSet> sets)
    {
        var all = sets.Where(set => !set.IsEmpty).ToList();
        if (all.Count == 0 || all.TrueForAll(all[0].Equals))
        {
            return all.Count == 0 ? Empty : all[0];
        }

        var from = all.Min(set => set.first);
        var words = new ulong[(all.Max(set => set.first + (set.words.Length * WordHours)) - from) / WordHours];
        foreach (var set in all)
        {
            var offset = (set.first - from) / WordHours;
            for (var i = 0; i < set.words.Length; i++)
            {
                words[offset + i] |= set.words[i];
            }
        }

        return new(from, words);
    }

    public bool Contains(int hour)
    {
        var at = hour - first;
        return at >= 0 && at / WordHours < words.Length && (words[at / WordHours] >> (at % WordHours) & 1) != 0;
    }

    public bool Overlaps(HourSet other)
    {
        var from = Math.Max(first, other.first);
        var to = Math.Min(first + (words.Length * WordHours), other.first + (other.words.Length * WordHours));
        for (var hour = from; hour < to; hour += WordHours)
        {
            if ((words[(hour - first) / WordHours] & other.words[(hour - other.first) / WordHours]) != 0)
            {
                return true;
            }
        }

        return false;
    }

    public bool Equals(HourSet? other) => other is not null && first == other.first && words.AsSpan().SequenceEqual(other.words);

    public override bool Equals(object? obj) => Equals(obj as HourSet);

    public override int GetHashCode() => HashCode.Combine(first, words.Length, words.Length == 0 ? 0 : words[0]);

    private static ulong Reversed(ulong word)
    {
        word = ((word >> 1) & 0x5555_5555_5555_5555) | ((word & 0x5555_5555_5555_5555) << 1);
        word = ((word >> 2) & 0x3333_3333_3333_3333) | ((word & 0x3333_3333_3333_3333) << 2);
        word = ((word >> 4) & 0x0F0F_0F0F_0F0F_0F0F) | ((word & 0x0F0F_0F0F_0F0F_0F0F) << 4);
        return BinaryPrimitives.ReverseEndianness(word);
    }
}
