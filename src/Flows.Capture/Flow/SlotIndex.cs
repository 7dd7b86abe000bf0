using System.Numerics;

namespace Flows.Capture.Flow;

/// <summary>
/// Finds the entries of a table by their keys: open addressing over small slots, linear probing, deletion by shifting back. The entries lie
/// elsewhere, at an index that is theirs for life.
/// </summary>
/// <remarks>
/// A slot is the tag, which is the upper half of the key's hash, and below it the entry's index + 1; 0 is empty. The tag tells nearly every other
/// key apart without a look at its entry, and says where the slot would like to be, so that shifting and growing need no entry either.
/// </remarks>
/// <param name="capacity">Entries to expect; it grows when there are more.</param>
internal sealed class SlotIndex(int capacity)
{
    private ulong[] slots = NewSlots(capacity);

    public int Count { get; private set; }

    /// <summary>Where the probe for a tag begins. Its upper bits, so that growing keeps neighbours together; the length is a power of two up to 2^32.</summary>
    private static int HomeOf(uint tag, int length) => (int)(((ulong)tag * (uint)length) >> 32);

    /// <summary>
    /// The next entry of this tag, or -1. Starts with <paramref name="probe"/> 0 and continues from where the last call left it, for keys
    /// that differ but share a tag.
    /// </summary>
    public int Next(uint tag, ref int probe)
    {
        var table = slots;
        var mask = table.Length - 1;
        for (var at = (HomeOf(tag, table.Length) + probe) & mask; ; at = (at + 1) & mask)
        {
            var slot = table[at];
            if (slot == 0)
            {
                return -1;
            }

            probe++;
            if ((uint)(slot >> 32) == tag)
            {
                return (int)(uint)slot - 1;
            }
        }
    }

    public void Add(uint tag, int index)
    {
        if (Count * 2 >= slots.Length)
        {
            Grow();
        }

        Put(slots, SlotOf(tag, index));
        Count++;
    }

    /// <summary>Empties the entry's slot, and moves those behind it forward that its place kept from being nearer to their home.</summary>
    public void Remove(uint tag, int index)
    {
        var table = slots;
        var mask = table.Length - 1;
        var slot = SlotOf(tag, index);
        var hole = HomeOf(tag, table.Length);
        while (table[hole] != slot)
        {
            hole = (hole + 1) & mask;
        }

        for (var at = (hole + 1) & mask; table[at] != 0; at = (at + 1) & mask)
        {
            // How far the slot has come from home, against how far the hole is behind it: it may move only if it does not pass its home.
            var home = HomeOf((uint)(table[at] >> 32), table.Length);
            if (((at - home) & mask) >= ((at - hole) & mask))
            {
                table[hole] = table[at];
                hole = at;
            }
        }

        table[hole] = 0;
        Count--;
    }

    /// <summary>Empties it and keeps its memory.</summary>
    public void Clear()
    {
        Array.Clear(slots);
        Count = 0;
    }

    private void Grow()
    {
        var larger = new ulong[slots.Length * 2];
        foreach (var slot in slots)
        {
            if (slot != 0)
            {
                Put(larger, slot);
            }
        }

        slots = larger;
    }

    private static void Put(ulong[] table, ulong slot)
    {
        var mask = table.Length - 1;
        var at = HomeOf((uint)(slot >> 32), table.Length);
        while (table[at] != 0)
        {
            at = (at + 1) & mask;
        }

        table[at] = slot;
    }

    private static ulong SlotOf(uint tag, int index) => ((ulong)tag << 32) | (uint)(index + 1);

    /// <summary>Two slots an entry keep the runs short.</summary>
    private static ulong[] NewSlots(int capacity) => new ulong[BitOperations.RoundUpToPowerOf2((uint)capacity * 2)];
}
