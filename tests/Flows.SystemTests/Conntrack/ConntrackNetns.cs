using System.Runtime.InteropServices;
using Flows.KernelCluster;
using Xunit;

namespace Flows.SystemTests.Conntrack;

/// <summary>
/// A client's and a server's network namespace with a veth pair between them; the server's tracks connections and sends the VIP
/// 10.96.0.10:80 to its own port 8080. Addresses: 10.77.0.1 and fd77::1 the client, 10.77.0.2 and fd77::2 the server.
/// </summary>
internal sealed partial class ConntrackNetns : IDisposable
{
    private readonly string client = $"flowsct{Environment.ProcessId}c{Random.Shared.Next(1_000_000)}";
    private readonly string server = $"flowsct{Environment.ProcessId}s{Random.Shared.Next(1_000_000)}";

    public ConntrackNetns(bool accounting = true)
    {
        try
        {
            Tool("ip", $"netns add {client}");
            Tool("ip", $"netns add {server}");
            Tool("ip", $"link add ct0 netns {client} type veth peer name ct0 netns {server}");
            Address(client, 1);
            Address(server, 2);
            Tool("ip", $"-n {client} route add 10.96.0.0/16 via 10.77.0.2");
            var rules = $$"""
                table inet t {
                  chain pre { type nat hook prerouting priority -100; ip daddr 10.96.0.10 tcp dport 80 dnat ip to 10.77.0.2:8080; }
                  chain in { type filter hook input priority 0; tcp dport 9999 drop; udp dport 9999 drop; ct state new counter; }
                }
                """;
            Tool("ip", $"netns exec {server} nft -f -", rules);
            foreach (var (name, value) in new[] { ("acct", accounting ? 1 : 0), ("events", 1), ("timestamp", 1), ("tcp_timeout_time_wait", 2), ("udp_timeout", 1), ("tcp_timeout_syn_sent", 1) })
            {
                Tool("ip", $"netns exec {server} sysctl -qw net.netfilter.nf_conntrack_{name}={value}");
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Name of the server's namespace, as <c>ip netns</c> knows it.</summary>
    public string Server => server;

    /// <summary>Whether tests may take minutes (<c>./dev test --long</c>).</summary>
    public static bool Long => Environment.GetEnvironmentVariable("FLOWS_LONG_TESTS") == "1";

    /// <summary>Skips at home what needs root; fails where the machine is meant to have it.</summary>
    public static void Require()
    {
        if (!Environment.IsPrivilegedProcess)
        {
            Assert.False(Environment.GetEnvironmentVariable("CI") == "true", "The system tests must run as root.");
            Assert.Skip("needs root to make network namespaces");
        }
    }

    /// <summary>Runs <paramref name="act"/> on a thread of its own in the client's namespace; sockets opened there stay there.</summary>
    public T InClient<T>(Func<T> act) => In(client, act);

    public T InServer<T>(Func<T> act) => In(server, act);

    /// <summary>Takes every effective capability from the calling thread, and so from the threads that it starts.</summary>
    public static void DropCapabilities()
    {
        // _LINUX_CAPABILITY_VERSION_3 and pid 0; then effective, permitted, inheritable, twice.
        int[] header = [0x20080522, 0];
        Assert.Equal(0, CapSet(header, new uint[6]));
    }

    public void Dispose()
    {
        foreach (var space in new[] { client, server })
        {
            Netns.Delete(space);
        }
    }

    public void Sysctl(string name, int value) => ToolInServer($"sysctl -qw net.netfilter.nf_conntrack_{name}={value}");

    /// <summary>Entries in the server's table.</summary>
    public int Entries() => int.Parse(ToolInServer("conntrack -C"), System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>What the kernel dropped on the one socket in the server's namespace that takes all three groups of events (/proc/net/netlink).</summary>
    public long EventDrops() => InServer(() =>
    {
        // sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode; 12 is NETLINK_NETFILTER.
        var fields = File.ReadLines("/proc/thread-self/net/netlink").Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        var socket = Assert.Single(fields, line => line.Length >= 10 && line[1] == "12" && line[3] == "00000007");
        return long.Parse(socket[8], System.Globalization.CultureInfo.InvariantCulture);
    });

    public string ToolInServer(string command) => Tool("ip", $"netns exec {server} {command}");

    private static void Address(string space, int host)
    {
        Tool("ip", $"-n {space} addr add 10.77.0.{host}/24 dev ct0");
        Tool("ip", $"-n {space} addr add fd77::{host}/64 dev ct0 nodad");
        Tool("ip", $"-n {space} link set ct0 up");
        Tool("ip", $"-n {space} link set lo up");
    }

    public static string Tool(string name, string arguments, string? input = null) => Netns.Tool(name, arguments, input);

    public static T In<T>(string space, Func<T> act) => Netns.In(space, act);

    [LibraryImport("libc", EntryPoint = "capset", SetLastError = true)]
    private static partial int CapSet(int[] header, uint[] data);
}
