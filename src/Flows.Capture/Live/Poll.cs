using System.Runtime.InteropServices;

namespace Flows.Capture.Live;

/// <summary>poll(2) on one descriptor.</summary>
internal static partial class Poll
{
    private const short Readable = 1;

    /// <summary>Waits until the descriptor has something to read or to complain about, at most that long.</summary>
    public static void Wait(int descriptor, TimeSpan atMost)
    {
        var entry = new Entry { Descriptor = descriptor, Events = Readable };

        // An interrupted or failed wait is a short one: the caller reads, and learns of a fault there.
        _ = Call(ref entry, 1, (int)atMost.TotalMilliseconds);
    }

    [LibraryImport("libc", EntryPoint = "poll")]
    private static partial int Call(ref Entry entries, nuint count, int timeoutMs);

    [StructLayout(LayoutKind.Sequential)]
    private struct Entry
    {
        public int Descriptor;
        public short Events;
        public short Returned;
    }
}
