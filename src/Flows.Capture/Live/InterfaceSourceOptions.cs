using Flows.Capture.Tracking;
using Flows.Core.Facts;

namespace Flows.Capture.Live;

/// <summary>How an interface is watched.</summary>
public sealed record InterfaceSourceOptions
{
    /// <summary>Bytes kept of each packet. Default 192: two VLAN tags, IPv6 with extensions and TCP fit, payload hardly.</summary>
    public int SnapLength { get; init; } = 192;

    /// <summary>The kernel's ring for packets that wait for us. Default 16 MiB, at least 2 MiB.</summary>
    public int RingBytes { get; init; } = 16 << 20;

    /// <summary>How long the kernel may hold packets back to hand over many at once. Default 200 ms.</summary>
    public TimeSpan ReadTimeout { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>Timeouts and bounds of the flow table.</summary>
    public FlowTableOptions Table { get; init; } = new() { Source = FlowSource.Packets };
}

/// <summary>Gets each captured frame before it is tracked: the bytes, their length on the wire, the time.</summary>
public delegate void PacketTap(ReadOnlySpan<byte> frame, int wireLength, long timeUs);
