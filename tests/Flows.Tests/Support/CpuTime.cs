using System.Runtime.InteropServices;

namespace Flows.Tests.Support;

/// <summary>CPU time of the calling thread: what a measurement means on a machine that others use too.</summary>
internal static partial class CpuTime
{
    private const int ThreadClock = 3;

    public static TimeSpan OfThread() => ClockGetTime(ThreadClock, out var time) == 0
        ? TimeSpan.FromSeconds(time.Seconds) + TimeSpan.FromTicks(time.Nanoseconds / 100)
        : throw new InvalidOperationException("This machine does not tell a thread's CPU time.");

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int ClockGetTime(int clock, out Time time);

    private struct Time
    {
        public nint Seconds;
        public nint Nanoseconds;
    }
}
