using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Flows.SystemTests.Conntrack;
using Flows.SystemTests.Demo;
using Xunit;

namespace Flows.SystemTests.Cli;

/// <summary>Names from real DNS traffic: a small server and its client in two namespaces, watched by <c>flows up</c> on the interface between them.</summary>
public sealed class NamesTests : IDisposable
{
    private const uint Ttl = 30;

    private readonly TemporaryDirectory directory = new();
    private readonly CancellationTokenSource ending = new();

    public void Dispose()
    {
        ending.Cancel();
        ending.Dispose();
        directory.Dispose();
    }

    [Theory]
    [InlineData("--interface", "ct0")]
    [InlineData("--conntrack", "--names-interface", "ct0")]
    public async Task Clients_are_known_to_have_been_told_what_they_were_told_over_udp_and_tcp_and_both_families(params string[] sources)
    {
        Require.RootAnd("ip", "nft");
        using var network = new ConntrackNetns();
        using var servers = new Disposables();
        foreach (var address in (string[])["10.77.0.2", "fd77::2"])
        {
            Serve(network, IPAddress.Parse(address), servers);
        }

        using var web = network.InServer(() => new TcpListener(IPAddress.Parse("10.77.0.2"), 8080));
        web.Start();
        await using var up = network.InServer(() => FlowsProcess.Start(
            ["up", "--store", directory["store"], "--listen", $"unix:{directory["flows.sock"]}", "--node", "dns-node", "--scope", "lab", .. sources]));
        await up.SaysAsync("serving on");
        await Task.Delay(1500, TestContext.Current.CancellationToken);

        await Udp(network, "10.77.0.1", "10.77.0.2", "web.example", "10.77.0.2");
        await Udp(network, "10.77.0.1", "10.77.0.2", "web.example", "10.77.0.2");
        await Udp(network, "fd77::1", "fd77::2", "Six.Example", "fd77::2");
        await Tcp(network, "10.77.0.1", "10.77.0.2", "tcp.example", "10.1.2.3");
        await Tcp(network, "fd77::1", "fd77::2", "tcp6.example", "2001:db8::3");
        await Udp(network, "10.77.0.1", "10.77.0.2", "none.example", "");
        using (var caller = network.InClient(() => new TcpClient(new IPEndPoint(IPAddress.Parse("10.77.0.1"), 40_000))))
        {
            await caller.ConnectAsync(IPAddress.Parse("10.77.0.2"), 8080, TestContext.Current.CancellationToken);
        }

        await Task.Delay(500, TestContext.Current.CancellationToken);
        var (ended, _) = await up.EndAsync(FlowsProcess.SigTerm);
        Assert.True(ended.ExitCode == 0, ended.ToString());

        Assert.Equal(
            ["10.77.0.1,tcp.example,10.1.2.3,30,dns-node,lab", "10.77.0.1,web.example,10.77.0.2,30,dns-node,lab", "fd77::1,six.example,fd77::2,30,dns-node,lab", "fd77::1,tcp6.example,2001:db8::3,30,dns-node,lab"],
            await AskAsync("SELECT addr(client), name, addr(address), ttl_seconds, node, scope FROM names ORDER BY ALL"));
        Assert.Equal(["web.example"], await AskAsync("SELECT DISTINCT dst_fqdn FROM flow_log WHERE dst_port = 8080"));
        Assert.Equal(["6,5,no_address,1"], await AskAsync("SELECT seen, forwarded, reason, dropped FROM losses WHERE hop = 'names' ORDER BY \"at\" DESC LIMIT 1"));
        Assert.Equal(["0"], await AskAsync("SELECT count(*) FROM names WHERE abs(epoch(seen_at) - epoch(now()::TIMESTAMP)) > 120"));
    }

    [Fact]
    public async Task Nobody_looks_at_answers_where_names_are_switched_off()
    {
        Require.RootAnd("ip", "nft");
        using var network = new ConntrackNetns();
        using var servers = new Disposables();
        Serve(network, IPAddress.Parse("10.77.0.2"), servers);
        await using var up = network.InServer(() => FlowsProcess.Start(
            "up", "--store", directory["store"], "--listen", $"unix:{directory["flows.sock"]}", "--node", "dns-node", "--interface", "ct0", "--no-names"));
        await up.SaysAsync("serving on");
        await Task.Delay(1500, TestContext.Current.CancellationToken);
        await Udp(network, "10.77.0.1", "10.77.0.2", "web.example", "10.77.0.2");
        await Task.Delay(300, TestContext.Current.CancellationToken);
        await up.EndAsync(FlowsProcess.SigTerm);
        Assert.Equal(["0,0"], await AskAsync("SELECT (SELECT count(*) FROM names), (SELECT count(*) FROM losses WHERE hop = 'names')"));
        Assert.Equal(["1"], await AskAsync("SELECT count(*) FROM flow_log WHERE dst_port = 53"));
    }

