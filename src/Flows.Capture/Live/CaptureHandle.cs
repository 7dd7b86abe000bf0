using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Flows.Capture.Conntrack;
using Flows.Capture.Packets;
using Flows.Core;
using Flows.Core.Accounting;

namespace Flows.Capture.Live;

/// <summary>Where the packets of all handles go, and what was lost of them.</summary>
/// <param name="Libpcap">The library.</param>
/// <param name="Tracker">Takes the packets.</param>
/// <param name="Account">The tracker's account: what the kernel dropped is added to it.</param>
/// <param name="Tap">Gets each frame before it is tracked, for a recording.</param>
internal sealed record CaptureSink(Libpcap Libpcap, PacketTracker Tracker, HopAccount Account, FrameTap? Tap);

/// <summary>An open capture on one interface: its ring, its number as an observer, and its own count of what the kernel dropped. One thread owns it.</summary>
internal sealed unsafe partial class CaptureHandle
{
    // A ring takes over within a second; a clock that was set back must not make it skip for longer.
    private const long SkippedUsMax = 10 * UnixTime.Second;

    private readonly CaptureSink sink;
    private readonly nint pcap;
    private readonly GCHandle self;
    private readonly int linkType;
    private uint droppedBefore;
    private long skipUntilUs;
    private Exception? fault;

    private CaptureHandle(CaptureSink sink, nint pcap, string name, byte observer, int ringBytes)
    {
        this.sink = sink;
        this.pcap = pcap;
        Name = name;
        Observer = observer;
        RingBytes = ringBytes;
        linkType = sink.Libpcap.LinkTypeOf(pcap);
        Descriptor = sink.Libpcap.DescriptorOf(pcap);
        self = GCHandle.Alloc(this);
    }

    public string Name { get; set; }

    public byte Observer { get; }

    public int RingBytes { get; }

    public int Descriptor { get; }

    /// <summary>Time of the last packet, µs since the epoch: who is behind is read first.</summary>
    public long LastUs { get; private set; }

    /// <summary>Packets may wait in the ring.</summary>
    public bool IsReady { get; set; }

    /// <summary>libpcap gave up on it: it is not polled any more.</summary>
    public bool IsBroken { get; set; }

    /// <summary>Packets that the kernel dropped because the ring was full, so far.</summary>
    public long Dropped { get; private set; }

    /// <summary>Opens a capture on the interface that has this name and this index now; null with a reason when that cannot be.</summary>
    public static CaptureHandle? Open(
        CaptureSink sink, WatchedLink link, byte observer, int ringBytes, InterfaceSourceOptions options, out bool isForbidden, out string problem)
    {
        var libpcap = sink.Libpcap;
        var pcap = libpcap.Open(link.Name, CaptureProgram.NamesBytes, ringBytes, options.ReadTimeout, options.Promiscuous, out var status, out problem);
        isForbidden = status is Libpcap.PermissionDenied or Libpcap.PromiscuousPermissionDenied;
        if (pcap == 0)
        {
            return null;
        }

        if (IndexOf(libpcap.DescriptorOf(pcap)) != link.Index)
        {
            // Renamed meanwhile: the name is another interface's by now.
            problem = "it changed its name";
        }
        else if (!libpcap.TrySetFilter(pcap, CaptureProgram.For(libpcap.LinkTypeOf(pcap), options.Filter)))
        {
            problem = libpcap.LastError(pcap);
        }
        else
        {
            return new CaptureHandle(sink, pcap, link.Name, observer, ringBytes);
        }

        libpcap.Close(pcap);
        return null;
    }

    /// <summary>Tracks at most that many packets, without waiting. Fewer than that means that no more wait; negative is an error.</summary>
    public int Take(int packetsMax)
    {
        var taken = sink.Libpcap.Dispatch(pcap, packetsMax, &OnPacket, GCHandle.ToIntPtr(self));
        if (fault is not null)
        {
            // A fault of ours, held back while libpcap's frames were on the stack.
            throw new InvalidOperationException($"Tracking a packet of {Name} failed.", fault);
        }

        return taken;
    }

    /// <summary>Takes over from a capture on the same interface, whose packets up to a time were tracked.</summary>
    public void SkipUntil(long timeUs) => skipUntilUs = timeUs;

    /// <summary>Lets nothing more into the ring; what is in it stays. By the kernel's own call, since libpcap would apply a filter to the ring as well.</summary>
    public void Freeze()
    {
        // SO_ATTACH_FILTER (asm-generic/socket.h) with a program that keeps nothing: return 0.
        const int AttachFilter = 26;
        var nothing = new FilterInstruction(0x06, 0, 0, 0);
        var program = new Libpcap.Program { Count = 1, Instructions = &nothing };
        _ = NetlinkNative.SetOption(Descriptor, NetlinkNative.SolSocket, AttachFilter, &program, (uint)sizeof(Libpcap.Program));
    }

    /// <summary>Adds what the kernel dropped since the last time to the account.</summary>
    public void CountDrops()
    {
        // The counter has 32 bits; the difference is right across its wrap.
        var dropped = sink.Libpcap.ReadStatistics(pcap).Dropped;
        var news = unchecked(dropped - droppedBefore);
        if (news != 0)
        {
            droppedBefore = dropped;
            Dropped += news;
            sink.Account.Seen(news);
            sink.Account.Dropped("pcap_kernel", news);
        }
    }

    public string LastError() => sink.Libpcap.LastError(pcap);

    /// <summary>Counts the last drops and ends the capture. What waits in the ring is lost: it is to be taken before.</summary>
    public void Close()
    {
        CountDrops();
        sink.Libpcap.Close(pcap);
        self.Free();
    }

    [UnmanagedCallersOnly]
    private static void OnPacket(nint user, Libpcap.PacketHeader* header, byte* data)
    {
        var handle = Unsafe.As<CaptureHandle>(GCHandle.FromIntPtr(user).Target!);
        if (handle.fault is not null)
        {
            return;
        }

        try
        {
            handle.Track(in *header, new ReadOnlySpan<byte>(data, (int)header->CapturedLength));
        }
        catch (Exception e)
        {
            // No exception may cross libpcap's frames: whoever dispatched throws it.
            handle.fault = e;
        }
    }

    private void Track(in Libpcap.PacketHeader header, ReadOnlySpan<byte> frame)
    {
        var timeUs = header.TimestampUs;
        LastUs = timeUs;
        if (timeUs <= skipUntilUs && timeUs > skipUntilUs - SkippedUsMax)
        {
            return;
        }

        skipUntilUs = 0;
        var wireLength = (int)Math.Min(header.WireLength, int.MaxValue);
        sink.Tap?.Invoke(Name, frame, linkType, wireLength, timeUs);
        sink.Tracker.Track(frame, linkType, wireLength, timeUs, Observer);
    }

    /// <summary>sll_ifindex of the packet socket's address (linux/if_packet.h); 0 where there is none.</summary>
    private static int IndexOf(int descriptor)
    {
        // struct sockaddr_ll: u16 family, u16 protocol, i32 index, ...
        const int IndexAt = 4;
        var address = stackalloc byte[32];
        var length = 32u;
        return SocketName(descriptor, address, &length) == 0 && length > IndexAt + sizeof(int) ? *(int*)(address + IndexAt) : 0;
    }

    [LibraryImport("libc", EntryPoint = "getsockname")]
    private static partial int SocketName(int descriptor, byte* address, uint* length);
}
