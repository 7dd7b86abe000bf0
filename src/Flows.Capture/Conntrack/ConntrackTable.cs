using System.Numerics;
using System.Security.Cryptography;
using Flows.Capture.Flow;

namespace Flows.Capture.Conntrack;

/// <summary>
/// The memory of the tracker: a hash table of living connections by zone and original tuple. Entries lie in chunks that never move, so growth copies
/// nothing, leaves no garbage behind, and a reference stays good until its entry is removed. It never shrinks; places are used again.
/// </summary>
internal sealed class ConntrackTable
{
    // 4,096 entries of 216 bytes are 0.9 MB a chunk: small beside a full table, and few enough chunks to find by a shift.
    private const int ChunkBits = 12;
    private const int ChunkLength = 1 << ChunkBits;
    private const int BucketsFirst = 8192;

    private readonly ulong hashSeed = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong)));
    private ConntrackEntry[][] chunks = new ConntrackEntry[16][];
    private int[] buckets = NewBuckets(BucketsFirst);
    private int free = -1;

    /// <summary>Most entries at once.</summary>
    public int EntriesMax { get; set; } = 262_144;

    public int Count { get; private set; }

    public bool IsFull => Count >= EntriesMax;

    /// <summary>Indices below this have been in use; <see cref="ConntrackEntry.InUse"/> tells which are.</summary>
    public int Reached { get; private set; }

    public ref ConntrackEntry this[int index] => ref chunks[index >> ChunkBits][index & (ChunkLength - 1)];

    /// <summary>A hash under a secret seed, so that strangers cannot choose connections that share a bucket.</summary>
    public ulong HashOf(in ConntrackTuple tuple, ushort zone)
    {
        var rest = ((ulong)tuple.SrcPort << 48) | ((ulong)tuple.DstPort << 32) | ((ulong)zone << 16) | tuple.Protocol;
        var hash = Mix.Fold(tuple.Src.Low ^ hashSeed, tuple.Dst.Low ^ rest);
        return Mix.Fold(hash ^ tuple.Src.High, tuple.Dst.High ^ hashSeed ^ tuple.IcmpTypeCode);
    }

    /// <summary>Index of the connection's entry, or -1.</summary>
    public int Find(in ConntrackTuple orig, ushort zone, ulong hash)
    {
        var index = BucketOf(hash);
        while (index >= 0)
        {
            ref readonly var entry = ref this[index];
            if (entry.Zone == zone && entry.Orig.IsSame(in orig))
            {
                break;
            }

            index = entry.Next;
        }

        return index;
    }

    /// <summary>Places an entry whose connection is not in the table yet. The table is not full.</summary>
    public int Insert(in ConntrackEntry entry, ulong hash)
    {
        var index = free;
        if (index >= 0)
        {
            free = this[index].Next;
        }
        else
        {
            index = Reached++;
            Reserve(index);
        }

        ref var place = ref this[index];
        place = entry;
        place.InUse = true;
        Link(ref place, index, hash);
        Count++;
        return index;
    }

    public void Remove(int index)
    {
        ref var entry = ref this[index];
        ref var link = ref BucketOf(HashOf(in entry.Orig, entry.Zone));
        while (link != index)
        {
            link = ref this[link].Next;
        }

        link = entry.Next;
        entry.InUse = false;
        entry.Next = free;
        free = index;
        Count--;
    }

    /// <summary>Empties the table and keeps its memory.</summary>
    public void Clear()
    {
        Array.Fill(buckets, -1);
        free = -1;
        Count = 0;
        Reached = 0;
    }

    private void Reserve(int index)
    {
        var chunk = index >> ChunkBits;
        if (chunk == chunks.Length)
        {
            Array.Resize(ref chunks, chunks.Length * 2);
        }

        chunks[chunk] ??= new ConntrackEntry[ChunkLength];
        if (index < buckets.Length)
        {
            return;
        }

        buckets = NewBuckets(buckets.Length * 2);
        for (var old = 0; old < index; old++)
        {
            ref var entry = ref this[old];
            if (entry.InUse)
            {
                Link(ref entry, old, HashOf(in entry.Orig, entry.Zone));
            }
        }
    }

    private void Link(ref ConntrackEntry entry, int index, ulong hash)
    {
        ref var bucket = ref BucketOf(hash);
        entry.Next = bucket;
        bucket = index;
    }

    private ref int BucketOf(ulong hash) => ref buckets[(int)(hash & (uint)(buckets.Length - 1))];

    private static int[] NewBuckets(int count)
    {
        var fresh = new int[BitOperations.RoundUpToPowerOf2((uint)count)];
        Array.Fill(fresh, -1);
        return fresh;
    }
}
