namespace Flows.Capture.Owners;

/// <summary>What tells owners apart before anyone knows their names.</summary>
/// <param name="CgroupId">The kernel's cgroup id; 0 where the process tells more.</param>
/// <param name="Uid">User id of the socket, or of the process.</param>
/// <param name="Process">Number of the kind of process in <see cref="SocketProcesses"/>; 0 where none is known.</param>
internal readonly record struct OwnerKey(ulong CgroupId, uint Uid, int Process);

/// <summary>
/// Numbers owners by what the kernel says, and keeps the id that each got once its name was found. A slot is never used twice: the oldest owner makes room
/// for a new one, and gets another slot if it comes again. Thread safe.
/// </summary>
internal sealed class OwnerTable : IDisposable
{
    // Owners in use at once: units, users and hostNetwork pods of a node are some hundred. A power of two.
    private const int Capacity = 32_768;

    private readonly Lock gate = new();
    private readonly Dictionary<OwnerKey, int> slots = [];
    private readonly Entry[] ring = new Entry[Capacity];
    private readonly Queue<int> unnamed = new();
    private int last;

    /// <summary>Set when an owner waits for its name.</summary>
    public AutoResetEvent Unnamed { get; } = new(false);

    /// <summary>The owner's slot, above 0. A new one waits for its name.</summary>
    public int SlotOf(in OwnerKey key)
    {
        lock (gate)
        {
            if (slots.TryGetValue(key, out var slot))
            {
                return slot;
            }

            last = last == int.MaxValue ? 1 : last + 1;
            ref var entry = ref ring[last & (Capacity - 1)];
            if (entry.Slot != 0)
            {
                slots.Remove(entry.Key);
            }

            entry = new Entry { Slot = last, Key = key };
            slots.Add(key, last);
            unnamed.Enqueue(last);
            Unnamed.Set();
            return last;
        }
    }

    /// <summary>The owner id; 0 while it has no name yet, and for a slot that made room.</summary>
    public ulong IdOf(int slot)
    {
        lock (gate)
        {
            ref var entry = ref ring[slot & (Capacity - 1)];
            return entry.Slot == slot ? entry.Id : 0;
        }
    }

    /// <summary>Takes the next owner that has no name.</summary>
    public bool TryTakeUnnamed(out int slot, out OwnerKey key)
    {
        lock (gate)
        {
            while (unnamed.TryDequeue(out slot))
            {
                ref var entry = ref ring[slot & (Capacity - 1)];
                if (entry.Slot == slot)
                {
                    key = entry.Key;
                    return true;
                }
            }
        }

        key = default;
        return false;
    }

    /// <summary>The name could not be found yet: ask again.</summary>
    public void PutBack(int slot)
    {
        lock (gate)
        {
            unnamed.Enqueue(slot);
        }
    }

    public void Name(int slot, ulong id)
    {
        lock (gate)
        {
            ref var entry = ref ring[slot & (Capacity - 1)];
            if (entry.Slot == slot)
            {
                entry.Id = id;
            }
        }
    }

    public void Dispose() => Unnamed.Dispose();

    private struct Entry
    {
        public int Slot;
        public OwnerKey Key;
        public ulong Id;
    }
}
