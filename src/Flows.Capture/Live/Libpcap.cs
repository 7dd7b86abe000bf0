using System.Runtime.InteropServices;
using Flows.Core;

namespace Flows.Capture.Live;

/// <summary>
/// The few libpcap functions that live capture needs (pcap(3)). Looked up by hand, because the library's name differs among distributions.
/// </summary>
internal sealed unsafe class Libpcap
{
    /// <summary>PCAP_ERROR_PERM_DENIED and PCAP_ERROR_PROMISC_PERM_DENIED of pcap_activate.</summary>
    public const int PermissionDenied = -8;
    public const int PromiscuousPermissionDenied = -11;

    private const int ErrorBufferBytes = 256;

    // The soname differs: Debian kept .0.8 when upstream moved to .1.
    private static readonly string[] Names = ["libpcap.so.0.8", "libpcap.so.1", "libpcap.so"];

    private readonly delegate* unmanaged<byte*, byte*, nint> create;
    private readonly delegate* unmanaged<nint, int, int> setSnaplen;
    private readonly delegate* unmanaged<nint, int, int> setPromisc;
    private readonly delegate* unmanaged<nint, int, int> setTimeout;
    private readonly delegate* unmanaged<nint, int, int> setBufferSize;
    private readonly delegate* unmanaged<nint, int> activate;
    private readonly delegate* unmanaged<nint, int> datalink;
    private readonly delegate* unmanaged<nint, Program*, int> setFilter;
    private readonly delegate* unmanaged<nint, int, delegate* unmanaged<nint, PacketHeader*, byte*, void>, nint, int> dispatch;
    private readonly delegate* unmanaged<nint, Statistics*, int> stats;
    private readonly delegate* unmanaged<nint, int> selectableFd;
    private readonly delegate* unmanaged<nint, int, byte*, int> setNonBlock;
    private readonly delegate* unmanaged<nint, byte*> error;
    private readonly delegate* unmanaged<nint, void> close;

    private Libpcap(nint library)
    {
        create = (delegate* unmanaged<byte*, byte*, nint>)NativeLibrary.GetExport(library, "pcap_create");
        setSnaplen = (delegate* unmanaged<nint, int, int>)NativeLibrary.GetExport(library, "pcap_set_snaplen");
        setPromisc = (delegate* unmanaged<nint, int, int>)NativeLibrary.GetExport(library, "pcap_set_promisc");
        setTimeout = (delegate* unmanaged<nint, int, int>)NativeLibrary.GetExport(library, "pcap_set_timeout");
        setBufferSize = (delegate* unmanaged<nint, int, int>)NativeLibrary.GetExport(library, "pcap_set_buffer_size");
        activate = (delegate* unmanaged<nint, int>)NativeLibrary.GetExport(library, "pcap_activate");
        datalink = (delegate* unmanaged<nint, int>)NativeLibrary.GetExport(library, "pcap_datalink");
        setFilter = (delegate* unmanaged<nint, Program*, int>)NativeLibrary.GetExport(library, "pcap_setfilter");
        dispatch = (delegate* unmanaged<nint, int, delegate* unmanaged<nint, PacketHeader*, byte*, void>, nint, int>)NativeLibrary.GetExport(library, "pcap_dispatch");
        stats = (delegate* unmanaged<nint, Statistics*, int>)NativeLibrary.GetExport(library, "pcap_stats");
        selectableFd = (delegate* unmanaged<nint, int>)NativeLibrary.GetExport(library, "pcap_get_selectable_fd");
        setNonBlock = (delegate* unmanaged<nint, int, byte*, int>)NativeLibrary.GetExport(library, "pcap_setnonblock");
        error = (delegate* unmanaged<nint, byte*>)NativeLibrary.GetExport(library, "pcap_geterr");
        close = (delegate* unmanaged<nint, void>)NativeLibrary.GetExport(library, "pcap_close");
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

    /// <summary>
    /// Starts a capture that never blocks on the interface of that name: TPACKET_V3, not immediate. Returns the handle, or 0 with
    /// libpcap's own number and words for what is wrong.
    /// </summary>
    public nint Open(string name, int snaplen, int ringBytes, TimeSpan timeout, bool promiscuous, out int status, out string problem)
    {
        var message = stackalloc byte[ErrorBufferBytes];
        message[0] = 0;
        var text = Marshal.StringToCoTaskMemUTF8(name);
        var pcap = create((byte*)text, message);
        Marshal.FreeCoTaskMem(text);
        status = -1;
        if (pcap == 0)
        {
            problem = Marshal.PtrToStringUTF8((nint)message) ?? "";
            return 0;
        }

        _ = setSnaplen(pcap, snaplen);
        _ = setPromisc(pcap, promiscuous ? 1 : 0);
        _ = setTimeout(pcap, (int)timeout.TotalMilliseconds);
        _ = setBufferSize(pcap, ringBytes);
        status = activate(pcap);

        // Above 0 are warnings, such as that promiscuous mode is not known there.
        if (status >= 0 && setNonBlock(pcap, 1, message) == 0)
        {
            problem = "";
            return pcap;
        }

        problem = status < 0 ? LastError(pcap) : Marshal.PtrToStringUTF8((nint)message) ?? "";
        close(pcap);
        return 0;
    }

    /// <summary>Sets the program that the kernel runs for each packet.</summary>
    public bool TrySetFilter(nint pcap, ReadOnlySpan<FilterInstruction> instructions)
    {
        fixed (FilterInstruction* first = instructions)
        {
            var program = new Program { Count = (uint)instructions.Length, Instructions = first };
            return setFilter(pcap, &program) == 0;
        }
    }

    /// <summary>
    /// Calls back for the packets that wait, at most <paramref name="packetsMax"/> of them, and returns their number; negative for an error. Unlike
    /// pcap_next_ex it gives a block back to the kernel only after the last packet in it was looked at.
    /// </summary>
    public int Dispatch(nint pcap, int packetsMax, delegate* unmanaged<nint, PacketHeader*, byte*, void> callback, nint user) =>
        dispatch(pcap, packetsMax, callback, user);

    /// <summary>The kernel's counts since the capture began; both wrap at 2^32.</summary>
    public Statistics ReadStatistics(nint pcap)
    {
        Statistics read = default;
        return stats(pcap, &read) == 0 ? read : default;
    }

    public int LinkTypeOf(nint pcap) => datalink(pcap);

    public int DescriptorOf(nint pcap) => selectableFd(pcap);

    public string LastError(nint pcap) => Marshal.PtrToStringUTF8((nint)error(pcap)) ?? "";

    public void Close(nint pcap) => close(pcap);

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

    /// <summary>struct bpf_program; on our byte order the kernel's struct sock_fprog (linux/filter.h) lies the same, as long as the count is small.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Program
    {
        public uint Count;
        public FilterInstruction* Instructions;
    }
}
