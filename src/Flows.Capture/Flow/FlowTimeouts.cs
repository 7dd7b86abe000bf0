using Flows.Core.Facts;

namespace Flows.Capture.Flow;

/// <summary>The timeouts of <see cref="FlowTableOptions"/> in microseconds, and which of them an entry is under.</summary>
internal sealed class FlowTimeouts(FlowTableOptions options)
{
    private readonly long tcpIdleUs = Us(options.TcpIdle);
    private readonly long tcpOpeningIdleUs = Us(options.TcpOpeningIdle);
    private readonly long udpIdleUs = Us(options.UdpIdle);
    private readonly long otherIdleUs = Us(options.OtherIdle);
    private readonly long closeLingerUs = Us(options.CloseLinger);

    public long ActiveUs { get; } = Us(options.ActiveTimeout);

    /// <summary>Silence after which the connection ends.</summary>
    public long IdleUs(in FlowEntry entry)
    {
        if (!entry.IsTcp)
        {
            return entry.Key.Protocol == IpProtocol.Udp ? udpIdleUs : otherIdleUs;
        }

        if (entry.IsOver)
        {
            return closeLingerUs;
        }

        return entry.Has(Marks.Established) || !entry.Has(Marks.IsnKnown) ? tcpIdleUs : tcpOpeningIdleUs;
    }

    /// <summary>When the entry is to be looked at next if nothing happens.</summary>
    public long DeadlineUs(in FlowEntry entry)
    {
        var idle = entry.LastUs + IdleUs(in entry);
        return entry.WindowIsEmpty ? idle : Math.Min(idle, entry.WindowStartUs + ActiveUs);
    }

    private static long Us(TimeSpan time) => time.Ticks / TimeSpan.TicksPerMicrosecond;
}
