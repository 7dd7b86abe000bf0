using Flows.Core;

namespace Flows.Capture.Tracking;

/// <summary>
/// Entries by the second in which they are to be looked at. A packet moves nothing here: an entry that is found before its time is
/// scheduled anew, so tracking costs no list work per packet.
/// </summary>
internal sealed class ExpiryWheel
{
    // Longer deadlines come round more than once; 1,024 s covers every default.
    private const int Slots = 1024;

    private readonly int[] heads = new int[Slots];
    private long second = -1;

    public ExpiryWheel() => Array.Fill(heads, -1);

    /// <summary>Puts an entry that is in no slot into the slot of its deadline, or a later one.</summary>
    public void Schedule(FlowEntry[] entries, int at, long deadlineUs)
    {
        var due = Math.Clamp((deadlineUs / UnixTime.Second) + 1, second + 1, second + Slots - 1);
        ref var head = ref heads[due % Slots];
        entries[at].Next = head;
        head = at;
    }

    /// <summary>Takes one entry out of a slot that the clock has reached.</summary>
    public bool TryTakeDue(FlowEntry[] entries, long nowUs, out int at)
    {
        var now = nowUs / UnixTime.Second;
        if (second < 0 || now - second > Slots)
        {
            // At the start, or after a gap of more than a turn: every slot is due once.
            second = Math.Max(second, now - Slots);
        }

        while (true)
        {
            ref var head = ref heads[second % Slots];
            if (head >= 0)
            {
                at = head;
                head = entries[at].Next;
                return true;
            }

            if (second >= now)
            {
                at = -1;
                return false;
            }

            second++;
        }
    }

    /// <summary>Takes the entry that would be looked at first. There must be one.</summary>
    public int TakeEarliest(FlowEntry[] entries)
    {
        var slot = Math.Max(second, 0);
        while (heads[slot % Slots] < 0)
        {
            slot++;
        }

        var at = heads[slot % Slots];
        heads[slot % Slots] = entries[at].Next;
        return at;
    }

    public void Clear() => Array.Fill(heads, -1);
}
