namespace Flows;

/// <summary>
/// Collects the long-lived part of the heap when enough of it may be garbage. The runtime waits until it has doubled or so, which for names of a hundred thousand
/// pods that come and go means a hundred MiB of nothing. A collection stops all threads for about 2 ms a MiB that is in use.
/// </summary>
internal static class HeapTrim
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(10);

    /// <summary>Growth that is not worth a collection.</summary>
    private const long LeastBytes = 16L << 20;

    /// <summary>One part in so many of the heap may be garbage.</summary>
    private const int Share = 10;

    public static async Task RunAsync(TimeProvider time, CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(LookEvery, time);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellation).ConfigureAwait(false))
            {
                Look();
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // Expected during shutdown.
        }
    }

    private static void Look()
    {
        var used = GC.GetGCMemoryInfo(GCKind.FullBlocking).HeapSizeBytes;
        if (GC.GetTotalMemory(forceFullCollection: false) > used + (used / Share) + LeastBytes)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        }
    }
}
