namespace Flows.FakeCluster;

/// <summary>What goes wrong, by order of a test. All may be changed while the server runs.</summary>
public sealed class FakeFaults
{
    private TaskCompletionSource hole = Done();
    private int lists;

    /// <summary>Objects a page at most, whatever the client asks for; 0 for no limit.</summary>
    public int PageMax { get; set; }

    /// <summary>Bookmarks come so often. Real servers: about a minute.</summary>
    public TimeSpan BookmarkEvery { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>Ends each watch after so long, whatever the client asked for.</summary>
    public TimeSpan? CloseWatchAfter { get; set; }

    /// <summary>How many continue tokens will be answered with 410.</summary>
    public int ExpireContinues { get; set; }

    /// <summary>How many watches will begin with an ERROR event of 410.</summary>
    public int ExpireWatches { get; set; }

    /// <summary>Answers this status for the resource so many times: by name.</summary>
    public Dictionary<string, (int Status, int Times)> Refuse { get; } = [];

    /// <summary>Sends the whole object where metadata alone was asked for.</summary>
    public bool NoPartialMetadata { get; set; }

    /// <summary>Tells every event so many times more.</summary>
    public int Duplicates { get; set; }

    /// <summary>A body that ends within an object, so many times.</summary>
    public int CutLists { get; set; }

    /// <summary>Pages of lists answered since the start.</summary>
    public int Lists => Volatile.Read(ref lists);

    /// <summary>From now on nothing is answered any more, and nothing closed.</summary>
    public void BlackHole() => hole = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Answers again.</summary>
    public void Heal() => hole.TrySetResult();

    /// <summary>Completes unless in a black hole.</summary>
    internal Task Hole => hole.Task;

    internal void CountList() => Interlocked.Increment(ref lists);

    internal bool Take(Func<FakeFaults, int> count, Action<FakeFaults, int> set)
    {
        lock (this)
        {
            var left = count(this);
            if (left > 0)
            {
                set(this, left - 1);
            }

            return left > 0;
        }
    }

    internal int? Refused(string resource)
    {
        lock (Refuse)
        {
            if (!Refuse.TryGetValue(resource, out var refusal) || refusal.Times <= 0)
            {
                return null;
            }

            Refuse[resource] = refusal with { Times = refusal.Times - 1 };
            return refusal.Status;
        }
    }

    private static TaskCompletionSource Done()
    {
        var done = new TaskCompletionSource();
        done.SetResult();
        return done;
    }
}
