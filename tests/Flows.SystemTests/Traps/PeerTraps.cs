using System.Net.Sockets;
using System.Text.Json;
using Flows.SystemTests.Cli;
using Xunit;

namespace Flows.SystemTests.Traps;

/// <summary>Traps about peers outside and about strangers within: IPv6, names behind one shared address, a scanner.</summary>
[Collection(TrapSuite.Name)]
public sealed class PeerTraps(TrapRun run)
{
    private const string Shared = "203.0.113.110";
    private const int Scanned = 30;

    internal static void Prepare(TrapLab lab)
    {
        lab.East.Pod("t05-client", "10.10.1.50", pod => pod with { Addresses = ["10.10.1.50", "fd00:10:1::50"] });
        foreach (var host in new[] { 100, 101, 102 })
        {
            lab.East.Pod($"t10-client-{host}", $"10.10.1.{host}");
        }

        lab.East.Pod("t11-scanner", "10.10.1.110");
        lab.East.Pod("t11-victim", "10.10.2.110");
        lab.East.Pod("t11-client", "10.10.1.111");
    }

    internal static async Task SpeakAsync(TrapLab lab)
    {
        TrapTalk.Exchange(new TrapEnd(lab.Network.PodsA, "fd00:10:1::50"), lab.World("2001:db8:5::10"), 10500);

        // Two pods know one address by two names. The answers count for a second; the first connection outlives its answer, another name for the same address, and a collector.
        var names = lab.World("203.0.113.53");
        TrapTalk.Resolve(lab.A(100), names, "shop.cdn.example", Shared);
        TrapTalk.Resolve(lab.A(101), names, "bank.cdn.example", Shared);
        lab.Lasting["t10"] = TrapTalk.Open(lab.A(100), lab.World(Shared), 11000);
        TrapTalk.Exchange(lab.A(101), lab.World(Shared), 11000);
        TrapTalk.Exchange(lab.A(102), lab.World(Shared), 11000);
        await Task.Delay(3000);
        TrapTalk.Resolve(lab.A(100), names, "ads.cdn.example", Shared);
        lab.Lasting["t10"].Speak();

        using (TrapTalk.Listen(lab.B(110), 11150))
        {
            Assert.Equal(SocketError.Success, TrapTalk.Try(lab.A(110), "10.10.2.110", 11150));
        }

        for (var port = 11100; port < 11100 + Scanned; port++)
        {
            Assert.Equal(SocketError.ConnectionRefused, TrapTalk.Try(lab.A(110), "10.10.2.110", port));
        }

        TrapTalk.Exchange(lab.A(111), lab.B(110), 11150);
    }

    [Fact]
    public Task T05_a_peer_outside_with_ipv6_is_its_address() =>
        run.HoldsAsync(5, "pod shop/t05-client -> unknown 2001:db8:5::10 tcp/10500 | 1 answered | as_of unknown | node-a node-b");

    [Fact]
    public async Task T10_each_connection_has_the_name_that_its_client_was_told_before_it_began()
    {
        // The first one is in two reports, of two collectors: the later one is named by its begin, too.
        await run.HoldsAsync(
            10,
            "pod shop/t10-client-100 -> external shop.cdn.example tcp/11000 | 1 answered | as_of name | node-a node-b",
            "pod shop/t10-client-101 -> external bank.cdn.example tcp/11000 | 1 answered | as_of name | node-a node-b",
            $"pod shop/t10-client-102 -> unknown {Shared} tcp/11000 | 1 answered | as_of unknown | node-a node-b");
    }

    [Fact]
    public async Task T11_a_scanner_is_called_one_and_its_attempts_are_no_need()
    {
        await run.HoldsAsync(
            11,
            [
                .. Enumerable.Range(11100, Scanned).Select(port => $"pod shop/t11-scanner -> pod shop/t11-victim tcp/{port} | 1 refused | as_of as_of | node-a node-b"),
                "pod shop/t11-scanner -> pod shop/t11-victim tcp/11150 | 1 answered | as_of as_of | node-a node-b",
                "pod shop/t11-client -> pod shop/t11-victim tcp/11150 | 1 answered | as_of as_of | node-a node-b",
            ]);
        await run.AllowsAsync("t11", "shop/t11-client-pod to shop app=t11-victim: TCP/11150", "shop/t11-victim-pod from shop app=t11-client: TCP/11150");
        var map = await FlowsProcess.RunAsync("map", "--store", run.Lab.Store, "--level", "pod", "--output", "json");
        using var document = JsonDocument.Parse(map.Output);
        var scanners = document.RootElement.GetProperty("nodes").EnumerateArray().Where(node => node.GetProperty("flags").EnumerateArray().Any(flag => flag.GetString() == "scanner"));
        Assert.EndsWith("shop/t11-scanner", Assert.Single(scanners).GetProperty("label").GetString(), StringComparison.Ordinal);
    }
}
