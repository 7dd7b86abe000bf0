namespace Flows.Capture.Live;

/// <summary>How to capture on one interface.</summary>
public sealed record InterfaceSourceOptions
{
    /// <summary>The interface's name. <c>any</c> is refused: it shows a packet once for every interface that it crosses.</summary>
    public required string Interface { get; init; }

    /// <summary>Bytes kept of a packet. 192 hold two VLAN tags, IPv6 with extensions, TCP, and the packet that an ICMP error quotes.</summary>
    public int SnaplenBytes { get; init; } = 192;

    /// <summary>The kernel's ring. 16 MiB hold about half a second at 150,000 packets a second; libpcap's 2 MiB lost a third of them.</summary>
    public int RingBytes { get; init; } = 16 << 20;

    /// <summary>How long the kernel may gather packets, and how often the clock is looked at when there are none.</summary>
    public TimeSpan ReadTimeout { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>True to see frames for other stations as well, as on a mirror port.</summary>
    public bool Promiscuous { get; init; } = true;
}
