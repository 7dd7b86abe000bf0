namespace Flows.Capture.Live;

/// <summary>
/// The open captures: opens one for each interface that fits and is up, as long as the ring budget lasts, closes those of interfaces that went away, and
/// opens again after a fault. One thread owns it.
/// </summary>
internal sealed class CaptureSet(InterfaceSourceOptions options, InterfacePatterns patterns, CaptureSink sink, LinkMonitor links)
{
    /// <summary>Packets taken of one interface before another's older ones have their turn.</summary>
    private const int Slice = 64;

    // An interface that is back is captured again within 5 s: attempts are a half, one, and then two seconds apart. The first is after the old ring was read.
    private const int RetryFirstMs = 500;
    private const int RetryDoublings = 2;

    private readonly RingBudget budget = new(options.RingBytes, patterns.Names, patterns.HasGlobs);
    private readonly bool[] observers = new bool[RingBudget.HandlesMax + 1];
    private readonly List<CaptureHandle> open = [];

    // A successor takes over on the same interface; it is not read before the handle is closed, but its ring fills meanwhile.
    private readonly List<(CaptureHandle Handle, long CloseAtMs, CaptureHandle? Successor)> leaving = [];

    private int lastObserver;
    private long retryAtMs = long.MaxValue;

    /// <summary>The captures to poll; those that await their end among them.</summary>
    public IReadOnlyList<CaptureHandle> Open => open;

    /// <summary>True once an interface could not be opened for want of privilege.</summary>
    public bool IsForbidden { get; private set; }

    /// <summary>How long a capture that ends is still read: the kernel hands over what it gathered within one read timeout.</summary>
    private long LingerMs => 2 * (long)options.ReadTimeout.TotalMilliseconds;

    /// <summary>Makes the captures follow the interfaces; opens at most one of them, so that the others' rings are read in between. False when no more is to be done.</summary>
    public bool Follow(long nowMs)
    {
        while (links.Gone.TryDequeue(out var gone))
        {
            Leave(gone, nowMs);
        }

        CloseThoseThatLeft(nowMs);
        if (!links.HasChanged && nowMs < retryAtMs)
        {
            return false;
        }

        var next = NextToOpen(nowMs);
        links.HasChanged = next is not null;
        if (next is not null)
        {
            OpenOne(next, nowMs);
        }

        return next is not null;
    }

    /// <summary>Tracks packets that wait, the interface that is furthest behind first. False when as many as allowed were taken and more may wait.</summary>
    public bool TakePackets(int packetsMax, long nowMs)
    {
        for (var left = packetsMax; left > 0;)
        {
            var handle = FurthestBehind();
            if (handle is null)
            {
                return true;
            }

            var taken = handle.Take(Slice);
            if (taken < 0)
            {
                Fail(handle, nowMs);
                continue;
            }

            handle.IsReady = taken == Slice;
            left -= taken;
        }

        return FurthestBehind() is null;
    }

    public void CountDrops()
    {
        foreach (var handle in open)
        {
            handle.CountDrops();
        }
    }

    public void CloseAll()
    {
        foreach (var handle in open)
        {
            handle.Close();
        }

        foreach (var (_, _, successor) in leaving)
        {
            successor?.Close();
        }

        open.Clear();
        leaving.Clear();
    }

    private CaptureHandle? FurthestBehind()
    {
        CaptureHandle? behind = null;
        foreach (var handle in open)
        {
            if (handle.IsReady && (behind is null || handle.LastUs < behind.LastUs))
            {
                behind = handle;
            }
        }

        return behind;
    }

    private WatchedLink? NextToOpen(long nowMs)
    {
        WatchedLink? next = null;
        retryAtMs = long.MaxValue;
        foreach (var link in links.Links.Values)
        {
            if (link.Handle is { } handle)
            {
                handle.Name = link.Name;
            }
            else if (link.WaitsForRoom)
            {
                continue;
            }
            else if (link.IsUp && link.RetryAtMs > nowMs)
            {
                retryAtMs = Math.Min(retryAtMs, link.RetryAtMs);
            }
            else if (link.IsUp && (next is null || (link.Pattern, link.Index).CompareTo((next.Pattern, next.Index)) < 0))
            {
                next = link;
            }
        }

        return next;
    }

