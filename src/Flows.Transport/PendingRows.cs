namespace Flows.Transport;

/// <summary>
/// The rows of each record that waits in a log: what the books of a hop call in flight. Thread safe.
/// </summary>
internal sealed class PendingRows
{
    private readonly SortedDictionary<ulong, int> waiting = [];

    /// <summary>Rows that wait now.</summary>
    public long Total()
    {
        lock (waiting)
        {
            return waiting.Values.Sum(rows => (long)rows);
        }
    }

    public void Add(ulong sequence, int rows)
    {
        lock (waiting)
        {
            waiting[sequence] = rows;
        }
    }

    /// <summary>Takes out the records before the sequence and returns their rows.</summary>
    public long TakeBefore(ulong sequence)
    {
        lock (waiting)
        {
            return Take(waiting.Keys.TakeWhile(key => key < sequence).ToList());
        }
    }

    /// <summary>Takes out the records of a range that are not among the good ones, and returns their rows.</summary>
    public long TakeMissing(ulong from, ulong before, IReadOnlySet<ulong> good)
    {
        lock (waiting)
        {
            return Take(waiting.Keys.TakeWhile(key => key < before).Where(key => key >= from && !good.Contains(key)).ToList());
        }
    }

    private long Take(List<ulong> sequences)
    {
        var rows = 0L;
        foreach (var sequence in sequences)
        {
            waiting.Remove(sequence, out var taken);
            rows += taken;
        }

        return rows;
    }
}
