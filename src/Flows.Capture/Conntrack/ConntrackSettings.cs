using System.Globalization;

namespace Flows.Capture.Conntrack;

/// <summary>
/// The kernel settings without which conntrack tells less, in the network namespace of the calling thread (/proc/sys/net shows the caller's own).
/// A value is null where the setting is missing or hidden.
/// </summary>
internal readonly record struct ConntrackSettings(int? Accounting, int? Events, int? Timestamp)
{
    private const string Directory = "/proc/sys/net/netfilter";
    private const string AccountingName = "nf_conntrack_acct";
    private const string EventsName = "nf_conntrack_events";
    private const string TimestampName = "nf_conntrack_timestamp";

    /// <summary>No events at all: what lives shows in dumps only.</summary>
    public bool EventsAreOff => Events == 0;

    /// <summary>Reads the settings; with <paramref name="manage"/> switches on first what is not, if that is allowed.</summary>
    public static ConntrackSettings Read(bool manage) => new(Read(AccountingName, manage), Read(EventsName, manage), Read(TimestampName, manage));

    /// <summary>Says what each setting means for what is seen.</summary>
    public void Report(ConntrackCoverage coverage)
    {
        const string Mend = "entries made before keep the old way";
        Say(coverage, ConntrackCoverage.Accounting, Accounting, none: true, AccountingName, "packets and bytes are not counted, so their columns stay null", Mend);
        Say(coverage, ConntrackCoverage.Timestamps, Timestamp, none: false, TimestampName, "connections found at the start have no true beginning, and times are those of delivery", Mend);
        var consequence = EventsAreOff
            ? "only connections that live at a dump are seen; short and refused ones are missed, and how one ended is not known"
            : "connections that began before the collector end without a word, so that dumps must find out";
        Say(coverage, ConntrackCoverage.Events, Events, none: false, EventsName, consequence, Mend);
    }

    /// <summary>Packets over the interfaces of this namespace, loopback aside.</summary>
    public static long InterfacePackets()
    {
        try
        {
            // "  eth0: rx_bytes rx_packets errs drop fifo frame compressed multicast tx_bytes tx_packets ..."
            return File.ReadLines("/proc/thread-self/net/dev")
                .Select(line => line.Split([':', ' '], StringSplitOptions.RemoveEmptyEntries))
                .Where(fields => fields.Length > 10 && fields[0] != "lo" && long.TryParse(fields[2], NumberStyles.None, CultureInfo.InvariantCulture, out _))
                .Sum(fields => long.Parse(fields[2], CultureInfo.InvariantCulture) + long.Parse(fields[10], CultureInfo.InvariantCulture));
        }
        catch (IOException)
        {
            return 0;
        }
    }

    private static void Say(ConntrackCoverage coverage, string aspect, int? value, bool none, string name, string consequence, string note)
    {
        if (value == 1)
        {
            coverage.Full(aspect);
            return;
        }

        var now = value?.ToString(CultureInfo.InvariantCulture) ?? "missing";
        var detail = $"net.netfilter.{name} is {now}: {consequence}; run 'sysctl -w net.netfilter.{name}=1' ({note}).";
        if (none)
        {
            coverage.None(aspect, detail);
        }
        else
        {
            coverage.Partial(aspect, detail);
        }
    }

    private static int? Read(string name, bool manage)
    {
        var path = Path.Combine(Directory, name);
        try
        {
            var value = Parse(File.ReadAllText(path));
            if (manage && value is not 1)
            {
                File.WriteAllText(path, "1");
                value = Parse(File.ReadAllText(path));
            }

            return value;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return TryRead(path);
        }
    }

    // Writing was not allowed, or it is not there at all.
    private static int? TryRead(string path)
    {
        try
        {
            return Parse(File.ReadAllText(path));
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static int? Parse(string text) => int.TryParse(text, CultureInfo.InvariantCulture, out var value) ? value : null;
}
