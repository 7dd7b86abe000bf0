using System.Globalization;

namespace Flows.Capture.Conntrack;

/// <summary>
/// The kernel settings without which conntrack tells less, read and, when asked, set in the network namespace of the calling thread
/// (/proc/sys/net shows the caller's own).
/// </summary>
internal static class ConntrackSettings
{
    private const string Directory = "/proc/sys/net/netfilter";

    private static readonly (string Name, string Consequence)[] Wanted =
    [
        ("nf_conntrack_acct", "packets and bytes are not counted, so their columns stay null"),
        ("nf_conntrack_events", "connections that began before the collector end without a word"),
        ("nf_conntrack_timestamp", "connections found at the start have no true beginning, and times are those of delivery"),
    ];

    /// <summary>Makes or checks the settings. Returns one sentence for each that is not as it should be.</summary>
    public static IReadOnlyList<string> Prepare(bool manage)
    {
        var warnings = new List<string>();
        foreach (var (name, consequence) in Wanted)
        {
            if (manage)
            {
                TrySet(name);
            }

            if (Read(name) is not 1 and var value)
            {
                var now = value?.ToString(CultureInfo.InvariantCulture) ?? "missing";
                warnings.Add($"net.netfilter.{name} is {now}: {consequence}; run 'sysctl -w net.netfilter.{name}=1' (entries made before keep the old way).");
            }
        }

        return warnings;
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

    /// <summary>Names this boot and network namespace.</summary>
    public static (string Boot, string Namespace) Where()
    {
        var boot = File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();
        var space = new FileInfo("/proc/thread-self/ns/net").LinkTarget ?? "";
        return (boot, space);
    }

    private static void TrySet(string name)
    {
        try
        {
            if (Read(name) != 1)
            {
                File.WriteAllText(Path.Combine(Directory, name), "1");
            }
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            // Not allowed, or not there: the check that follows says so.
        }
    }

    private static int? Read(string name)
    {
        try
        {
            var text = File.ReadAllText(Path.Combine(Directory, name));
            return int.TryParse(text, CultureInfo.InvariantCulture, out var value) ? value : null;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
