using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Flows.FakeCluster;
using Flows.SystemTests.Conntrack;
using Flows.SystemTests.Demo;
using Xunit;

namespace Flows.SystemTests.Cli;

/// <summary>
/// A server whose cluster's API cannot be reached, while connections go on: they are stored and can be asked about, nobody loses a name, and who came meanwhile
/// is named in hindsight. The API listens in the client's namespace, so that the network between it and the server can be cut.
/// </summary>
public sealed class ClusterOutageTests : IDisposable
{
    private const string Client = "10.77.0.1", Server = "10.77.0.2";

    /// <summary>What the watch promises: a silent API is flagged after 55 s, and asked on a new connection as often.</summary>
    private static readonly TimeSpan FlaggedMax = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan ArrivalMax = TimeSpan.FromSeconds(30);

    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public async Task While_the_api_is_down_ingest_and_queries_go_on_and_late_names_fill_in()
    {
        Require.RootAnd("ip", "nft", "conntrack");
        using var network = new ConntrackNetns();
        using var service = network.InServer(() => Listen(8080));
        var cluster = await FakeApiServer.StartAsync(listener: network.InClient(() => Listen(6443)));
        Put(cluster, "web", Server);
        await using var server = await ServeAsync(network, cluster);
        await using var collector = await CollectAsync(network);
        await EventuallyAsync(async () => await HolderAsync(Server) == "web", ArrivalMax);

        await cluster.DisposeAsync();
        Put(cluster, "client", Client);
        var down = Stopwatch.StartNew();
        var away = ConntrackNetns.Long ? TimeSpan.FromMinutes(5) : TimeSpan.FromSeconds(6);
        var opened = 0;
        do
        {
            Connect(network, service);
            opened++;
            await Task.Delay(away / 6, TestContext.Current.CancellationToken);
        }
        while (down.Elapsed < away);

        await EventuallyAsync(async () => (await EdgesAsync()).Sum(edge => edge.Connections) == opened, ArrivalMax);
        Assert.All(await EdgesAsync(), edge => Assert.Equal((Client, "unknown", "web"), (edge.Source, edge.How, edge.Destination)));

        await using var again = await FakeApiServer.StartAsync(from: cluster, listener: network.InClient(() => Listen(6443)));

        // What is learned within two minutes counts as known at the time. The watch may just have begun its longest pause.
        await EventuallyAsync(async () => (await EdgesAsync()).Sum(edge => edge.Source == "client" ? edge.Connections : 0) == opened, TimeSpan.FromSeconds(90));
        Assert.All(await EdgesAsync(), edge => Assert.Contains(edge.How, ConntrackNetns.Long ? ["late", "as_of"] : new[] { "as_of" }));
        Assert.True(!ConntrackNetns.Long || (await EdgesAsync()).Any(edge => edge.How == "late"));
    }

    [Fact]
    public async Task Api_that_goes_silent_is_flagged_within_a_minute_and_heard_again_within_a_minute()
    {
        Require.RootAnd("ip", "nft", "conntrack");
        Assert.SkipUnless(ConntrackNetns.Long, "takes three minutes: ./dev test --long; the fast tests have it with shorter times");
        using var network = new ConntrackNetns();
        await using var cluster = await FakeApiServer.StartAsync(listener: network.InClient(() => Listen(6443)));
        Put(cluster, "web", Server);
        await using var server = await ServeAsync(network, cluster);
        await EventuallyAsync(async () => await HolderAsync(Server) == "web", ArrivalMax);

        // Neither side hears of it: the packets are gone.
        network.ToolInServer("nft add chain inet t hole { type filter hook input priority -10; }");
        network.ToolInServer("nft add rule inet t hole tcp sport 6443 drop");
        Put(cluster, "client", Client);
        var flagged = await EventuallyAsync(async () => (await CoverageAsync()).All(level => level != "full"), FlaggedMax);
        Assert.Equal(("web", null), (await HolderAsync(Server), await HolderAsync(Client)));

        network.ToolInServer("nft flush chain inet t hole");
        var heard = await EventuallyAsync(async () => await HolderAsync(Client) == "client", FlaggedMax);
        await EventuallyAsync(async () => (await CoverageAsync()).All(level => level == "full"), FlaggedMax);
        TestContext.Current.SendDiagnosticMessage($"flagged after {flagged.TotalSeconds:0} s, heard again after {heard.TotalSeconds:0} s");
    }

