using System.Net.Sockets;
using Xunit;

namespace Flows.SystemTests.Traps;

/// <summary>Traps about the connection itself: older than the collector, answered before it was asked, met at eight interfaces, refused or ignored or cut off.</summary>
[Collection(TrapSuite.Name)]
public sealed class ConnectionTraps(TrapRun run)
{
    /// <summary>Longer than the nodes remember an answered exchange of datagrams.</summary>
    private static readonly TimeSpan Forgotten = TimeSpan.FromSeconds(4.5);

    internal static void Prepare(TrapLab lab)
    {
        foreach (var (trap, host) in new[] { ("t12", 120), ("t13", 130), ("t24", 240) })
        {
            lab.East.Pod($"{trap}-client", $"10.10.1.{host}");
            lab.East.Pod($"{trap}-server", $"10.10.2.{host}");
        }

        lab.West.Pod("t19-client", "10.10.1.190");
        lab.West.Pod("t19-server", "10.10.2.190");

        // Before anybody watches.
        lab.Lasting["t12"] = TrapTalk.Open(lab.A(120), lab.B(120), 11200);
        lab.Lasting["t12"].Speak();
    }

    internal static Task SpeakAsync(TrapLab lab) => Task.WhenAll(AnswerFirstAsync(lab), Task.Run(() => Rest(lab)));

    /// <summary>A server whose exchange the nodes have forgotten speaks next: for them, it now is the one who began.</summary>
    private static async Task AnswerFirstAsync(TrapLab lab)
    {
        using var client = TrapTalk.Datagrams(lab.A(130), 40_130);
        using var server = TrapTalk.Datagrams(lab.B(130), 11300);
        TrapTalk.Ask(client, server);
        await Task.Delay(Forgotten);
        TrapTalk.Ask(server, client);
    }

    private static void Rest(TrapLab lab)
    {
        lab.Lasting["t12"].Speak();
        using (var connection = TrapTalk.Open(lab.West1(190), lab.West2(190), 11900))
        {
            connection.Speak(20_000);
        }

        var (client, server) = (lab.A(240), lab.B(240));
        Assert.Equal(SocketError.ConnectionRefused, TrapTalk.Try(client, server.Address, 12400));
        Assert.Equal(SocketError.TimedOut, TrapTalk.Try(client, server.Address, 12401, patienceMs: 400));
        Assert.Equal(SocketError.ConnectionRefused, TrapTalk.Try(client, server.Address, 12402));
        Assert.Equal(SocketError.HostUnreachable, TrapTalk.Try(client, server.Address, 12403));
        TrapTalk.Exchange(client, server, 12405);
        var cut = TrapTalk.Open(client, server, 12404);
        cut.Speak();
        cut.Server.LingerState = new LingerOption(true, 0);
        cut.Server.Dispose();
        cut.Client.Dispose();
    }

    [Fact]
    public Task T12_a_connection_older_than_its_collectors_is_known_and_counted_once() =>
        run.HoldsAsync(12, "pod shop/t12-client -> pod shop/t12-server tcp/11200 | 1 answered | as_of as_of | node-a node-b");

    [Fact]
    public Task T13_a_server_that_speaks_first_becomes_no_client() =>
        run.HoldsAsync(13, "pod shop/t13-client -> pod shop/t13-server udp/11300 | 2 answered, 1 untrusted | as_of as_of | node-a node-b");

    [Fact]
    public async Task T19_what_four_interfaces_of_two_nodes_see_is_one_connection_with_its_bytes_once()
    {
        await run.HoldsAsync(19, "pod shop/t19-client -> pod shop/t19-server tcp/11900 | 1 answered | as_of as_of | west-1 west-2");
        var row = Assert.Single(await run.AskAsync("SELECT sum(fwd_bytes)::BIGINT AS fwd, sum(rev_bytes)::BIGINT AS rev FROM edges WHERE dst_port = 11900"));

        // 20,000 bytes each way, and headers of at most some fifty packets.
        Assert.InRange(row.GetProperty("fwd").GetInt64(), 20_000, 23_000);
        Assert.InRange(row.GetProperty("rev").GetInt64(), 20_000, 23_000);
    }

    [Fact]
    public async Task T24_refused_ignored_and_cut_off_are_told_apart()
    {
        // A silent drop and a prohibition by ICMP look the same to conntrack: nobody answered. It is not called denied.
        await run.HoldsAsync(
            24,
            "pod shop/t24-client -> pod shop/t24-server tcp/12400 | 1 refused | as_of as_of | node-a node-b",
            "pod shop/t24-client -> pod shop/t24-server tcp/12401 | 1 unanswered | as_of as_of | node-a node-b",
            "pod shop/t24-client -> pod shop/t24-server tcp/12402 | 1 refused | as_of as_of | node-a",
            "pod shop/t24-client -> pod shop/t24-server tcp/12403 | 1 unanswered | as_of as_of | node-a",
            "pod shop/t24-client -> pod shop/t24-server tcp/12404 | 1 answered | as_of as_of | node-a node-b",
            "pod shop/t24-client -> pod shop/t24-server tcp/12405 | 1 answered | as_of as_of | node-a node-b");
        var states = await run.AskAsync("SELECT DISTINCT dst_port, state FROM flow_log WHERE dst_port BETWEEN 12400 AND 12499 ORDER BY ALL");
        Assert.Equal(
            ["12400 refused", "12401 unanswered", "12402 refused", "12403 unanswered", "12404 reset", "12405 closed"],
            states.Select(row => $"{row.GetProperty("dst_port")} {row.GetProperty("state").GetString()}"));
        await run.AllowsAsync("t24", "shop/t24-client-pod to shop app=t24-server: TCP/12404 TCP/12405", "shop/t24-server-pod from shop app=t24-client: TCP/12404 TCP/12405");
    }
}
