using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Flows.Capture.Rights;
using Flows.SystemTests.Cli;
using Flows.SystemTests.Conntrack;
using Flows.SystemTests.Demo;
using Xunit;

namespace Flows.SystemTests.Rights;

/// <summary>
/// A collector has two capabilities and a directory, whatever it was started with: looked at from outside, thread by thread, while it sees real
/// connections.
/// </summary>
public sealed partial class LeastPrivilegeTests : IDisposable
{
    private const Capabilities Two = Capabilities.NetAdmin | Capabilities.NetRaw;
    private const int Failed = 1;
    private const int Port = 8080;
    private const int Connections = 12;
    private const string Server = "http://127.0.0.1:4739";

    // They arrive within two seconds, and each look starts a process; this is for a machine that is busy.
    private static readonly TimeSpan ArrivalMax = TimeSpan.FromSeconds(60);

    private readonly TemporaryDirectory directory = new();
    private int nextPort = 21_000;

    public void Dispose() => directory.Dispose();

    [Fact]
    public async Task Nobody_with_two_ambient_capabilities_collects_on_a_file_system_that_is_read_only_but_for_the_spool()
    {
        Require.RootAnd("ip", "nft", "setpriv", "unshare", "mount");
        using var network = new ConntrackNetns();
        using var nobody = new Nobody();
        await nobody.OpenUpAsync();
        await using var server = await ServeAsync(network);

        // Every mount becomes read-only, /tmp included; the home that the environment names is none that could be written.
        var spool = Path.Combine(nobody.Temporary, "spool");
        const string Script = """
            set -e
            spool=$1; shift
            mkdir "$spool"; chown 65534:65534 "$spool"
            mount --bind "$spool" "$spool"
            cut -d' ' -f2 /proc/self/mounts | sort -u | while read -r at; do [ "$at" = "$spool" ] || mount -o remount,bind,ro "$at" 2>/dev/null || true; done
            for at in / /tmp "$(dirname "$spool")"; do ! touch "$at/written" 2>/dev/null || { echo "$at can be written" >&2; exit 97; }; done
            exec setpriv "$@"
            """;
        string[] setpriv = nobody.Through("net_raw,net_admin", ["collect", "--server", Server, "--node", "least", "--spool", spool, "--conntrack", "--interface", "ct0"]);
        await using var collector = network.InServer(() => FlowsProcess.StartThrough("unshare", ["--mount", "--propagation", "private", "sh", "-c", Script, "sh", spool, .. setpriv]));
        await collector.SaysAsync("collecting on");

        var opened = Open(network);
        await StoredAsync(opened);
        var threads = Threads(collector.Id);
        Assert.True(threads.Count > 5, $"{threads.Count} threads");
        Assert.All(threads, rights => Assert.Equal((65534U, Two, Two, Two, true), (rights.Uid, rights.Effective, rights.Permitted, rights.Bounding, rights.NoNewPrivileges)));
        Assert.DoesNotContain("warning: running as root", collector.Error, StringComparison.Ordinal);

        // Not dumpable: the kernel shows its files in /proc as root's.
        Assert.Equal("0", (await FlowsProcess.ToolAsync("stat", "--format=%u", $"/proc/{collector.Id}/status")).Output.Trim());
        var (ended, _) = await collector.EndAsync(FlowsProcess.SigTerm);
        Assert.True(ended.ExitCode == 0, ended.ToString());
    }

    [Fact]
    public async Task Root_gives_up_everything_but_the_two_and_says_so_in_one_sentence()
    {
        Require.RootAnd("ip", "nft");
        using var network = new ConntrackNetns();
        await using var server = await ServeAsync(network);
        await using var collector = network.InServer(() => FlowsProcess.Start("collect", "--server", Server, "--node", "least", "--spool", directory["spool"], "--conntrack"));
        await collector.SaysAsync("collecting on");
        await StoredAsync(Open(network));
        var threads = Threads(collector.Id);
        Assert.All(threads, rights => Assert.Equal((0U, Two, Two, Two, Two, true), (rights.Uid, rights.Effective, rights.Permitted, rights.Bounding, rights.Inheritable, rights.NoNewPrivileges)));
        Assert.Single(collector.Error.Split('\n'), line => line.Contains("running as root", StringComparison.Ordinal));
        Assert.Empty(Directory.GetFiles(Path.GetTempPath(), $"*-{collector.Id}-*"));
        var (ended, _) = await collector.EndAsync(FlowsProcess.SigInt);
        Assert.True(ended.ExitCode == 130, ended.ToString());
    }

    [Fact]
    public async Task Up_gives_up_the_same_and_keeps_what_a_low_port_takes()
    {
        Require.RootAnd("ip", "nft");
        using var network = new ConntrackNetns();
        await using var up = network.InServer(() => FlowsProcess.Start("up", "--store", directory["store"], "--listen", "127.0.0.1:81", "--node", "least"));
        await up.SaysAsync("serving on");
        const Capabilities Three = Two | Capabilities.NetBindService;
        Assert.All(Threads(up.Id), rights => Assert.Equal((Three, Three, Three, true), (rights.Effective, rights.Permitted, rights.Bounding, rights.NoNewPrivileges)));
        await up.EndAsync(FlowsProcess.SigTerm);
    }