    private static async Task Udp(ConntrackNetns network, string from, string to, string name, string expected)
    {
        using var client = network.InClient(() => new UdpClient(new IPEndPoint(IPAddress.Parse(from), 0)));
        await client.SendAsync(Query(name, expected), new IPEndPoint(IPAddress.Parse(to), 53), TestContext.Current.CancellationToken);
        var answer = await client.ReceiveAsync(TestContext.Current.CancellationToken);
        Assert.NotEmpty(answer.Buffer);
    }

    private static async Task Tcp(ConntrackNetns network, string from, string to, string name, string expected)
    {
        using var client = network.InClient(() => new TcpClient(new IPEndPoint(IPAddress.Parse(from), 0)));
        await client.ConnectAsync(IPAddress.Parse(to), 53, TestContext.Current.CancellationToken);
        var query = Query(name, expected);
        await client.GetStream().WriteAsync((byte[])[0, (byte)query.Length, .. query], TestContext.Current.CancellationToken);
        var length = new byte[2];
        await client.GetStream().ReadExactlyAsync(length, TestContext.Current.CancellationToken);
        await client.GetStream().ReadExactlyAsync(new byte[BinaryPrimitives.ReadUInt16BigEndian(length)], TestContext.Current.CancellationToken);
    }

    /// <summary>A question for the family of the answer that is expected.</summary>
    private static byte[] Query(string name, string expected)
    {
        var type = (byte)(expected.Contains(':', StringComparison.Ordinal) ? 28 : 1);
        var labels = name.Split('.').SelectMany(label => Encoding.ASCII.GetBytes(label).Prepend((byte)label.Length));
        return [0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, .. labels, 0, 0, type, 0, 1];
    }

    private static byte[] Answer(byte[] query)
    {
        var address = Encoding.ASCII.GetString(query, 13, query[12]).ToUpperInvariant() switch
        {
            "WEB" => "10.77.0.2",
            "SIX" => "fd77::2",
            "TCP" => "10.1.2.3",
            "TCP6" => "2001:db8::3",
            _ => "",
        };
        byte[] header = [query[0], query[1], 0x81, 0x80, 0, 1, 0, (byte)(address.Length == 0 ? 0 : 1), 0, 0, 0, 0];
        if (address.Length == 0)
        {
            return [.. header, .. query[12..]];
        }

        var bytes = IPAddress.Parse(address).GetAddressBytes();
        return [.. header, .. query[12..], 0xC0, 12, 0, (byte)(bytes.Length == 4 ? 1 : 28), 0, 1, 0, 0, 0, (byte)Ttl, 0, (byte)bytes.Length, .. bytes];
    }

    private void Serve(ConntrackNetns network, IPAddress address, Disposables servers)
    {
        var udp = network.InServer(() => new UdpClient(new IPEndPoint(address, 53)));
        var tcp = network.InServer(() => new TcpListener(address, 53));
        tcp.Start();
        servers.Add(udp);
        servers.Add(tcp);
        _ = ServeUdpAsync(udp);
        _ = ServeTcpAsync(tcp);
    }

    private async Task ServeUdpAsync(UdpClient socket)
    {
        while (!ending.IsCancellationRequested)
        {
            var question = await socket.ReceiveAsync(ending.Token);
            await socket.SendAsync(Answer(question.Buffer), question.RemoteEndPoint, ending.Token);
        }
    }

    /// <summary>Each answer leaves in two segments, as long ones do.</summary>
    private async Task ServeTcpAsync(TcpListener listener)
    {
        while (!ending.IsCancellationRequested)
        {
            using var caller = await listener.AcceptTcpClientAsync(ending.Token);
            caller.NoDelay = true;
            var length = new byte[2];
            await caller.GetStream().ReadExactlyAsync(length, ending.Token);
            var question = new byte[BinaryPrimitives.ReadUInt16BigEndian(length)];
            await caller.GetStream().ReadExactlyAsync(question, ending.Token);
            var answer = Answer(question);
            await caller.GetStream().WriteAsync((byte[])[0, (byte)answer.Length, .. answer[..20]], ending.Token);
            await Task.Delay(50, ending.Token);
            await caller.GetStream().WriteAsync(answer.AsMemory(20), ending.Token);
        }
    }

    private async Task<string[]> AskAsync(string query)
    {
        var finished = await FlowsProcess.RunAsync("sql", "--store", directory["store"], "--output", "csv", query);
        Assert.True(finished.ExitCode == 0, finished.ToString());
        return finished.Output.ReplaceLineEndings("\n").Split('\n', StringSplitOptions.RemoveEmptyEntries)[1..];
    }

    /// <summary>What is closed together at the end.</summary>
    private sealed class Disposables : List<IDisposable>, IDisposable
    {
        public void Dispose() => ForEach(one => one.Dispose());
    }
}
