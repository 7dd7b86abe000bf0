namespace Flows.Capture.Flow;

/// <summary>
/// A timer wheel over the table's entries: slots of about a second, each a doubly linked list through the entries themselves.
/// A packet does not touch it: an entry is looked at when its slot comes round, and moves on if it has been active meanwhile.
/// </summary>
internal sealed class ExpiryWheel
{
    /// <summary>2^20 µs, about a second, so that a time becomes a slot by shifting.</summary>
    private const int TickShift = 20;

    /// <summary>512 ticks, 537 s, are more than the longest default timeout; a later deadline is looked at early and moves on. A power of two.</summary>
    private const int Slots = 512;

    private readonly int[] heads = new int[Slots];
    private long tick = -1;

    public ExpiryWheel() => Array.Fill(heads, -1);

    private static long TickOf(long timeUs) => timeUs >> TickShift;

    /// <summary>True when the time lies in a later tick than any before: then the due slots are to be visited.</summary>
    public bool IsBehind(long timeUs) => TickOf(timeUs) > tick;

    /// <summary>Moves to the time's tick. The slots from <paramref name="first"/> to <paramref name="last"/> are now due, at most one turn of them.</summary>
    public void MoveTo(long timeUs, out long first, out long last)
    {
        last = TickOf(timeUs);
        first = Math.Max(tick, last - Slots) + 1;
        tick = last;
    }

    /// <summary>Empties the slot of a tick and returns the first of its entries, linked by WheelNext; -1 for none.</summary>
    public int Take(long dueTick)
    {
        var slot = (int)(dueTick & (Slots - 1));
        var head = heads[slot];
        heads[slot] = -1;
        return head;
    }

    public void Add(FlowEntry[] entries, int index, long dueUs)
    {
        // One tick past the deadline: when the slot is taken, the deadline has passed.
        var due = Math.Clamp(TickOf(dueUs) + 1, tick + 1, tick + Slots - 1);
        var slot = (int)(due & (Slots - 1));
        ref var entry = ref entries[index];
        entry.WheelSlot = (short)slot;
        entry.WheelPrevious = -1;
        entry.WheelNext = heads[slot];
        if (entry.WheelNext >= 0)
        {
            entries[entry.WheelNext].WheelPrevious = index;
        }

        heads[slot] = index;
    }

    public void Remove(FlowEntry[] entries, int index)
    {
        ref var entry = ref entries[index];
        if (entry.WheelPrevious >= 0)
        {
            entries[entry.WheelPrevious].WheelNext = entry.WheelNext;
        }
        else
        {
            heads[entry.WheelSlot] = entry.WheelNext;
        }

        if (entry.WheelNext >= 0)
        {
            entries[entry.WheelNext].WheelPrevious = entry.WheelPrevious;
        }
    }

    /// <summary>The entry whose look-up comes next: the best one to give up when the table is full; -1 for an empty wheel.</summary>
    public int Nearest()
    {
        for (var ahead = 1; ahead <= Slots; ahead++)
        {
            var head = heads[(int)((tick + ahead) & (Slots - 1))];
            if (head >= 0)
            {
                return head;
            }
        }

        return -1;
    }
}
