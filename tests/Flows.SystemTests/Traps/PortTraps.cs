using Flows.FakeCluster;
using Xunit;

namespace Flows.SystemTests.Traps;

/// <summary>Traps about ports, services and labels: what was dialled, who answered, and what may be told apart.</summary>
[Collection(TrapSuite.Name)]
public sealed class PortTraps(TrapRun run)
{
    internal static void Prepare(TrapLab lab)
    {
        var east = lab.East;
        foreach (var (trap, host) in new[] { ("t01", 11), ("t02", 21), ("t03", 31), ("t04", 41) })
        {
            east.Pod($"{trap}-client", $"10.10.1.{host}");
            east.Pod($"{trap}-server", $"10.10.2.{host}");
        }

        east.Service("t01", "10.96.1.1", new FakePort("http", 10180, "10108"));

        // The same labels and the same name in another namespace.
        east.Pod("t04-server", "10.10.2.42", pod => pod with { Namespace = "data" });
        east.Pod("t04-other", "10.10.1.42", pod => pod with { Namespace = "data", Labels = new Dictionary<string, string> { ["app"] = "t04-client" } });

        // Port "http" is another number in each pod; two slices, as the controller makes them.
        east.Pod("t14-client", "10.10.1.140");
        var one = east.Pod("t14-server-1", "10.10.2.141", pod => pod with { Labels = new Dictionary<string, string> { ["app"] = "t14-server" } });
        var two = east.Pod("t14-server-2", "10.10.2.142", pod => pod with { Labels = new Dictionary<string, string> { ["app"] = "t14-server" } });
        east.Service("t14", "10.96.1.14", new FakePort("http", 11480, "http"));
        east.Slice("t14", "a", 11400, new FakeEndpoint("10.10.2.141", one.Uid, one.Name));
        east.Slice("t14", "b", 11401, new FakeEndpoint("10.10.2.142", two.Uid, two.Name));

        // A service without an address, and one whose endpoints somebody wrote by hand.
        east.Pod("t15-client", "10.10.1.150");
        var headless = east.Pod("t15-server", "10.10.2.150");
        east.Service("t15-headless", "None", new FakePort("http", 11500, "11500"));
        east.Slice("t15-headless", "a", 11500, new FakeEndpoint("10.10.2.150", headless.Uid, headless.Name));
        east.Service("t15-outside", "10.96.1.15", new FakePort("http", 11580, "11501"), selects: false);
        east.Slice("t15-outside", "manual", 11501, new FakeEndpoint("203.0.113.15"));

        east.Pod("t18-server", "10.10.1.180");
        east.Service("t18", "10.96.1.18", new FakePort("http", 11880, "11800"));
    }

    internal static void Speak(TrapLab lab)
    {
        TrapTalk.Exchange(lab.A(11), "10.96.1.1", 10180, lab.B(11), 10108);

        TrapTalk.Exchange(lab.A(21), lab.B(21), 10200);
        using (var asking = TrapTalk.Datagrams(lab.A(21), 0))
        using (var answering = TrapTalk.Datagrams(lab.B(21), 10200))
        {
            TrapTalk.Ask(asking, answering);
        }

        TrapTalk.Exchange(lab.A(31), lab.B(31), 10300);
        TrapTalk.Exchange(lab.A(31), lab.B(31), 10301);
        TrapTalk.Exchange(lab.A(31), lab.B(31), 10301);

        TrapTalk.Exchange(lab.A(41), lab.B(41), 10400);
        TrapTalk.Exchange(lab.A(42), lab.B(42), 10401);

        // The rule takes the backends in turns, so each is told where the other one does not listen.
        using (var one = TrapTalk.Listen(lab.B(141), 11400))
        using (var two = TrapTalk.Listen(lab.B(142), 11401))
        {
            for (var turn = 0; turn < 4; turn++)
            {
                TrapTalk.Dial(lab.A(140), "10.96.1.14", 11480).Dispose();
            }
        }

        TrapTalk.Exchange(lab.A(150), lab.B(150), 11500);
        TrapTalk.Exchange(lab.A(150), "10.96.1.15", 11580, lab.World("203.0.113.15"), 11501);
        TrapTalk.Exchange(lab.A(180), "10.96.1.18", 11880, lab.A(180), 11800);
    }

