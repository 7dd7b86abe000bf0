using System.Runtime.InteropServices;

namespace Flows.Capture.Doctor.Asks;

/// <summary>Looks for libpcap as the capture does, and asks for its version.</summary>
internal static unsafe class LibpcapAsk
{
    private static readonly string[] Names = ["libpcap.so.0.8", "libpcap.so.1", "libpcap.so"];

    public static string? Version()
    {
        foreach (var name in Names)
        {
            if (NativeLibrary.TryLoad(name, out var library) && NativeLibrary.TryGetExport(library, "pcap_lib_version", out var export))
            {
                return Marshal.PtrToStringUTF8((nint)((delegate* unmanaged<byte*>)export)());
            }
        }

        return null;
    }
}
