using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Flows.SystemTests.Conntrack;
using Flows.SystemTests.Demo;
using Xunit;

namespace Flows.SystemTests.Cli;

/// <summary>
/// <c>flows serve</c>, <c>flows collect</c> and <c>flows up</c> as processes of their own in a network namespace, on real connections from
/// another one: what was opened is stored, each once, whoever is stopped or killed meanwhile.
/// </summary>
public sealed class PipelineTests : IDisposable
{
    private int nextPort = 20_000;
    private const string Node = "pipeline-node";
    private const int Port = 8080;

    private static readonly TimeSpan EndMax = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan ArrivalMax = TimeSpan.FromSeconds(20);

    private readonly TemporaryDirectory directory = new();

    private string SocketAddress => $"unix:{directory["flows.sock"]}";

    public void Dispose() => directory.Dispose();

    [Fact]
    public async Task Nothing_is_lost_or_doubled_over_tcp_when_either_end_stops_or_is_killed()
    {
        Require.RootAnd("ip", "nft", "conntrack");
        using var network = new ConntrackNetns();
        using var listener = Listen(network);
        var opened = new HashSet<int>();
        await using var first = await ServeAsync(network);
        await using var collector = await CollectAsync(network, "http://127.0.0.1:4739");

        // 1. Both are there.
        opened.UnionWith(Open(network, listener, 20));
        await StoredAsync(opened.Count);
        await Assert_answers_health_and_metrics();

        // 2. The server is away: the collector keeps everything on disk, also when it is killed then.
        var (stopped, took) = await first.EndAsync(FlowsProcess.SigTerm);
        Assert.True(stopped.ExitCode == 0 && took < EndMax, $"after {took.TotalSeconds:0.0} s: {stopped}");
        opened.UnionWith(Open(network, listener, 20));
        await SpooledAsync();
        await collector.EndAsync(FlowsProcess.SigKill);

        // 3. Both come back, while the kernel has yet to forget connections that the first collector has reported.
        await using var second = await ServeAsync(network);
        await using var successor = await CollectAsync(network, "http://127.0.0.1:4739");
        await StoredAsync(opened.Count);
        opened.UnionWith(Open(network, listener, 20));

        // 4. In order: what was seen at the last moment is handed over.
        var (ended, tookCollector) = await successor.EndAsync(FlowsProcess.SigTerm);
        Assert.True(ended.ExitCode == 0 && tookCollector < EndMax, $"after {tookCollector.TotalSeconds:0.0} s: {ended}");
        Assert.DoesNotContain("stay in the spool", ended.Error, StringComparison.Ordinal);
        var (interrupted, _) = await second.EndAsync(FlowsProcess.SigInt);
        Assert.True(interrupted.ExitCode == 130, interrupted.ToString());
        Assert.Equal(opened.Order(), await SourcePortsAsync());
    }

    [Fact]
    public async Task Everything_crosses_a_unix_socket()
    {
        Require.RootAnd("ip", "nft", "conntrack");
        using var network = new ConntrackNetns();
        using var listener = Listen(network);
        await using var server = await ServeAsync(network);
        await using var collector = await CollectAsync(network, SocketAddress);
        var opened = Open(network, listener, 40);
        await Task.Delay(200, TestContext.Current.CancellationToken);
        var (ended, _) = await collector.EndAsync(FlowsProcess.SigInt);
        Assert.True(ended.ExitCode == 130, ended.ToString());
        await server.EndAsync(FlowsProcess.SigTerm);
        Assert.Equal(opened.Order(), await SourcePortsAsync());
    }

    [Fact]
    public async Task Up_shows_and_stores_what_this_machine_sees()
    {
        Require.RootAnd("ip", "nft", "conntrack");
        using var network = new ConntrackNetns();
        using var listener = Listen(network);
        await using var up = network.InServer(() => FlowsProcess.Start("up", "--store", directory["store"], "--listen", "127.0.0.1:4739", "--listen", SocketAddress, "--node", Node));
        await up.SaysAsync("serving on");
        await Task.Delay(1500, TestContext.Current.CancellationToken);
        var opened = Open(network, listener, 20);
        await StoredAsync(opened.Count);
        using var client = ServerSocket.Client(directory["flows.sock"]);
        Assert.Contains("<html", await client.GetStringAsync("/", TestContext.Current.CancellationToken), StringComparison.OrdinalIgnoreCase);
        using var map = JsonDocument.Parse(await client.GetStringAsync("/api/v1/map", TestContext.Current.CancellationToken));
        Assert.Contains(Node, map.RootElement.GetRawText(), StringComparison.Ordinal);
        await Assert_answers_health_and_metrics();

        opened.UnionWith(Open(network, listener, 20));
        await Task.Delay(200, TestContext.Current.CancellationToken);
        var (ended, took) = await up.EndAsync(FlowsProcess.SigTerm);
        Assert.True(ended.ExitCode == 0 && took < EndMax, $"after {took.TotalSeconds:0.0} s: {ended}");
        Assert.Equal(opened.Order(), await SourcePortsAsync());
    }