    [Fact]
    public async Task T01_service_port_is_not_the_target_port_and_rules_name_the_target()
    {
        await run.HoldsAsync(1, "pod shop/t01-client -> pod shop/t01-server tcp/10108 via shop/t01:10180 | 1 answered | as_of as_of | node-a node-b");
        await run.AllowsAsync("t01", "shop/t01-client-pod to shop app=t01-server: TCP/10108", "shop/t01-server-pod from shop app=t01-client: TCP/10108");
    }

    [Fact]
    public async Task T02_tcp_and_udp_on_one_port_are_two_edges_and_both_in_the_rule()
    {
        await run.HoldsAsync(
            2,
            "pod shop/t02-client -> pod shop/t02-server tcp/10200 | 1 answered | as_of as_of | node-a node-b",
            "pod shop/t02-client -> pod shop/t02-server udp/10200 | 1 answered | as_of as_of | node-a node-b");
        await run.AllowsAsync("t02", "shop/t02-client-pod to shop app=t02-server: TCP/10200 UDP/10200", "shop/t02-server-pod from shop app=t02-client: TCP/10200 UDP/10200");
    }

    [Fact]
    public async Task T03_two_ports_between_one_pair_are_two_edges_and_both_in_the_rule()
    {
        await run.HoldsAsync(
            3,
            "pod shop/t03-client -> pod shop/t03-server tcp/10300 | 1 answered | as_of as_of | node-a node-b",
            "pod shop/t03-client -> pod shop/t03-server tcp/10301 | 2 answered | as_of as_of | node-a node-b");
        await run.AllowsAsync("t03", "shop/t03-client-pod to shop app=t03-server: TCP/10300 TCP/10301", "shop/t03-server-pod from shop app=t03-client: TCP/10300 TCP/10301");
    }

    [Fact]
    public async Task T04_equal_labels_in_two_namespaces_are_two_pairs_and_no_rule_crosses_them()
    {
        await run.HoldsAsync(
            4,
            "pod shop/t04-client -> pod shop/t04-server tcp/10400 | 1 answered | as_of as_of | node-a node-b",
            "pod data/t04-other -> pod data/t04-server tcp/10401 | 1 answered | as_of as_of | node-a node-b");
        await run.AllowsAsync(
            "t04",
            "shop/t04-client-pod to shop app=t04-server: TCP/10400", "shop/t04-server-pod from shop app=t04-client: TCP/10400",
            "data/t04-other-pod to data app=t04-server: TCP/10401", "data/t04-server-pod from data app=t04-client: TCP/10401");
    }

    [Fact]
    public Task T14_a_named_port_is_the_number_that_each_pod_answered_at() => run.HoldsAsync(
        14,
        "pod shop/t14-client -> pod shop/t14-server-1 tcp/11400 via shop/t14:11480 | 2 answered | as_of as_of | node-a node-b",
        "pod shop/t14-client -> pod shop/t14-server-2 tcp/11401 via shop/t14:11480 | 2 answered | as_of as_of | node-a node-b");

    [Fact]
    public Task T15_headless_services_are_their_pods_and_endpoints_by_hand_are_who_they_are() => run.HoldsAsync(
        15,
        "pod shop/t15-client -> pod shop/t15-server tcp/11500 | 1 answered | as_of as_of | node-a node-b",
        "pod shop/t15-client -> unknown 203.0.113.15 tcp/11501 via shop/t15-outside:11580 | 1 answered | as_of unknown | node-a node-b");

    [Fact]
    public Task T18_a_pod_that_calls_itself_through_its_service_is_both_ends() =>
        run.HoldsAsync(18, "pod shop/t18-server -> pod shop/t18-server tcp/11800 via shop/t18:11880 | 1 answered | as_of as_of | node-a");
}
