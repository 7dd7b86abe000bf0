using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Flows.Benchmarks.Measuring;

/// <summary>The system calls that measuring needs and .NET does not offer.</summary>
internal static unsafe partial class Native
{
    public const int CloneNewNet = 0x40000000;
    public const int SetChildSubreaper = 36;
    public const int WaitNoHang = 1;
    public const int SigKill = 9;
    public const int SigTerm = 15;

    /// <param name="thread">0 for the calling thread.</param>
    /// <param name="bytes">Size of the mask.</param>
    /// <param name="mask">Bit n for core n.</param>
    [LibraryImport("libc", EntryPoint = "sched_setaffinity", SetLastError = true)]
    public static partial int SetAffinity(int thread, nuint bytes, ref ulong mask);

    [LibraryImport("libc", EntryPoint = "setns", SetLastError = true)]
    public static partial int SetNamespace(SafeFileHandle file, int kind);

    [LibraryImport("libc", EntryPoint = "prctl", SetLastError = true)]
    public static partial int ProcessControl(int option, nuint a, nuint b, nuint c, nuint d);

    [LibraryImport("libc", EntryPoint = "wait4", SetLastError = true)]
    public static partial int Wait(int pid, out int status, int options, out ResourceUsage usage);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    public static partial int Kill(int pid, int signal);

    /// <summary>struct rusage (sys/resource.h) on 64-bit Linux.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct ResourceUsage
    {
        public long UserSeconds;
        public long UserMicroseconds;
        public long SystemSeconds;
        public long SystemMicroseconds;
        public long PeakResidentKib;
        private fixed long rest[13];

        public readonly TimeSpan Cpu => TimeSpan.FromMicroseconds(
            ((UserSeconds + SystemSeconds) * 1_000_000) + UserMicroseconds + SystemMicroseconds);
    }
}
