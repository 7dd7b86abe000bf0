using System.Collections.Concurrent;
using Flows.Core;
using Flows.SystemTests.Cli;

namespace Flows.SystemTests.Traps;

/// <summary>What traps are laid in: the network, both clusters, and the product's processes on it.</summary>
internal sealed class TrapLab : IAsyncDisposable
{
    /// <summary>A machine that no cluster knows; it stands in a file.</summary>
    private const string Inventory = """
        {"scope":"east","addr":"192.168.50.10","kind":"vm","name":"vm-1"}

        """;

    private readonly TemporaryDirectory directory = new();
    private readonly List<FlowsProcess> collectors = [];
    private FlowsProcess? server;

    private TrapLab(TrapNetwork network, TrapCluster east, TrapCluster west) => (Network, East, West) = (network, east, west);

    public TrapNetwork Network { get; }

    public TrapCluster East { get; }

    public TrapCluster West { get; }

    public string Store => directory["store"];

    /// <summary>What the first node of the overlay recorded.</summary>
    public string Recording => directory["west-1.pcapng"];

    public string this[string name] => directory[name];

    /// <summary>Connections that outlive a collector, by trap: whoever opened them leaves their end to the run.</summary>
    public ConcurrentDictionary<string, TrapConnection> Lasting { get; } = new();

    /// <summary>When something happened, µs.</summary>
    public ConcurrentDictionary<string, long> Times { get; } = new();

    /// <summary>Notes that something happens now.</summary>
    public void Mark(string what) => Times[what] = TimeProvider.System.NowUs();

    public static async Task<TrapLab> StartAsync() => new(new TrapNetwork(), await TrapCluster.StartAsync(), await TrapCluster.StartAsync());

    /// <summary>An address of a pod of the routed cluster, by the last part.</summary>
    public TrapEnd A(int host) => new(Network.PodsA, $"{TrapNetwork.PodsOfA}{host}");

    public TrapEnd B(int host) => new(Network.PodsB, $"{TrapNetwork.PodsOfB}{host}");

    public TrapEnd World(string address) => new(Network.World, address);

    public TrapEnd West1(int host) => new(Network.WestPods1, $"{TrapNetwork.PodsOfA}{host}");

    public TrapEnd West2(int host) => new(Network.WestPods2, $"{TrapNetwork.PodsOfB}{host}");

    public string Write(string name, string text) => directory.Write(name, text);

    /// <summary>A server that watches both clusters, and a collector on every node but G: by conntrack in the routed cluster, by packets in the overlay.</summary>
    public async Task WatchAsync()
    {
        Write("east.yaml", East.Api.Kubeconfig());
        Write("west.yaml", West.Api.Kubeconfig());
        Write("machines.jsonl", Inventory);
        server = FlowsProcess.Start(
            "serve", "--store", Store, "--listen", $"unix:{directory["s"]}", "--inventory", directory["machines.jsonl"],
            "--kubernetes", $"east,kubeconfig={directory["east.yaml"]},scope=east", "--kubernetes", $"west,kubeconfig={directory["west.yaml"]},scope=west");
        await server.SaysAsync("serving on");
        string[] overlay = ["--interface", "veth0", "--interface", "br0", "--interface", "vx0", "--interface", "up0"];
        collectors.Add(Collect(Network.NodeA, "node-a", "east", "--conntrack", "--names-interface", "pods"));
        collectors.Add(Collect(Network.NodeB, "node-b", "east", "--conntrack"));
        collectors.Add(Collect(Network.WestNode1, "west-1", "west", [.. overlay, "--record", Recording]));
        collectors.Add(Collect(Network.WestNode2, "west-2", "west", overlay));
        await Task.WhenAll(collectors.Select(one => one.SaysAsync("collecting on")));
    }

    /// <summary>Another collector takes over from node A's, with the same spool, while connections live on.</summary>
    public async Task RestartAsync()
    {
        await collectors[0].EndAsync(FlowsProcess.SigTerm);
        collectors[0] = Collect(Network.NodeA, "node-a", "east", "--conntrack", "--names-interface", "pods");
        await collectors[0].SaysAsync("collecting on");
    }

    /// <summary>Ends all in order, so that everything is stored and rolled up.</summary>
    public async Task EndAsync()
    {
        foreach (var finished in await Task.WhenAll(collectors.Select(one => one.EndAsync(FlowsProcess.SigTerm))))
        {
            Xunit.Assert.True(finished.Finished.ExitCode == 0 && !finished.Finished.Error.Contains("stay in the spool", StringComparison.Ordinal), finished.Finished.ToString());
        }

        var (ended, _) = await server!.EndAsync(FlowsProcess.SigTerm);
        Xunit.Assert.True(ended.ExitCode == 0, ended.ToString());
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in collectors.Append(server))
        {
            if (process is not null)
            {
                await process.DisposeAsync();
            }
        }

        await East.DisposeAsync();
        await West.DisposeAsync();
        Network.Dispose();
        directory.Dispose();
    }

    private FlowsProcess Collect(string space, string node, string scope, params string[] sources) => Conntrack.ConntrackNetns.In(space, () => FlowsProcess.Start(
        ["collect", "--server", $"unix:{directory["s"]}", "--node", node, "--scope", scope, "--spool", directory[node], "--no-cloud-metadata", .. sources]));
}
