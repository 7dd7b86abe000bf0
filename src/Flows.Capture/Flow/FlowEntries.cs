using System.Numerics;
using System.Security.Cryptography;

namespace Flows.Capture.Flow;

/// <summary>
/// The memory of a flow table: a bounded hash table whose entries stay at their index for life, so that the wheel can link them.
/// It grows by doubling and never shrinks; places are used again.
/// </summary>
internal sealed class FlowEntries(int entriesMax)
{
    private const int CapacityFirst = 1024;

    private readonly ulong hashSeed = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong)));
    private int[] buckets = NewBuckets(CapacityFirst);
    private int free = -1;

    /// <summary>The entries by index, those not in use among them. Another array after an insertion.</summary>
    public FlowEntry[] Items { get; private set; } = new FlowEntry[Math.Min(CapacityFirst, entriesMax)];

    /// <summary>Indices below this have been in use.</summary>
    public int Reached { get; private set; }

    public int Count { get; private set; }

    public bool IsFull => Count == entriesMax;

    public ulong HashOf(in FlowKey key) => key.Hash(hashSeed);

    /// <summary>Index of the key's entry, or -1.</summary>
    public int Find(in FlowKey key, ulong hash)
    {
        var items = Items;
        var index = BucketOf(hash);
        while (index >= 0 && !items[index].Key.Equals(key))
        {
            index = items[index].Next;
        }

        return index;
    }

    /// <summary>Places an entry whose key is not in the table yet, and returns its index. The table is not full.</summary>
    public int Insert(in FlowEntry entry, ulong hash)
    {
        var index = free;
        if (index >= 0)
        {
            free = Items[index].Next;
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
        Link(index, hash);
        Count++;
        return index;
    }

    public void Remove(int index)
    {
        ref var entry = ref Items[index];
        ref var link = ref BucketOf(HashOf(in entry.Key));
        while (link != index)
        {
            link = ref Items[link].Next;
        }

        link = entry.Next;
        entry.WheelSlot = FlowEntry.NotInUse;
        entry.Next = free;
        free = index;
        Count--;
    }

    private void Grow()
    {
        var larger = new FlowEntry[(int)Math.Min(Items.Length * 2L, entriesMax)];
        Items.CopyTo(larger, 0);
        Items = larger;
        buckets = NewBuckets(larger.Length);
        for (var index = 0; index < Reached; index++)
        {
            Link(index, HashOf(in larger[index].Key));
        }
    }

    private void Link(int index, ulong hash)
    {
        ref var bucket = ref BucketOf(hash);
        Items[index].Next = bucket;
        bucket = index;
    }

    private ref int BucketOf(ulong hash) => ref buckets[(int)(hash & (uint)(buckets.Length - 1))];

    /// <summary>Two buckets an entry keep the chains short; a bucket is 4 bytes, an entry 128.</summary>
    private static int[] NewBuckets(int capacity)
    {
        var fresh = new int[BitOperations.RoundUpToPowerOf2((uint)capacity * 2)];
        Array.Fill(fresh, -1);
        return fresh;
    }
}
