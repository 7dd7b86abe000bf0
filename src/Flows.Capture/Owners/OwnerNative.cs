using System.Runtime.InteropServices;

namespace Flows.Capture.Owners;

/// <summary>System calls that .NET does not offer: the inode of a directory, the processor time of a thread. Netlink's are in <see cref="Conntrack.NetlinkNative"/>.</summary>
internal static unsafe partial class OwnerNative
{
    public const int AtFdcwd = -100;
    public const uint StatxIno = 0x100;

    /// <summary>Offset of stx_ino in struct statx, and the size of that structure (linux/stat.h).</summary>
    public const int StatxInoOffset = 32;
    public const int StatxLength = 256;

    public const int ClockThreadCpu = 3;

    [StructLayout(LayoutKind.Sequential)]
    public struct Timespec
    {
        public long Seconds;
        public long Nanoseconds;
    }

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Statx(int directory, string path, int flags, uint mask, byte* result);

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    public static partial int ClockGetTime(int clock, Timespec* time);

    /// <summary>The inode number of a path; 0 where it cannot be had.</summary>
    public static ulong InodeOf(string path)
    {
        var result = stackalloc byte[StatxLength];
        return Statx(AtFdcwd, path, 0, StatxIno, result) == 0 ? *(ulong*)(result + StatxInoOffset) : 0;
    }

    /// <summary>Processor time of the calling thread.</summary>
    public static TimeSpan ThreadCpu()
    {
        Timespec time;
        return ClockGetTime(ClockThreadCpu, &time) == 0
            ? TimeSpan.FromTicks((time.Seconds * TimeSpan.TicksPerSecond) + (time.Nanoseconds / TimeSpan.NanosecondsPerTick))
            : TimeSpan.Zero;
    }
}