    [Theory]
    [InlineData("net_raw", "--conntrack", "CAP_NET_ADMIN")]
    [InlineData("net_admin", "--interface=lo", "CAP_NET_RAW")]
    public async Task What_is_missing_is_named(string has, string source, string missing)
    {
        Require.RootAnd("setpriv");
        using var nobody = new Nobody();
        var finished = await nobody.RunWithAsync(has, "collect", "--server", "http://127.0.0.1:1", "--spool", $"{nobody.Temporary}/spool", source);
        Assert.True(finished.ExitCode == Failed && finished.Error.Contains(missing, StringComparison.Ordinal), finished.ToString());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Capabilities_of_the_file_are_enough_unless_no_new_privileges_comes_first(bool noNewPrivileges)
    {
        // What a container runtime does for another user than root: it bounds, and gives nothing. Files can, where privileges may grow.
        Require.RootAnd("ip", "nft", "setpriv");
        using var network = new ConntrackNetns();
        using var nobody = new Nobody();
        await nobody.OpenUpAsync();
        GiveCapabilities(nobody.Executable, Two);
        string[] bounded = ["--reuid", "65534", "--regid", "65534", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all,+net_raw,+net_admin"];
        string[] arguments =
        [
            .. bounded, .. noNewPrivileges ? ["--no-new-privs"] : Array.Empty<string>(), .. nobody.Environment(), nobody.Executable,
            "collect", "--server", "http://127.0.0.1:1", "--spool", Path.Combine(nobody.Temporary, "spool"), "--conntrack",

            // Of two sources that both lack their right, whichever notices first speaks.
            .. noNewPrivileges ? Array.Empty<string>() : ["--interface", "ct0"],
        ];
        await using var collector = network.InServer(() => FlowsProcess.StartThrough("setpriv", arguments));
        if (noNewPrivileges)
        {
            await collector.SaysAsync("it needs CAP_NET_ADMIN");
        }
        else
        {
            await collector.SaysAsync("collecting on");
            Assert.All(Threads(collector.Id), rights => Assert.Equal((65534U, Two, Two, Two, true), (rights.Uid, rights.Effective, rights.Permitted, rights.Bounding, rights.NoNewPrivileges)));
            await collector.EndAsync(FlowsProcess.SigKill);
        }
    }

    private static List<ThreadRights> Threads(int process) =>
        [.. Directory.GetDirectories($"/proc/{process}/task").Select(task => ThreadRights.Parse(File.ReadAllText($"{task}/status"))!)];

    private async Task<FlowsProcess> ServeAsync(ConntrackNetns network)
    {
        var server = network.InServer(() => FlowsProcess.Start("serve", "--store", directory["store"], "--listen", "127.0.0.1:4739"));
        await server.SaysAsync("serving on");
        return server;
    }

    /// <summary>Opens and closes real connections between the namespaces; their ports in order.</summary>
    private List<int> Open(ConntrackNetns network)
    {
        using var listener = network.InServer(() =>
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(IPAddress.Any, Port));
            socket.Listen(Connections);
            return socket;
        });
        return network.InClient(() =>
        {
            var ports = new List<int>();
            for (var count = 0; count < Connections; count++)
            {
                using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                socket.Bind(new IPEndPoint(IPAddress.Any, nextPort));
                socket.Connect(IPAddress.Parse("10.77.0.2"), Port);
                using var accepted = listener.Accept();
                socket.Send("hello"u8);
                accepted.Receive(new byte[5]);
                ports.Add(nextPort++);
            }

            return ports;
        });
    }

    /// <summary>Waits until the store has exactly these, seen by conntrack.</summary>
    private async Task StoredAsync(List<int> ports)
    {
        using var patience = new CancellationTokenSource(ArrivalMax);
        List<int> stored;
        do
        {
            await Task.Delay(300, TestContext.Current.CancellationToken);
            var finished = await FlowsProcess.RunAsync("sql", "--store", directory["store"], "--output", "csv",
                "SELECT DISTINCT src_port FROM flow_log WHERE src_addr = '10.77.0.1' AND dst_port = 8080 AND source = 'conntrack' ORDER BY 1");
            Assert.True(finished.ExitCode == 0, finished.ToString());
            stored = [.. finished.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(line => int.Parse(line, CultureInfo.InvariantCulture))];
            Assert.False(stored.Count < ports.Count && patience.IsCancellationRequested, $"{stored.Count} of {ports.Count} connections arrived.");
        }
        while (stored.Count < ports.Count);
        Assert.Equal(ports, stored);
    }

    /// <summary>What <c>setcap ...+ep</c> writes: struct vfs_cap_data of linux/capability.h, revision 2, effective.</summary>
    private static void GiveCapabilities(string file, Capabilities set)
    {
        byte[] data = new byte[20];
        BitConverter.TryWriteBytes(data, 0x02000001);
        BitConverter.TryWriteBytes(data.AsSpan(4), (uint)(ulong)set);
        Assert.True(SetAttribute(file, "security.capability", data, (nuint)data.Length, 0) == 0, $"setxattr failed with errno {Marshal.GetLastPInvokeError()}");
    }

    [LibraryImport("libc", EntryPoint = "setxattr", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetAttribute(string path, string name, byte[] value, nuint size, int flags);
}
