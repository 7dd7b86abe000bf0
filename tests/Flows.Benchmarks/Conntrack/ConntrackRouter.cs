using System.Globalization;
using Flows.Benchmarks.Measuring;

namespace Flows.Benchmarks.Conntrack;

/// <summary>
/// A network namespace that forwards between two veth pairs and tracks what it forwards, with time-outs of a second. Both far ends are in the
/// generator's namespace, where the frames arrive for a station that is not there and so cost nothing and are not answered.
/// </summary>
internal sealed class ConntrackRouter : IDisposable
{
    private const string Inside = "in0", Outside = "out0";
    private const string InsideMac = "02:00:00:00:00:11", OutsideMac = "02:00:00:00:00:12", Nobody = "02:00:00:00:00:99";

    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(50);

    private readonly NetworkSpaces spaces = new();

    public ConntrackRouter()
    {
        try
        {
            SetUp();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Where the receiver has to be.</summary>
    public Place Place => new(BenchPlan.MeasuredCore, spaces.Measured);

    private Place Watch => new(BenchPlan.GeneratorCore, spaces.Measured);

    /// <summary>Runs the generator until the last flow has ended. Returns how long the opening of the flows took.</summary>
    public TimeSpan Generate(int flows, bool answered) => PinnedThread.Run(
        new Place(BenchPlan.GeneratorCore, spaces.Generator), () => new FlowGenerator(Inside, InsideMac, Outside, OutsideMac).Run(flows, answered));

    /// <summary>Waits until no connection is left and every listener has read what was queued for it. Returns what the kernel could not queue.</summary>
    public long WaitForTheEnd(TimeSpan atMost) => PinnedThread.Run(Watch, () =>
    {
        var waited = System.Diagnostics.Stopwatch.StartNew();
        var quiet = 0;
        while (quiet < 3)
        {
            Thread.Sleep(LookEvery);
            var live = int.Parse(File.ReadAllText("/proc/sys/net/netfilter/nf_conntrack_count"), CultureInfo.InvariantCulture);
            quiet = live == 0 && Listeners().All(listener => listener.Waiting == 0) ? quiet + 1 : 0;
            if (waited.Elapsed > atMost)
            {
                throw BenchException.Of(string.Create(CultureInfo.InvariantCulture, $"{live} connections are left after {atMost.TotalSeconds} s."));
            }
        }

        return Listeners().Sum(listener => listener.Dropped);
    });

    public void Dispose() => spaces.Dispose();

    private void SetUp()
    {
        spaces.Link(Inside, "02:00:00:00:00:01", InsideMac);
        spaces.Link(Outside, "02:00:00:00:00:02", OutsideMac);
        var measured = $"-n {spaces.Measured}";
        Tool.Run("ip", $"{measured} addr add 10.32.0.1/24 dev {Inside}");
        Tool.Run("ip", $"{measured} addr add 172.31.0.1/24 dev {Outside}");
        Tool.Run("ip", $"{measured} neigh add 10.32.0.2 lladdr {Nobody} dev {Inside} nud permanent");
        Tool.Run("ip", $"{measured} neigh add 172.31.0.2 lladdr {Nobody} dev {Outside} nud permanent");
        Tool.Run("ip", $"{measured} route add 10.64.0.0/10 via 10.32.0.2");
        spaces.InMeasured("nft", "-f -", "table ip t { chain forward { type filter hook forward priority 0; ct state new counter; }; }");
        string[] settings = ["nf_conntrack_acct=1", "nf_conntrack_events=1", "nf_conntrack_timestamp=1", "nf_conntrack_udp_timeout=1", "nf_conntrack_udp_timeout_stream=1"];
        spaces.InMeasured("sysctl", $"-qw net.ipv4.ip_forward=1 {string.Join(' ', settings.Select(setting => $"net.netfilter.{setting}"))}");
    }

    /// <summary>The sockets of this namespace that listen to conntrack: bytes that wait, messages dropped (net/netlink/af_netlink.c, netlink_seq_show).</summary>
    private static IEnumerable<(long Waiting, long Dropped)> Listeners()
    {
        const string Netfilter = "12";
        foreach (var line in File.ReadLines("/proc/thread-self/net/netlink").Skip(1))
        {
            var fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (fields[1] == Netfilter && fields[3] != "00000000")
            {
                yield return (long.Parse(fields[4], CultureInfo.InvariantCulture), long.Parse(fields[8], CultureInfo.InvariantCulture));
            }
        }
    }
}
