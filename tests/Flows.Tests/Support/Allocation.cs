namespace Flows.Tests.Support;

/// <summary>Measures what a piece of code allocates in its steady state.</summary>
internal static class Allocation
{
    private const int Attempts = 5;

    /// <summary>
    /// Bytes that the act allocates on this thread: the least of some attempts. A collection that another thread starts charges the rest of this thread's
    /// allocation context to it, once; what the act itself allocates shows every time.
    /// </summary>
    public static long Of(Action act)
    {
        var least = long.MaxValue;
        for (var attempt = 0; attempt < Attempts && least > 0; attempt++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            act();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        return least;
    }
}
