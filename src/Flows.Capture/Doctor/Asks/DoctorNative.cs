using System.Runtime.InteropServices;

namespace Flows.Capture.Doctor.Asks;

/// <summary>System calls that only look.</summary>
internal static unsafe partial class DoctorNative
{
    public const int AfInet = 2;
    public const int SockDgram = 2;
    public const int SockCloexec = 0x80000;

    /// <summary>SIOCETHTOOL of linux/sockios.h.</summary>
    public const nuint EthtoolRequest = 0x8946;

    public const int OpenDirectory = 0x10000;
    public const int OpenCloexec = 0x80000;

    /// <summary>The number of bpf(2), which the C library does not wrap: x86-64 and the generic table.</summary>
    public static nint BpfCall => RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 321 : 280;

    [LibraryImport("libc", EntryPoint = "adjtimex", SetLastError = true)]
    public static partial int AdjustTime(byte* timex);

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    public static partial int Socket(int family, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    public static partial int Control(int fd, nuint request, void* argument);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "faccessat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Access(int directory, string path, int mode, int flags);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    public static partial nint Call(nint number, nint first, void* second, nint third);

    [LibraryImport("libc", EntryPoint = "close")]
    public static partial int Close(int fd);
}
