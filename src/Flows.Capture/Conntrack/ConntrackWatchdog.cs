namespace Flows.Capture.Conntrack;

/// <summary>
/// Frees the kernel from a reader that is stuck, say in a recording on a dead disk. As the kernel keeps each ended entry until we have read its DESTROY, its
/// table would fill with the dead until it refuses connections: watching must not harm. The socket stays open; losses are counted there as ever.
/// A stopped process cannot watch itself: then the kernel keeps the ends until it goes on, up to nf_conntrack_max.
/// </summary>
internal sealed class ConntrackWatchdog : IDisposable
{
    /// <summary>Longer than any turn of a healthy loop, shorter than a busy node needs to fill its table: 262,144 entries at 4,000 a second.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(5);

    private readonly NetlinkSocket events;
    private readonly TimeProvider time;
    private readonly Lock gate = new();
    private readonly ITimer timer;
    private long turnedAt;
    private volatile bool released;
    private bool disposed;

    public ConntrackWatchdog(NetlinkSocket events, TimeProvider time)
    {
        this.events = events;
        this.time = time;
        turnedAt = time.GetTimestamp();
        timer = time.CreateTimer(static self => ((ConntrackWatchdog)self!).Look(), this, LookEvery, LookEvery);
    }

    /// <summary>The loop turned. True when it had been given up: from now on ends are kept again, and what was lost wants a dump.</summary>
    public bool Turned()
    {
        Volatile.Write(ref turnedAt, time.GetTimestamp());
        if (!released)
        {
            return false;
        }

        lock (gate)
        {
            released = false;
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
            if (!disposed && !released && time.GetElapsedTime(Volatile.Read(ref turnedAt)) > Patience)
            {
                released = true;
                events.KeepEnds(false);
            }
        }
    }
}
