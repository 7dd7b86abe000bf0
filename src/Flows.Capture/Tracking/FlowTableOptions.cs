using Flows.Core.Facts;

namespace Flows.Capture.Tracking;

/// <summary>When a connection counts as over, and when a living one reports.</summary>
public sealed record FlowTableOptions
{
    /// <summary>A living connection writes a row this often. Default 60 s: the minute is the smallest roll-up.</summary>
    public TimeSpan ActiveTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Silence that ends a TCP connection. Default 300 s: beyond common keep-alives of proxies (60 s) and pools (240 s).</summary>
    public TimeSpan TcpIdleTimeout { get; init; } = TimeSpan.FromSeconds(300);

    /// <summary>Silence that ends an unanswered TCP attempt. Default 60 s: Linux sends SYNs again after 1, 3, 7, 15 and 31 s.</summary>
    public TimeSpan TcpAttemptTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Silence that ends UDP, ICMP and everything else. Default 60 s; conntrack has 30 s for one-way and 120 s for streams.</summary>
    public TimeSpan OtherIdleTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long a closed TCP connection waits for its last acknowledgements and retransmissions. Default 5 s.</summary>
    public TimeSpan CloseLinger { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Connections tracked at once, about 250 bytes each. Default 262,144. Beyond it the one that would expire first gives way.</summary>
    public int EntriesMax { get; init; } = 262_144;

    /// <summary>What the rows name as their source.</summary>
    public FlowSource Source { get; init; } = FlowSource.File;
}
