namespace Flows.Capture.Live;

/// <summary>An interface that is to be captured, as long as it exists under a name that fits.</summary>
internal sealed class WatchedLink(int index)
{
    /// <summary>The kernel's number of it, which a rename leaves alone.</summary>
    public int Index => index;

    public string Name { get; set; } = "";

    public bool IsUp { get; set; }

    /// <summary>Index of the pattern that it fits, see <see cref="InterfacePatterns.Match"/>.</summary>
    public int Pattern { get; set; }

    /// <summary>The dump, or the event after it, that showed it last.</summary>
    public uint DumpNo { get; set; }

    public LinkCounters Counters { get; set; }

    /// <summary>The counters when the capture began.</summary>
    public LinkCounters CountersBefore { get; set; }

    /// <summary>The open capture; null when there is none, and then <see cref="Problem"/> may say why.</summary>
    public CaptureHandle? Handle { get; set; }

    /// <summary>Why it is not captured though it is up; empty when there is no problem.</summary>
    public string Problem { get; set; } = "";

    /// <summary>No attempt to open it before this, in ms of the source's clock.</summary>
    public long RetryAtMs { get; set; }

    public int Failures { get; set; }

    /// <summary>The ring budget is spent: it is opened when another interface gives room back.</summary>
    public bool WaitsForRoom { get; set; }

    /// <summary>Packets lost before the capture could see them, for sure or possibly.</summary>
    public ulong LostBefore
    {
        get
        {
            var packets = Difference(Counters.Packets, CountersBefore.Packets);
            var dropped = Difference(Counters.Dropped, CountersBefore.Dropped);

            // A machine drops the odd packet of a protocol that nobody takes, after the capture saw it; one in a thousand is more than that.
            const ulong OddPackets = 1000;
            return Difference(Counters.Missed, CountersBefore.Missed) + (dropped > packets / OddPackets ? dropped : 0);
        }
    }

    private static ulong Difference(ulong now, ulong before) => now > before ? now - before : 0;
}