    private void OpenOne(WatchedLink link, long nowMs)
    {
        var isName = link.Pattern < patterns.Names;
        var wanted = links.Links.Values.Count(one => one.IsUp);
        var ringBytes = budget.Take(wanted, NamesNotOpen() - (isName ? 1 : 0));
        if (ringBytes == 0 && ShrinkLargest(nowMs))
        {
            ringBytes = budget.Take(wanted, NamesNotOpen() - (isName ? 1 : 0));
        }

        link.WaitsForRoom = ringBytes == 0;
        if (link.WaitsForRoom)
        {
            link.Problem = $"the ring budget of {options.RingBytes >> 20} MiB is spent on {budget.Handles} interfaces; raise --ring-mib";
            return;
        }

        link.Handle = CaptureHandle.Open(sink, link, TakeObserver(), ringBytes, options, out var isForbidden, out var problem);
        link.Problem = problem;
        IsForbidden |= isForbidden;
        if (link.Handle is null)
        {
            observers[lastObserver] = false;
            budget.Return(ringBytes);
            Retry(link, nowMs);
            return;
        }

        link.Failures = 0;
        open.Add(link.Handle);
    }

    /// <summary>
    /// Gives half of the largest ring back. The new ring is open before the old one is closed, and is read from where the old one ended, so nothing is
    /// missed; of two views of the last packet a microsecond apart both may count. For two read timeouts both rings exist, above the budget.
    /// </summary>
    private bool ShrinkLargest(long nowMs)
    {
        WatchedLink? largest = null;
        foreach (var link in links.Links.Values)
        {
            var mayShrink = link.Handle is { } one && open.Contains(one) && one.RingBytes > (largest?.Handle?.RingBytes ?? 0);
            largest = mayShrink ? link : largest;
        }

        if (largest?.Handle is not { } old || budget.Halved(old.RingBytes) is not (> 0 and var smaller))
        {
            return false;
        }

        var fresh = CaptureHandle.Open(sink, largest, old.Observer, smaller, options, out _, out _);
        if (fresh is null)
        {
            return false;
        }

        old.Freeze();
        leaving.Add((old, nowMs + LingerMs, fresh));
        budget.Replace(old.RingBytes, smaller);
        largest.Handle = fresh;
        return true;
    }

    /// <summary>The ring of an interface that went away is read for a while.</summary>
    private void Leave(WatchedLink link, long nowMs)
    {
        if (link.Handle is { } handle)
        {
            link.Handle = null;
            leaving.Add((handle, nowMs + LingerMs, null));
        }
    }

    private void CloseThoseThatLeft(long nowMs)
    {
        for (var index = 0; index < leaving.Count;)
        {
            if (nowMs >= leaving[index].CloseAtMs && !leaving[index].Handle.IsReady)
            {
                CloseLeaving(index);
            }
            else
            {
                index++;
            }
        }
    }

    private void CloseLeaving(int index)
    {
        var (handle, _, successor) = leaving[index];
        leaving.RemoveAt(index);
        while (handle.Take(Slice) > 0)
        {
            // Nothing more comes in, so the ring has an end. It is read even after a fault: libpcap complains only where it would have to wait.
        }

        if (successor is null)
        {
            Close(handle);
            return;
        }

        handle.Close();
        successor.SkipUntil(handle.LastUs);
        successor.IsReady = true;
        open[open.IndexOf(handle)] = successor;
    }

    /// <summary>
    /// libpcap reports an interface that went away before its last block of packets is in the ring, so a handle that failed is read once more at its end.
    /// </summary>
    private void Fail(CaptureHandle handle, long nowMs)
    {
        handle.IsReady = false;
        handle.IsBroken = true;
        if (leaving.Exists(one => one.Handle == handle))
        {
            return;
        }

        leaving.Add((handle, nowMs + LingerMs, null));
        foreach (var link in links.Links.Values)
        {
            if (link.Handle == handle)
            {
                link.Handle = null;
                link.Problem = handle.LastError();
                Retry(link, nowMs);
                break;
            }
        }
    }

    private void Close(CaptureHandle handle)
    {
        handle.Close();
        open.Remove(handle);
        observers[handle.Observer] = false;
        budget.Return(handle.RingBytes);
        foreach (var link in links.Links.Values)
        {
            links.HasChanged |= link.WaitsForRoom;
            link.WaitsForRoom = false;
        }
    }

    private void Retry(WatchedLink link, long nowMs)
    {
        link.RetryAtMs = nowMs + (RetryFirstMs << Math.Min(link.Failures++, RetryDoublings));
        retryAtMs = Math.Min(retryAtMs, link.RetryAtMs);
    }

    private int NamesNotOpen() => patterns.Names - links.Links.Values.Count(link => link.Pattern < patterns.Names && link.Handle is not null);

    /// <summary>The next free number, in turn, so that a number is not another interface's at once.</summary>
    private byte TakeObserver()
    {
        do
        {
            lastObserver = (lastObserver % RingBudget.HandlesMax) + 1;
        }
        while (observers[lastObserver]);

        observers[lastObserver] = true;
        return (byte)lastObserver;
    }
}
