using System.Runtime.InteropServices;

namespace Flows.Capture.Rights;

/// <summary>The system calls that give rights up: prctl(2), capset(2).</summary>
internal static unsafe partial class RightsNative
{
    public const int SetDumpable = 4;
    public const int BoundingDrop = 24;
    public const int SetNoNewPrivileges = 38;
    public const int Ambient = 47;
    public const nuint AmbientRaise = 2;
    public const nuint AmbientClearAll = 4;

    /// <summary>_LINUX_CAPABILITY_VERSION_3: two words of 32 bits for each set.</summary>
    public const uint CapabilityVersion = 0x20080522;

    [StructLayout(LayoutKind.Sequential)]
    public struct CapabilityHeader
    {
        public uint Version;
        public int Pid;
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct CapabilityWord
    {
        public uint Effective;
        public uint Permitted;
        public uint Inheritable;
    }

    [LibraryImport("libc", EntryPoint = "prctl", SetLastError = true)]
    public static partial int Control(int option, nuint second, nuint third, nuint fourth, nuint fifth);

    [LibraryImport("libc", EntryPoint = "capset", SetLastError = true)]
    public static partial int SetCapabilities(CapabilityHeader* header, CapabilityWord* words);

    [LibraryImport("libc", EntryPoint = "getenv", StringMarshalling = StringMarshalling.Utf8)]
    public static partial byte* GetEnvironment(string name);
}