    [Fact]
    public async Task Draft_is_judged_on_what_comes_in()
    {
        Require.RootAnd("ip", "nft", "conntrack");
        using var network = new ConntrackNetns();
        using var listener = Listen(network);
        var inventory = Path.Combine(Path.GetDirectoryName(directory["store"])!, "inventory.jsonl");
        await File.WriteAllLinesAsync(
            inventory,
            [
                """{"addr":"10.77.0.1","kind":"pod","name":"web-0","namespace":"shop","workload_kind":"Deployment","workload":"web","labels":{"app":"web"},"valid_from":"2020-01-01T00:00:00Z"}""",
            ],
            TestContext.Current.CancellationToken);
        var draft = directory.Write("draft.yaml", """
            apiVersion: networking.k8s.io/v1
            kind: NetworkPolicy
            metadata: { name: closed, namespace: shop }
            spec:
              podSelector: { matchLabels: { app: web } }
              policyTypes: [Egress]
            """);
        await using var up = network.InServer(() => FlowsProcess.Start(
            "up", "--store", directory["store"], "--listen", "127.0.0.1:4739", "--node", Node, "--inventory", inventory, "--draft-policies", draft));
        await up.SaysAsync("watching the draft");
        await Task.Delay(1500, TestContext.Current.CancellationToken);
        Open(network, listener, 20);
        var waited = Stopwatch.StartNew();
        Finished asked;
        do
        {
            await Task.Delay(1000, TestContext.Current.CancellationToken);
            asked = await FlowsProcess.RunAsync("sql", "--store", directory["store"], "-o", "csv",
                "SELECT src_workload, verdict, dst_name, dst_port, why FROM decisions");
            Assert.True(waited.Elapsed < TimeSpan.FromSeconds(40), $"{asked}\n{up.Error}");
        }
        while (!asked.Output.Contains($"web,denied,{Node},8080,", StringComparison.Ordinal));
        Assert.Contains("isolated by shop/closed", asked.Output, StringComparison.Ordinal);
        var (ended, _) = await up.EndAsync(FlowsProcess.SigTerm);
        Assert.True(ended.ExitCode == 0, ended.ToString());
    }

    private async Task<FlowsProcess> ServeAsync(ConntrackNetns network)
    {
        var server = network.InServer(() => FlowsProcess.Start("serve", "--store", directory["store"], "--listen", "127.0.0.1:4739", "--listen", SocketAddress));
        await server.SaysAsync("serving on");
        return server;
    }

    private async Task<FlowsProcess> CollectAsync(ConntrackNetns network, string server)
    {
        var collector = network.InServer(() => FlowsProcess.Start("collect", "--server", server, "--node", Node, "--spool", directory["spool"], "--conntrack"));
        await collector.SaysAsync("collecting on");
        return collector;
    }

    private static Socket Listen(ConntrackNetns network) => network.InServer(() =>
    {
        var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Any, Port));
        listener.Listen(100);
        return listener;
    });

    /// <summary>Opens so many connections, half of them to the VIP, says something both ways, closes them, and tells their ports.</summary>
    private HashSet<int> Open(ConntrackNetns network, Socket listener, int count) => network.InClient(() =>
    {
        var ports = new HashSet<int>();
        for (var i = 0; i < count; i++)
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

            // The kernel may give one port to two connections that differ in their other end; these are told apart by it.
            socket.Bind(new IPEndPoint(IPAddress.Any, nextPort++));
            socket.Connect(i % 2 == 0 ? new IPEndPoint(IPAddress.Parse("10.77.0.2"), Port) : new IPEndPoint(IPAddress.Parse("10.96.0.10"), 80));
            using var accepted = listener.Accept();
            socket.Send("hello"u8);
            accepted.Receive(new byte[5]);
            accepted.Send("there"u8);
            socket.Receive(new byte[5]);
            Assert.True(ports.Add(((IPEndPoint)socket.LocalEndPoint!).Port));
        }

        return ports;
    });

    private async Task StoredAsync(int count)
    {
        using var patience = new CancellationTokenSource(ArrivalMax);
        IReadOnlyList<int> stored;
        do
        {
            await Task.Delay(300, TestContext.Current.CancellationToken);
            stored = await SourcePortsAsync();
            Assert.False(patience.IsCancellationRequested, $"{stored.Count} of {count} connections arrived.");
        }
        while (stored.Count < count);
    }

    /// <summary>A second after the last connection a batch leaves for the disk, whatever it holds.</summary>
    private async Task SpooledAsync()
    {
        await Task.Delay(TimeSpan.FromSeconds(2), TestContext.Current.CancellationToken);
        Assert.NotEmpty(Directory.GetFiles(directory["spool"], "*.log", SearchOption.AllDirectories));
    }

    /// <summary>The client's port of every stored connection: one that is stored twice is here twice.</summary>
    private async Task<IReadOnlyList<int>> SourcePortsAsync()
    {
        var finished = await FlowsProcess.RunAsync("sql", "--store", directory["store"], "--output", "csv",
            "SELECT src_port FROM flow_log WHERE window_no = 0 AND src_addr = '10.77.0.1' AND protocol IN ('6', 'tcp') ORDER BY src_port");
        Assert.True(finished.ExitCode == 0, finished.ToString());
        return [.. finished.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(line => int.Parse(line, System.Globalization.CultureInfo.InvariantCulture))];
    }

    private async Task Assert_answers_health_and_metrics()
    {
        using var client = ServerSocket.Client(directory["flows.sock"]);
        using var health = await client.GetAsync("/api/v1/health", TestContext.Current.CancellationToken);
        Assert.Equal((HttpStatusCode.OK, "application/json"), (health.StatusCode, health.Content.Headers.ContentType?.MediaType));
        using var parsed = JsonDocument.Parse(await health.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Equal(JsonValueKind.Object, parsed.RootElement.ValueKind);
        Assert.Contains("flows_hop_", await client.GetStringAsync("/metrics", TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }
}
