using System.Runtime.InteropServices;

namespace Flows.Capture.Live;

/// <summary>What SharpPcap gets wrong: on 64-bit Linux it reads the drop counter from the wrong bytes of this structure.</summary>
internal static partial class PcapNative
{
    /// <summary>Counts of a live handle since it was opened (pcap_stats(3PCAP)). They wrap at 2^32.</summary>
    /// <returns>False where libpcap has none.</returns>
    public static bool TryStatistics(nint handle, out Statistics statistics) => pcap_stats(handle, out statistics) == 0;

    [LibraryImport("libpcap.so.0.8")]
    private static partial int pcap_stats(nint handle, out Statistics statistics);

    /// <summary><c>struct pcap_stat</c> of pcap/pcap.h: three unsigned ints.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct Statistics
    {
        /// <summary>Packets that passed the filter, dropped ones included.</summary>
        public uint Received;

        /// <summary>Dropped because the ring was full.</summary>
        public uint Dropped;

        /// <summary>Dropped by the interface, where the driver says.</summary>
        public uint InterfaceDropped;
    }
}
