using Flows.Capture.Packets;
using Flows.Core;
using Flows.Core.Accounting;
using SharpPcap;
using SharpPcap.LibPcap;

namespace Flows.Capture.Live;

/// <summary>
/// Tracks the packets of one interface, on a thread of its own: SharpPcap's capture loop takes one from the pool for each device.
/// </summary>
public sealed class InterfaceSource
{
    // Statistics and expiry are looked at between turns of at most so many packets.
    private const int PacketsPerTurn = 4096;

    private readonly string name;
    private readonly HopAccount account;
    private readonly TimeProvider time;
    private readonly InterfaceSourceOptions options;
    private readonly PacketTap? tap;
    private readonly PacketTracker tracker;
    private readonly TaskCompletionSource started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private uint dropsKnown;

    /// <param name="name">The interface, such as <c>eth0</c>. The pseudo-device <c>any</c> is refused: it sees packets twice.</param>
    /// <param name="point">The node and scope of the rows.</param>
    /// <param name="sink">Takes each row, on the source's thread.</param>
    /// <param name="account">A hop in packets: seen = forwarded (in flows) + dropped{pcap_kernel, and each reject}.</param>
    /// <param name="time">Drives expiry while nothing arrives.</param>
    /// <param name="options">How to watch.</param>
    /// <param name="tap">Gets each frame, or null.</param>
    public InterfaceSource(string name, ObservationPoint point, FlowSink sink, HopAccount account, TimeProvider time, InterfaceSourceOptions options, PacketTap? tap = null)
    {
        (this.name, this.account, this.time, this.options, this.tap) = (name, account, time, options, tap);
        tracker = new PacketTracker(point, options.Table, sink, account);
    }

    /// <summary>Done when packets are being captured.</summary>
    public Task Started => started.Task;

    /// <summary>Watches until <paramref name="token"/>, then writes out what lives. The task is done when the last row is with the sink.</summary>
    /// <exception cref="FlowsException">No such interface, no privilege, no libpcap, or the interface vanished.</exception>
    public Task RunAsync(CancellationToken token)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() =>
        {
            try
            {
                Run(token);
                done.SetResult();
            }
            catch (Exception fault)
            {
                done.SetException(fault);
            }
            finally
            {
                started.TrySetCanceled(CancellationToken.None);
            }
        })
        { IsBackground = true, Name = $"packets {name}" }.Start();
        return done.Task;
    }

    private void Run(CancellationToken token)
    {
        using var device = Open();
        var linkType = (int)device.LinkType;
        started.TrySetResult();
        try
        {
            while (!token.IsCancellationRequested)
            {
                var status = ReadTurn(device, linkType);
                CountDrops(device);
                tracker.Publish();
                if (status == GetPacketStatus.ReadTimeout)
                {
                    // Packets of the last moment may still lie in the ring with earlier times: the clock follows behind them.
                    tracker.Advance(time.NowUs() - UnixTime.Second);
                }
                else if (status != GetPacketStatus.PacketRead)
                {
                    throw new FlowsException(ExitCode.Failed, $"Capturing on {name} ended: {Reason(device)}; the interface may be gone.");
                }
            }

            // What the kernel has captured by now still counts.
            ReadTurn(device, linkType);
            CountDrops(device);
        }
        finally
        {
            tracker.Complete();
        }
    }

    private GetPacketStatus ReadTurn(LibPcapLiveDevice device, int linkType)
    {
        for (var count = 0; count < PacketsPerTurn; count++)
        {
            var status = device.GetNextPacket(out var packet);
            if (status != GetPacketStatus.PacketRead)
            {
                return status;
            }

            var timeUs = (long)(packet.Header.Timeval.Seconds * UnixTime.Second) + (long)packet.Header.Timeval.MicroSeconds;
            var wireLength = packet.Header is PcapHeader header ? (int)header.PacketLength : packet.Data.Length;
            tap?.Invoke(packet.Data, wireLength, timeUs);
            tracker.Track(packet.Data, linkType, wireLength, timeUs);
        }

        return GetPacketStatus.PacketRead;
    }

    private void CountDrops(LibPcapLiveDevice device)
    {
        if (!PcapNative.TryStatistics(device.Handle.DangerousGetHandle(), out var statistics))
        {
            return;
        }

        // Unsigned subtraction is right across the wrap.
        var drops = unchecked(statistics.Dropped - dropsKnown);
        dropsKnown = statistics.Dropped;
        account.Seen(drops);
        account.Dropped("pcap_kernel", drops);
    }

    private LibPcapLiveDevice Open()
    {
        if (name == "any")
        {
            throw new FlowsException(ExitCode.Usage, "The pseudo-device 'any' shows packets several times and hides VLAN tags; name the interfaces, one --interface each.");
        }

        if (!Directory.Exists($"/sys/class/net/{name}"))
        {
            throw new FlowsException(ExitCode.Usage, $"There is no interface '{name}' here; 'ip link' lists them.");
        }

        LibPcapLiveDevice? device = null;
        try
        {
            // A list of our own: the shared one is read once in the life of the process.
            device = LibPcapLiveDeviceList.New().FirstOrDefault(one => one.Name == name)
                ?? throw new FlowsException(ExitCode.Failed, $"Cannot capture on {name}: libpcap does not list it; it needs CAP_NET_RAW (run as root, or give the capability).");
            device.Open(new DeviceConfiguration
            {
                Mode = DeviceModes.Promiscuous,
                Snaplen = options.SnapLength,
                BufferSize = Math.Max(options.RingBytes, 2 << 20),
                ReadTimeout = (int)options.ReadTimeout.TotalMilliseconds,
            });
            return device;
        }
        catch (PcapException fault)
        {
            device?.Dispose();
            throw new FlowsException(ExitCode.Failed, $"Cannot capture on {name}: {fault.Message.TrimEnd('.')}; it needs CAP_NET_RAW (run as root, or give the capability).", fault);
        }
        catch (Exception fault) when (fault is DllNotFoundException or TypeInitializationException)
        {
            throw new FlowsException(ExitCode.Failed, "libpcap is not installed; 'apt-get install libpcap0.8' brings it.", fault);
        }
    }

    private static string Reason(LibPcapLiveDevice device) => device.LastError is { Length: > 0 } error ? error : "no reason given";
}
