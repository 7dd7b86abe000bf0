using Flows.Capture.Packets;
using Flows.Core;
using Flows.Core.Accounting;
using SharpPcap;
using SharpPcap.LibPcap;

namespace Flows.Capture.Live;

/// <summary>Captures on one interface, on a thread of its own, until stopped or the interface goes away.</summary>
/// <param name="options">The interface and how to capture on it.</param>
/// <param name="tracker">Takes the packets; it belongs to this source's thread while it runs.</param>
/// <param name="account">The tracker's account: packets that the kernel dropped are added to it.</param>
/// <param name="time">Drives timeouts while no packets come.</param>
/// <param name="tap">Gets each frame before it is tracked, for a recording.</param>
public sealed class InterfaceSource(InterfaceSourceOptions options, PacketTracker tracker, HopAccount account, TimeProvider time, FrameTap? tap = null)
{
    /// <summary>Packets taken in one go before the clock and the drop counter get their turn.</summary>
    private const int PacketsPerTurn = 8192;

    /// <summary>Turns after a stop, so that what the ring still holds is tracked but a flood cannot hold up the end.</summary>
    private const int TurnsAfterStop = 64;

    private readonly TaskCompletionSource opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private uint droppedBefore;

    /// <summary>Completes once packets are being captured; fails as <see cref="RunAsync"/> does if that cannot be.</summary>
    public Task Opened => opened.Task;

    /// <summary>Captures until stopped, then reports the connections that are left.</summary>
    /// <exception cref="FlowsException">No such interface, no privilege, no libpcap, or the interface went away.</exception>
    public Task RunAsync(CancellationToken stop)
    {
        // Not a pool thread: it sits in poll(), and a few such would starve everybody else on a small node.
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(() => Run(done, stop)) { IsBackground = true, Name = $"capture {options.Interface}" };
        thread.Start();
        return done.Task;
    }

    private void Run(TaskCompletionSource done, CancellationToken stop)
    {
        try
        {
            Capture(stop);
            done.SetResult();
        }
        catch (Exception e)
        {
            // The thread's top: whatever it was, the one who awaits is told.
            opened.TrySetException(e);
            _ = opened.Task.Exception;
            done.SetException(e);
        }
    }

    private void Capture(CancellationToken stop)
    {
        var libpcap = Libpcap.Load();
        using var device = Open();
        var handle = device.Handle.DangerousGetHandle();
        if (!libpcap.TrySetNonBlocking(handle))
        {
            throw Fault(libpcap.LastError(handle));
        }

        var descriptor = libpcap.FileDescriptor(handle);
        var linkType = (int)device.LinkType;
        opened.TrySetResult();
        try
        {
            while (!stop.IsCancellationRequested)
            {
                Poll.Wait(descriptor, options.ReadTimeout);
                TakePackets(libpcap, handle, linkType);
                CountKernelDrops(libpcap, handle);

                // Packets may wait in the ring for one read timeout: the clock must not overtake them.
                tracker.Advance(time.NowUs() - Us(2 * options.ReadTimeout));
            }

            Poll.Wait(descriptor, options.ReadTimeout);
            for (var turn = 0; turn < TurnsAfterStop && TakePackets(libpcap, handle, linkType) == PacketsPerTurn; turn++)
            {
            }

            CountKernelDrops(libpcap, handle);
        }
        finally
        {
            tracker.Finish();
        }
    }

    private int TakePackets(Libpcap libpcap, nint handle, int linkType)
    {
        for (var taken = 0; taken < PacketsPerTurn; taken++)
        {
            var result = libpcap.Next(handle, out var header, out var data);
            if (result == 0)
            {
                return taken;
            }

            if (result < 0)
            {
                throw Fault(libpcap.LastError(handle));
            }

            var wireLength = (int)Math.Min(header.WireLength, int.MaxValue);
            tap?.Invoke(data, linkType, wireLength, header.TimestampUs);
            tracker.Track(data, linkType, wireLength, header.TimestampUs);
        }

        return PacketsPerTurn;
    }

    private void CountKernelDrops(Libpcap libpcap, nint handle)
    {
        // The counter has 32 bits; the difference is right across its wrap.
        var dropped = libpcap.ReadStatistics(handle).Dropped;
        var news = unchecked(dropped - droppedBefore);
        if (news != 0)
        {
            droppedBefore = dropped;
            account.Seen(news);
            account.Dropped("pcap_kernel", news);
        }
    }

    private LibPcapLiveDevice Open()
    {
        var device = options.Interface == "any" ? null : LibPcapLiveDeviceList.New().FirstOrDefault(d => d.Name == options.Interface);
        if (device is null)
        {
            throw new FlowsException(ExitCode.Usage, $"There is no network interface '{options.Interface}' to capture on here; 'ip link' lists them.");
        }

        try
        {
            device.Open(new DeviceConfiguration
            {
                Mode = options.Promiscuous ? DeviceModes.Promiscuous : DeviceModes.None,
                Snaplen = options.SnaplenBytes,
                ReadTimeout = (int)options.ReadTimeout.TotalMilliseconds,
                BufferSize = options.RingBytes,
            });
            return device;
        }
        catch (PcapException e)
        {
            device.Dispose();
            throw e.Error is PcapError.PermissionDenied or PcapError.PromiscuousPermissionDenied
                ? new FlowsException(ExitCode.Failed, $"Capturing on {options.Interface} needs the capability CAP_NET_RAW; run as root or grant it.", e)
                : new FlowsException(ExitCode.Failed, $"Capturing on {options.Interface} cannot start: {e.Message}", e);
        }
    }

    private FlowsException Fault(string error) =>
        new(ExitCode.Failed, $"Capturing on {options.Interface} ended: {error}. The packets before that were tracked.");

    private static long Us(TimeSpan span) => span.Ticks / TimeSpan.TicksPerMicrosecond;
}