    private static Socket Listen(int port)
    {
        var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        listener.Bind(new IPEndPoint(port == 6443 ? IPAddress.Parse(Client) : IPAddress.Any, port));
        listener.Listen(100);
        return listener;
    }

    private static void Connect(ConntrackNetns network, Socket listener) => network.InClient(() =>
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Connect(new IPEndPoint(IPAddress.Parse(Server), 8080));
        using var accepted = listener.Accept();
        return socket.Send("hello"u8);
    });

    private static void Put(FakeApiServer cluster, string name, string address)
    {
        var before = DateTimeOffset.UtcNow.AddMinutes(-5);
        var pod = new FakePod { Namespace = "shop", Name = name, Uid = $"uid-{name}", Addresses = [address], Started = before, Created = before };
        cluster[FakeResource.Pods].Put(pod.Key, pod.Json());
    }

    private static async Task<TimeSpan> EventuallyAsync(Func<Task<bool>> holds, TimeSpan max)
    {
        var waited = Stopwatch.StartNew();
        while (!await holds())
        {
            Assert.True(waited.Elapsed < max, "It does not become so.");
            await Task.Delay(300, TestContext.Current.CancellationToken);
        }

        return waited.Elapsed;
    }

    private async Task<FlowsProcess> ServeAsync(ConntrackNetns network, FakeApiServer cluster)
    {
        directory.Write("kubeconfig", cluster.Kubeconfig());
        var server = network.InServer(() => FlowsProcess.Start(
            "serve", "--store", directory["store"], "--listen", $"unix:{directory["flows.sock"]}", "--kubernetes", $"c1,kubeconfig={directory["kubeconfig"]}"));
        await server.SaysAsync("serving on");
        return server;
    }

    private async Task<FlowsProcess> CollectAsync(ConntrackNetns network)
    {
        var collector = network.InServer(() => FlowsProcess.Start(
            "collect", "--server", $"unix:{directory["flows.sock"]}", "--node", "node-1", "--spool", directory["spool"], "--conntrack"));
        await collector.SaysAsync("collecting on");
        return collector;
    }

    private async Task<string?> HolderAsync(string address)
    {
        using var document = JsonDocument.Parse((await FlowsProcess.RunAsync("who", address, "--store", directory["store"], "--output", "json")).Output);
        var answers = document.RootElement.GetProperty("answers").EnumerateArray().ToList();
        return answers.Count == 0 ? null : Assert.Single(answers[0].GetProperty("candidates").EnumerateArray()).GetProperty("name").GetString();
    }

    private async Task<IReadOnlyList<string>> CoverageAsync() =>
        [.. (await LinesAsync("SELECT level FROM coverage WHERE source = 'kubernetes@c1'")).Select(line => line[0])];

    private async Task<IReadOnlyList<(string Source, string How, string Destination, int Connections)>> EdgesAsync() =>
    [
        .. (await LinesAsync("SELECT src_name, src_resolved_by, dst_name, connections::BIGINT FROM edges WHERE dst_port = 8080"))
            .Select(line => (line[0], line[1], line[2], int.Parse(line[3], CultureInfo.InvariantCulture))),
    ];

    private async Task<IEnumerable<string[]>> LinesAsync(string sql)
    {
        var finished = await FlowsProcess.RunAsync("sql", "--store", directory["store"], "--output", "csv", sql);
        Assert.True(finished.ExitCode == 0, finished.ToString());
        return finished.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(line => line.Trim('\r').Split(','));
    }
}
