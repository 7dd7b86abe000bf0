using System.Globalization;

namespace Flows.Capture.Conntrack;

/// <summary>
/// Looks every few seconds, on the source's thread, at what limits the source's sight, and says so; takes it back when it is mended.
/// </summary>
internal sealed class ConntrackHealth(ConntrackCoverage coverage, ConntrackTracker tracker, ConntrackSourceOptions options, TimeProvider time)
{
    // Interface packets within a minute without a single conntrack message or entry, above which tracking must be off. A few are neighbour discovery or
    // spanning tree.
    private const long InactivePackets = 100;

    // Near enough to the kernel's limit that the next burst meets it.
    private const double NearlyFull = 0.95;

    // What happened once stays said for this long: three reports of a collector, twelve looks of ours.
    private static readonly TimeSpan Remembered = TimeSpan.FromMinutes(1);

    private ConntrackKernelStats stats;
    private long packets;
    private long packetsAt;
    private long messages;
    private long deleted;
    private long refused;
    private long lost;
    private int grantedBytes;
    private long? fullAt;
    private long? flushedAt;
    private long? lostAt;

    /// <summary>The settings at the last look.</summary>
    public ConntrackSettings Settings { get; private set; }

    /// <summary>The first look, before the first dump.</summary>
    /// <param name="receiveBufferBytes">What the kernel granted for events.</param>
    /// <param name="now">Its counts.</param>
    public void Begin(int receiveBufferBytes, ConntrackKernelStats now)
    {
        grantedBytes = receiveBufferBytes;
        stats = now;
        packets = ConntrackSettings.InterfacePackets();
        packetsAt = time.GetTimestamp();
        Settings = ConntrackSettings.Read(options.ManageSysctl);
        Settings.Report(coverage);
        coverage.Full(ConntrackCoverage.Table);
        coverage.Full(ConntrackCoverage.Flush);
        LookAtBuffer(0);
    }

    /// <summary>Another look. True when events flow again after they had been off: what happened meanwhile wants a dump.</summary>
    public bool Look(ConntrackKernelStats now, long lostNow)
    {
        var before = Settings;
        Settings = ConntrackSettings.Read(options.ManageSysctl);
        Settings.Report(coverage);
        LookAtTable(now);
        LookAtActivity();
        LookAtFlush();
        LookAtBuffer(lostNow);
        stats = now;
        return before.EventsAreOff && !Settings.EventsAreOff;
    }

    private void LookAtTable(ConntrackKernelStats now)
    {
        var dropped = Math.Max(0, now.Dropped - stats.Dropped);
        var early = Math.Max(0, now.EarlyDropped - stats.EarlyDropped);
        var turnedAway = tracker.Refused - refused;
        refused = tracker.Refused;
        if (dropped > 0 || early > 0)
        {
            fullAt = time.GetTimestamp();
            coverage.Partial(ConntrackCoverage.Table, string.Create(
                CultureInfo.InvariantCulture,
                $"The kernel's connection table is full ({now.Entries} of {now.EntriesMax}): it dropped {dropped} packets whose connections are not seen "
                + $"and threw out {early} entries; raise net.netfilter.nf_conntrack_max."));
        }
        else if (turnedAway > 0)
        {
            fullAt = time.GetTimestamp();
            coverage.Partial(ConntrackCoverage.Table, string.Create(
                CultureInfo.InvariantCulture,
                $"The collector's connection table is full ({options.EntriesMax} entries): newcomers are reported when they end, without evidence of their direction."));
        }
        else if (now.EntriesMax > 0 && now.Entries >= now.EntriesMax * NearlyFull)
        {
            fullAt = null;
            coverage.Partial(ConntrackCoverage.Table, string.Create(
                CultureInfo.InvariantCulture,
                $"The kernel's connection table is nearly full ({now.Entries} of {now.EntriesMax}): when it is full, new connections are dropped unseen; raise net.netfilter.nf_conntrack_max."));
        }
        else if (IsPast(ref fullAt))
        {
            coverage.Full(ConntrackCoverage.Table);
        }
    }

    /// <summary>A namespace without a rule that needs conntrack tracks nothing, and nothing else says so.</summary>
    private void LookAtActivity()
    {
        var packetsNow = ConntrackSettings.InterfacePackets();
        var active = tracker.Messages != messages || tracker.Count > 0;
        if (active)
        {
            coverage.Full(ConntrackCoverage.Activity);
        }
        else if (packetsNow - packets >= InactivePackets)
        {
            coverage.None(
                ConntrackCoverage.Activity,
                "Packets pass but conntrack follows none of them in this network namespace: no rule asks for it; "
                + "add one such as 'nft add rule inet filter forward ct state new counter'.");
        }

        messages = tracker.Messages;
        if (active || time.GetElapsedTime(packetsAt) > Remembered)
        {
            packets = packetsNow;
            packetsAt = time.GetTimestamp();
        }
    }

    private void LookAtFlush()
    {
        // Single deletions are routine: kube-proxy removes the UDP entries of a backend that left.
        var gone = tracker.Deleted - deleted;
        deleted = tracker.Deleted;
        if (gone >= 3 && gone * 4 >= tracker.Count + gone)
        {
            flushedAt = time.GetTimestamp();
            coverage.Partial(ConntrackCoverage.Flush, string.Create(
                CultureInfo.InvariantCulture,
                $"{gone} living entries were deleted at once (as by 'conntrack -F'): their rows end forced, and what goes on begins anew without evidence of its direction."));
        }
        else if (IsPast(ref flushedAt))
        {
            coverage.Full(ConntrackCoverage.Flush);
        }
    }

    private void LookAtBuffer(long lostNow)
    {
        var news = lostNow - lost;
        lost = lostNow;
        if (news > 0)
        {
            lostAt = time.GetTimestamp();
            coverage.Partial(ConntrackCoverage.Buffer, string.Create(
                CultureInfo.InvariantCulture,
                $"The kernel dropped {news} events because the collector did not read fast enough; a dump repairs what still lives, ends are sent again, short connections may lack evidence."));
        }
        else if (!IsPast(ref lostAt))
        {
            return;
        }
        else if (grantedBytes < options.ReceiveBufferBytes)
        {
            coverage.Partial(ConntrackCoverage.Buffer, string.Create(
                CultureInfo.InvariantCulture,
                $"The kernel granted {grantedBytes >> 10} KiB for waiting events instead of {options.ReceiveBufferBytes >> 10}: bursts may be lost (and counted); grant CAP_NET_ADMIN in the initial user namespace or raise net.core.rmem_max."));
        }
        else
        {
            coverage.Full(ConntrackCoverage.Buffer);
        }
    }

    /// <summary>It did not happen, or so long ago that it need not be said any more.</summary>
    private bool IsPast(ref long? at)
    {
        if (at is { } then && time.GetElapsedTime(then) < Remembered)
        {
            return false;
        }

        at = null;
        return true;
    }
}
