namespace Flows.Capture.Flow;

/// <summary>Timeouts and limits of a flow table. Times are packet times.</summary>
public sealed record FlowTableOptions
{
    /// <summary>A connection that goes on is reported at least this often. 60 s: the roll-up's bucket, so a minute shows its own traffic.</summary>
    public TimeSpan ActiveTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>An established TCP connection without packets ends after this. 300 s: above the keep-alive of common pools and proxies (60 to 240 s).</summary>
    public TimeSpan TcpIdle { get; init; } = TimeSpan.FromSeconds(300);

    /// <summary>A TCP opening without progress ends after this. 40 s: Linux repeats a SYN at gaps of at most 32 s (tcp_syn_retries 6).</summary>
    public TimeSpan TcpOpeningIdle { get; init; } = TimeSpan.FromSeconds(40);

    /// <summary>
    /// UDP silence after which the next packet begins a new exchange. 45 s: above the keep-alives in use (WireGuard 25 s, QUIC and SIP up
    /// to 30 s), below the active timeout, so that one question and its answer end as idle.
    /// </summary>
    public TimeSpan UdpIdle { get; init; } = TimeSpan.FromSeconds(45);

    /// <summary>As <see cref="UdpIdle"/> for every other protocol.</summary>
    public TimeSpan OtherIdle { get; init; } = TimeSpan.FromSeconds(45);

    /// <summary>A closed connection stays this long for its last ACK and for repeats. 5 s: several retransmission timeouts of a data centre.</summary>
    public TimeSpan CloseLinger { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Connections held at once; beyond it the one nearest to its timeout is reported and forgotten. 262,144 take 38 MB.</summary>
    public int EntriesMax { get; init; } = 262_144;
}
