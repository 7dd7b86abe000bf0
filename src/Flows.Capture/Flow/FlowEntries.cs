namespace Flows.Capture.Flow;

/// <summary>
/// The memory of a flow table: entries that stay at their index for life, so that the wheel can link them, and an index of their keys. It grows
/// by doubling and never shrinks; places are used again.
/// </summary>
internal sealed class FlowEntries(int entriesMax)
{
    private const int CapacityFirst = 1024;

    // Sixty of a random identifier's bits: from the kernel, as those of a key, without loading a cryptographic library for them.
    private readonly ulong hashSeed = BitConverter.ToUInt64(Guid.NewGuid().ToByteArray());
    private readonly SlotIndex slots = new(CapacityFirst);
    private int free = -1;

    /// <summary>The entries by index, those not in use among them. Another array after an insertion.</summary>
    public FlowEntry[] Items { get; private set; } = new FlowEntry[Math.Min(CapacityFirst, entriesMax)];

    /// <summary>Indices below this have been in use.</summary>
    public int Reached { get; private set; }

    public int Count => slots.Count;

    public bool IsFull => Count == entriesMax;

    public uint TagOf(in FlowKey key) => (uint)(key.Hash(hashSeed) >> 32);

    /// <summary>Index of the key's entry, or -1.</summary>
    public int Find(in FlowKey key, uint tag)
    {
        var probe = 0;
        while (true)
        {
            var index = slots.Next(tag, ref probe);
            if (index < 0 || Items[index].Key.Equals(key))
            {
                return index;
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
                var larger = new FlowEntry[(int)Math.Min(Items.Length * 2L, entriesMax)];
                Items.CopyTo(larger, 0);
                Items = larger;
            }

            index = Reached++;
        }

        Items[index] = entry;
        Items[index].Tag = tag;
        slots.Add(tag, index);
        return index;
    }

    public void Remove(int index)
    {
        ref var entry = ref Items[index];
        slots.Remove(entry.Tag, index);
        entry.WheelSlot = FlowEntry.NotInUse;
        entry.WheelNext = free;
        free = index;
    }
}
