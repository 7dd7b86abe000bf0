using System.Runtime.InteropServices;

namespace Flows.Capture.Live;

/// <summary>struct pollfd and poll(2) on many descriptors.</summary>
[StructLayout(LayoutKind.Sequential)]
internal partial struct Poll
{
    private const short Readable = 1;

    private readonly int descriptor;
    private readonly short events;
    private short returned;

    /// <param name="descriptor">Below 0 it is never ready.</param>
    public Poll(int descriptor)
    {
        this.descriptor = descriptor;
        events = Readable;
    }

    /// <summary>Something to read or to complain about.</summary>
    public readonly bool IsReady => returned != 0;

    /// <summary>Waits until one of them is ready, at most that long.</summary>
    public static void Wait(Span<Poll> all, TimeSpan atMost)
    {
        if (Call(ref MemoryMarshal.GetReference(all), (nuint)all.Length, (int)atMost.TotalMilliseconds) < 0)
        {
            // Interrupted: a short wait. The kernel has not filled in what is ready, so each is looked at.
            foreach (ref var one in all)
            {
                one.returned = Readable;
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "poll")]
    private static partial int Call(ref Poll entries, nuint count, int timeoutMs);
}
