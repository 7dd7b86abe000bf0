namespace Flows.Capture.Live;

/// <summary>Which interfaces to capture on, and how.</summary>
public sealed record InterfaceSourceOptions
{
    /// <summary>A ring below this loses a third of 150,000 packets a second.</summary>
    public const int RingBytesMin = 2 << 20;

    /// <summary>
    /// Names, globs with * and ?, and exclusions with a leading exclamation mark. A name must exist at the start; what a glob matches may come
    /// and go. <c>any</c> is refused: it shows a packet once for every interface that it crosses.
    /// </summary>
    public required IReadOnlyList<string> Interfaces { get; init; }

    /// <summary>
    /// Kernel memory for packets that wait, shared by all interfaces: at least 2 MiB each. The default of 32 MiB holds some 130,000 packets, about
    /// a second at 150,000 a second.
    /// </summary>
    public int RingBytes { get; init; } = 32 << 20;

    /// <summary>How long the kernel may gather packets, and how often the clock is looked at when there are none.</summary>
    public TimeSpan ReadTimeout { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>True to see frames for other stations as well, as on a mirror port.</summary>
    public bool Promiscuous { get; init; } = true;

    /// <summary>Which packets the kernel hands over. Default all.</summary>
    public InterfaceFilter Filter { get; init; } = InterfaceFilter.All;
}
