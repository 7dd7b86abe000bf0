using System.Runtime.InteropServices;
using Flows.Core;

namespace Flows.Capture.Live;

/// <summary>
/// The few libpcap functions that the capture loop calls on a handle which SharpPcap opened: SharpPcap allocates an object per packet,
/// and reads the drop counter from the wrong bytes on 64-bit Linux (it takes struct pcap_stat, pcap/pcap.h, for longs).
/// </summary>
internal sealed unsafe class Libpcap
{
    // The soname differs: Debian kept .0.8 when upstream moved to .1.
    private static readonly string[] Names = ["libpcap.so.0.8", "libpcap.so.1", "libpcap.so"];

    private readonly delegate* unmanaged<nint, PacketHeader**, byte**, int> nextEx;
    private readonly delegate* unmanaged<nint, Statistics*, int> stats;
    private readonly delegate* unmanaged<nint, int> selectableFd;
    private readonly delegate* unmanaged<nint, int, byte*, int> setNonBlock;
    private readonly delegate* unmanaged<nint, byte*> error;

    private Libpcap(nint library)
    {
        nextEx = (delegate* unmanaged<nint, PacketHeader**, byte**, int>)NativeLibrary.GetExport(library, "pcap_next_ex");
        stats = (delegate* unmanaged<nint, Statistics*, int>)NativeLibrary.GetExport(library, "pcap_stats");
        selectableFd = (delegate* unmanaged<nint, int>)NativeLibrary.GetExport(library, "pcap_get_selectable_fd");
        setNonBlock = (delegate* unmanaged<nint, int, byte*, int>)NativeLibrary.GetExport(library, "pcap_setnonblock");
        error = (delegate* unmanaged<nint, byte*>)NativeLibrary.GetExport(library, "pcap_geterr");
    }

    /// <exception cref="FlowsException">The library is not installed.</exception>
    public static Libpcap Load()
    {
        foreach (var name in Names)
        {
            if (NativeLibrary.TryLoad(name, out var library))
            {
                return new Libpcap(library);
            }
        }

        throw new FlowsException(ExitCode.Failed, "Capturing on an interface needs libpcap, which is not installed; on Debian: apt-get install libpcap0.8.");
    }

    /// <summary>The next packet without waiting: 1 for a packet, 0 for none now, negative for an error. The data is valid until the next call.</summary>
    public int Next(nint pcap, out PacketHeader header, out ReadOnlySpan<byte> data)
    {
        PacketHeader* found;
        byte* bytes;
        var result = nextEx(pcap, &found, &bytes);
        header = result == 1 ? *found : default;
        data = result == 1 ? new ReadOnlySpan<byte>(bytes, (int)header.CapturedLength) : default;
        return result;
    }

    /// <summary>The kernel's counts since the capture began; both wrap at 2^32.</summary>
    public Statistics ReadStatistics(nint pcap)
    {
        Statistics read = default;
        return stats(pcap, &read) == 0 ? read : default;
    }

    public int FileDescriptor(nint pcap) => selectableFd(pcap);

    public bool TrySetNonBlocking(nint pcap)
    {
        const int ErrorBufferBytes = 256;
        var message = stackalloc byte[ErrorBufferBytes];
        return setNonBlock(pcap, 1, message) == 0;
    }

    public string LastError(nint pcap) => Marshal.PtrToStringUTF8((nint)error(pcap)) ?? "";

    /// <summary>struct pcap_pkthdr.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public readonly struct PacketHeader
    {
        private readonly nint seconds;
        private readonly nint microseconds;

        public readonly uint CapturedLength;
        public readonly uint WireLength;

        public long TimestampUs => (seconds * UnixTime.Second) + microseconds;
    }

    /// <summary>struct pcap_stat: three 32-bit counters. On Linux, received includes dropped.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public readonly struct Statistics
    {
        public readonly uint Received;
        public readonly uint Dropped;
        public readonly uint DroppedByInterface;
    }
}
