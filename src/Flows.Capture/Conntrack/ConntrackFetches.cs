namespace Flows.Capture.Conntrack;

/// <summary>A connection whose counters are wanted now, because it ended.</summary>
internal readonly record struct ConntrackFetch(ConntrackKey Key);

/// <summary>The connections whose counters are to be asked for, in order of their ends. Bounded: beyond that the next dump or DESTROY serves.</summary>
internal sealed class ConntrackFetches(ConntrackTable table)
{
    // 64 gets go out per turn of the source's loop, so this is what some hundred turns clear.
    private const int FetchesMax = 8192;

    private readonly Queue<int> waiting = new(FetchesMax);

    /// <summary>Asks for the entry at <paramref name="index"/>, once.</summary>
    public void Want(ref ConntrackEntry entry, int index)
    {
        if (!entry.FetchWanted && waiting.Count < FetchesMax)
        {
            entry.FetchWanted = true;
            waiting.Enqueue(index);
        }
    }

    /// <summary>The next one. Passes over those whose DESTROY, and with it the counters, came meanwhile: in a backlog that is most of them.</summary>
    public bool TryTake(out ConntrackFetch fetch)
    {
        while (waiting.TryDequeue(out var index))
        {
            ref var entry = ref table[index];
            if (entry is { InUse: true, FetchWanted: true, EndReported: false })
            {
                entry.FetchWanted = false;
                fetch = new ConntrackFetch(entry.Key);
                return true;
            }
        }

        fetch = default;
        return false;
    }
}
