namespace Flows.Capture.Conntrack;

/// <summary>
/// Frees the kernel from a reader that is stuck, say in a recording on a dead disk. As the kernel keeps each ended entry until we have read its DESTROY, its
/// table would fill with the dead until it refuses connections: watching must not harm. The socket stays open; losses are counted there as ever.
/// A stopped process cannot watch itself: then the kernel keeps the ends until it goes on, up to nf_conntrack_max.
/// </summary>
internal sealed class ConntrackWatchdog : IDisposable
{
    /// <summary>
    /// So many looks in a row without a turn, 30 s: longer than any turn of a healthy loop, shorter than a busy node needs to fill its table (262,144 entries at
    /// 4,000 a second). Looks are counted, not time: after a stop of the whole process the first look comes before the first turn, and nobody was stuck.
    /// </summary>
    public const int LooksMax = 6;

    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(5);

    private readonly NetlinkSocket events;
    private readonly Lock gate = new();
    private readonly ITimer timer;
    private long turns;
    private long turnsSeen;
    private int looks;
    private volatile bool released;
    private bool disposed;

    public ConntrackWatchdog(NetlinkSocket events, TimeProvider time)
    {
        this.events = events;
        timer = time.CreateTimer(static self => ((ConntrackWatchdog)self!).Look(), this, LookEvery, LookEvery);
    }

    /// <summary>The loop turned. True when it had been given up: from now on ends are kept again, and what was lost wants a dump.</summary>
    public bool Turned()
    {
        Volatile.Write(ref turns, turns + 1);
        if (!released)
        {
            return false;
        }

        lock (gate)
        {
            released = false;
            looks = 0;
            events.KeepEnds(true);
        }

        return true;
    }

    public void Dispose()
    {
        lock (gate)
        {
            disposed = true;
        }

        timer.Dispose();
    }

    private void Look()
    {
        lock (gate)
        {
            var now = Volatile.Read(ref turns);
            looks = now == turnsSeen ? looks + 1 : 0;
            turnsSeen = now;
            if (!disposed && !released && looks >= LooksMax)
            {
                released = true;
                events.KeepEnds(false);
            }
        }
    }
}
