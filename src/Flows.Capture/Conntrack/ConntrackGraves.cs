using Flows.Capture.Flow;

namespace Flows.Capture.Conntrack;

/// <summary>
/// Remembers the entries that ended lately, so that neither a dump answer that was on its way (it raises the dead) nor a DESTROY that the
/// kernel repeats, because another listener missed it, makes a second connection of one; and so that a late answer is not taken for a question.
/// Bounded: the oldest makes room. Tuples are known by the table's 64-bit hash of them, which is under a secret seed: two among so few meet by chance once
/// in a hundred billion tables.
/// </summary>
internal sealed class ConntrackGraves
{
    // A dump answer is at most one receive buffer older than the events read before it, some hundred events; this is far more.
    private const int Capacity = 16_384;

    private readonly int[] buckets = new int[Capacity];
    private readonly Grave[] ring = new Grave[Capacity];
    private int next;

    public ConntrackGraves() => Array.Fill(buckets, -1);

    /// <summary>Remembers the end of the connection whose original tuple hashes to <paramref name="hash"/>.</summary>
    public void Bury(ulong hash, in ConntrackMessage message, long timeUs)
    {
        ref var grave = ref ring[next];
        if (grave.InUse)
        {
            Unlink(next);
        }

        ref var bucket = ref BucketOf(hash);
        grave = new Grave { Hash = hash, Id = message.Id, Life = LifeOf(in message), TimeUs = timeUs, Next = bucket, InUse = true };
        bucket = next;
        next = (next + 1) % Capacity;
    }

    /// <summary>The entry was destroyed at or after <paramref name="sinceUs"/>.</summary>
    public bool Holds(ulong hash, uint id, long sinceUs)
    {
        var index = Find(hash);
        return index >= 0 && ring[index].Id == id && ring[index].TimeUs >= sinceUs;
    }

    /// <summary>Any entry of the tuple is remembered.</summary>
    public bool Holds(ulong hash) => Find(hash) >= 0;

    /// <summary>This very DESTROY was seen before, at or after <paramref name="sinceUs"/>.</summary>
    public bool HoldsSame(ulong hash, in ConntrackMessage message, long sinceUs)
    {
        var index = Find(hash);
        return index >= 0 && ring[index].Id == message.Id && ring[index].TimeUs >= sinceUs && ring[index].Life == LifeOf(in message);
    }

    /// <summary>The tuple lives again.</summary>
    public void Forget(ulong hash)
    {
        for (var index = Find(hash); index >= 0; index = Find(hash))
        {
            Unlink(index);
            ring[index].InUse = false;
        }
    }

    private int Find(ulong hash)
    {
        var index = BucketOf(hash);
        while (index >= 0 && ring[index].Hash != hash)
        {
            index = ring[index].Next;
        }

        return index;
    }

    private void Unlink(int index)
    {
        ref var link = ref BucketOf(ring[index].Hash);
        while (link != index)
        {
            link = ref ring[link].Next;
        }

        link = ring[index].Next;
    }

    private ref int BucketOf(ulong hash) => ref buckets[(int)(hash & (Capacity - 1))];

    /// <summary>Tells lives of one entry apart: the kernel uses tuple and id again at once.</summary>
    private static ulong LifeOf(in ConntrackMessage message)
    {
        var counters = message.Counters;
        var life = Mix.Fold(message.StartNs, counters.OrigPackets ^ (counters.ReplyPackets << 32));
        return Mix.Fold(life ^ counters.OrigBytes, counters.ReplyBytes);
    }

    private struct Grave
    {
        public ulong Hash;
        public ulong Life;
        public long TimeUs;
        public uint Id;
        public int Next;
        public bool InUse;
    }
}
