using System.Numerics;

namespace Flows.Capture.Flow;

/// <summary>
/// The memory of a flow table: an open-addressing hash table of small slots (linear probing, deletion by shifting back), beside the entries,
/// which stay at their index for life so that the wheel can link them. It grows by doubling and never shrinks; places are used again.
/// </summary>
internal sealed class FlowEntries(int entriesMax)
{
    private const int CapacityFirst = 1024;

    // Sixty of a random identifier's bits: from the kernel, as those of a key, without loading a cryptographic library for them.
    private readonly ulong hashSeed = BitConverter.ToUInt64(Guid.NewGuid().ToByteArray());

    // A slot is the upper half of the key's hash and, below, the entry's index + 1; 0 is empty. The tag tells nearly every other key apart
    // without a look at its entry, and says where the slot's key would like to be, so that shifting and growing need no entry either.
    private ulong[] slots = NewSlots(CapacityFirst);
    private int free = -1;

    /// <summary>The entries by index, those not in use among them. Another array after an insertion.</summary>
    public FlowEntry[] Items { get; private set; } = new FlowEntry[Math.Min(CapacityFirst, entriesMax)];

    /// <summary>Indices below this have been in use.</summary>
    public int Reached { get; private set; }

    public int Count { get; private set; }

    public bool IsFull => Count == entriesMax;

    public uint TagOf(in FlowKey key) => (uint)(key.Hash(hashSeed) >> 32);

    /// <summary>Index of the key's entry, or -1.</summary>
    public int Find(in FlowKey key, uint tag)
    {
        var table = slots;
        var mask = table.Length - 1;
        for (var at = HomeOf(tag, table.Length); ; at = (at + 1) & mask)
        {
            var slot = table[at];
            if (slot == 0)
            {
                return -1;
            }

            if ((uint)(slot >> 32) == tag && Items[IndexIn(slot)].Key.Equals(key))
            {
                return IndexIn(slot);
            }
        }
    }

    /// <summary>Places an entry whose key is not in the table yet, and returns its index. The table is not full.</summary>
    public int Insert(in FlowEntry entry, uint tag)
    {
        var index = free;
        if (index >= 0)
        {
            free = Items[index].WheelNext;
        }
        else
        {
            if (Reached == Items.Length)
            {
                Grow();
            }

            index = Reached++;
        }

        Items[index] = entry;
        Items[index].Tag = tag;
        Put(slots, ((ulong)tag << 32) | (uint)(index + 1));
        Count++;
        return index;
    }

    public void Remove(int index)
    {
        ref var entry = ref Items[index];
        Take(((ulong)entry.Tag << 32) | (uint)(index + 1));
        entry.WheelSlot = FlowEntry.NotInUse;
        entry.WheelNext = free;
        free = index;
        Count--;
    }

    /// <summary>Empties a slot, and moves those behind it forward that its place kept from being nearer to their home.</summary>
    private void Take(ulong slot)
    {
        var table = slots;
        var mask = table.Length - 1;
        var hole = HomeOf((uint)(slot >> 32), table.Length);
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
    }

    private void Grow()
    {
        var larger = new FlowEntry[(int)Math.Min(Items.Length * 2L, entriesMax)];
        Items.CopyTo(larger, 0);
        Items = larger;
        var table = NewSlots(larger.Length);
        foreach (var slot in slots)
        {
            if (slot != 0)
            {
                Put(table, slot);
            }
        }

        slots = table;
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

    /// <summary>The tag's upper bits, so that growing keeps neighbours together. The table's length is a power of two up to 2^32.</summary>
    private static int HomeOf(uint tag, int length) => (int)(((ulong)tag * (uint)length) >> 32);

    private static int IndexIn(ulong slot) => (int)(uint)slot - 1;

    /// <summary>Two slots an entry keep the runs short; a slot is 8 bytes, an entry 128.</summary>
    private static ulong[] NewSlots(int capacity) => new ulong[BitOperations.RoundUpToPowerOf2((uint)capacity * 2)];
}
