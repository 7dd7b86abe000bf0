namespace Flows.Transport;

/// <summary>
/// The rows of each record that waits in a log, in the log's order: what the books of a hop call in flight. Thread safe.
/// </summary>
internal sealed class PendingRows
{
    private readonly Queue<(ulong Sequence, int Rows)> waiting = new();

    /// <summary>Rows that wait now.</summary>
    public long Total()
    {
        lock (waiting)
        {
            return waiting.Sum(record => (long)record.Rows);
        }
    }

    public void Add(ulong sequence, int rows)
    {
        lock (waiting)
        {
            waiting.Enqueue((sequence, rows));
        }
    }

    /// <summary>Takes out the records before the sequence and returns their rows.</summary>
    public long TakeBefore(ulong sequence)
    {
        lock (waiting)
        {
            var rows = 0L;
            while (waiting.TryPeek(out var oldest) && oldest.Sequence < sequence)
            {
                rows += waiting.Dequeue().Rows;
            }

            return rows;
        }
    }
}
