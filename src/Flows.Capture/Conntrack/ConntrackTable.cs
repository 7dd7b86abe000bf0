using System.Security.Cryptography;
using Flows.Capture.Flow;

namespace Flows.Capture.Conntrack;

/// <summary>
/// The memory of the tracker: living connections by zone and original tuple. Entries lie in chunks that never move, so growth copies
/// no entry, and a reference stays good until its entry is removed. It never shrinks; places are used again.
/// </summary>
internal sealed class ConntrackTable
{
    // 4,096 entries of 216 bytes are 0.9 MB a chunk: small beside a full table, and few enough chunks to find by a shift.
    private const int ChunkBits = 12;
    private const int ChunkLength = 1 << ChunkBits;

    private readonly ulong hashSeed = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong)));
    private readonly SlotIndex slots = new(ChunkLength);
    private ConntrackEntry[][] chunks = new ConntrackEntry[16][];
    private int free = -1;

    /// <summary>Most entries at once.</summary>
    public int EntriesMax { get; set; } = 262_144;

    public int Count => slots.Count;

    public bool IsFull => Count >= EntriesMax;

    /// <summary>Indices below this have been in use; <see cref="ConntrackEntry.InUse"/> tells which are.</summary>
    public int Reached { get; private set; }

    public ref ConntrackEntry this[int index] => ref chunks[index >> ChunkBits][index & (ChunkLength - 1)];

    /// <summary>A hash under a secret seed, so that strangers cannot choose connections that lie in one place.</summary>
    public ulong HashOf(in ConntrackTuple tuple, ushort zone)
    {
        var rest = ((ulong)tuple.SrcPort << 48) | ((ulong)tuple.DstPort << 32) | ((ulong)zone << 16) | tuple.Protocol;
        var hash = Mix.Fold(tuple.Src.Low ^ hashSeed, tuple.Dst.Low ^ rest);
        return Mix.Fold(hash ^ tuple.Src.High, tuple.Dst.High ^ hashSeed ^ tuple.IcmpTypeCode);
    }

    /// <summary>Index of the connection's entry, or -1.</summary>
    public int Find(in ConntrackTuple orig, ushort zone, ulong hash)
    {
        var probe = 0;
        while (true)
        {
            var index = slots.Next(TagOf(hash), ref probe);
            if (index < 0)
            {
                return -1;
            }

            ref readonly var entry = ref this[index];
            if (entry.Zone == zone && entry.Orig.IsSame(in orig))
            {
                return index;
            }
        }
    }

    /// <summary>Places an entry whose connection is not in the table yet. The table is not full.</summary>
    public int Insert(in ConntrackEntry entry, ulong hash)
    {
        var index = free;
        if (index >= 0)
        {
            free = this[index].NextFree;
        }
        else
        {
            index = Reached++;
            Reserve(index >> ChunkBits);
        }

        ref var place = ref this[index];
        place = entry;
        place.Tag = TagOf(hash);
        place.InUse = true;
        slots.Add(place.Tag, index);
        return index;
    }

    public void Remove(int index)
    {
        ref var entry = ref this[index];
        slots.Remove(entry.Tag, index);
        entry.InUse = false;
        entry.NextFree = free;
        free = index;
    }

    /// <summary>Empties the table and keeps its memory.</summary>
    public void Clear()
    {
        slots.Clear();
        free = -1;
        Reached = 0;
    }

    private void Reserve(int chunk)
    {
        if (chunk == chunks.Length)
        {
            Array.Resize(ref chunks, chunks.Length * 2);
        }

        chunks[chunk] ??= new ConntrackEntry[ChunkLength];
    }

    private static uint TagOf(ulong hash) => (uint)(hash >> 32);
}
