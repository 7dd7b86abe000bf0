using Flows.Core.Facts;

namespace Flows.Benchmarks.Policy.Simulate;

/// <summary>Something that runs: pods of one owner, or one machine.</summary>
/// <param name="Kind">Deployment, StatefulSet, DaemonSet, CronJob, Pod (without an owner), Vm or Outside.</param>
internal sealed record SimWorkload(string Namespace, string Name, string Kind, int Replicas)
{
    public bool HostNetwork { get; init; }

    /// <summary>Addresses outside that answer in turn, each for a day; 0 where it is inside.</summary>
    public int OutsideAddresses { get; init; }

    /// <summary>Clients know the outside by DNS name.</summary>
    public bool Named { get; init; }

    /// <summary>Labels beside those that every pod has.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    /// <summary>Deleted for good while training; what it needed nobody needs any more.</summary>
    public bool Retires { get; init; }

    public bool IsPod => Kind is not ("Vm" or "Outside");

    public bool IsOutside => Kind == "Outside";

    public string Id => Namespace.Length == 0 ? Name : $"{Namespace}/{Name}";

    public override string ToString() => Id;
}

/// <summary>A need that is true by construction.</summary>
/// <param name="Port">Where the server answers.</param>
/// <param name="ServicePort">What clients dial, where a service stands in front; null where none does.</param>
/// <param name="PerDay">Sampled connections a day.</param>
/// <param name="Weight">Connections that one sample stands for.</param>
internal sealed record SimEdge(SimWorkload Src, SimWorkload Dst, byte Protocol, ushort Port, ushort? ServicePort, double PerDay, int Weight)
{
    /// <summary>The edge as workloads see it.</summary>
    public SimTriple Triple => new(Src.Id, Dst.Id, Protocol, Port);
}

internal readonly record struct SimTriple(string Src, string Dst, byte Protocol, ushort Port)
{
    public override string ToString() => $"{Src} -> {Dst} {IpProtocol.NameOf(Protocol)} {Port}";
}

/// <summary>What a client could try and never needs.</summary>
internal sealed record SimUntrue(SimWorkload Client, SimWorkload Server, byte Protocol, ushort Port)
{
    public override string ToString() => $"{Client} -> {Server} {Port}";
}

/// <summary>An application landscape: who runs, and who needs whom.</summary>
internal sealed class Topology(string name)
{
    public const string ScannerName = "toolbox/scanner";

    /// <summary>The application whose needs others wrote down: none is added.</summary>
    public const string Published = "online-boutique";

    private readonly Dictionary<string, SimWorkload> workloads = new(StringComparer.Ordinal);

    public string Name => name;

    public IReadOnlyCollection<SimWorkload> Workloads => workloads.Values;

    /// <summary>What is needed, to the end.</summary>
    public List<SimEdge> Edges { get; } = [];

    /// <summary>What those needed that retire.</summary>
    public List<SimEdge> RetiredEdges { get; } = [];

    public SimWorkload this[string id] => workloads[id];

    public Topology Add(string ns, string names, string kind = "Deployment", int replicas = 2, bool host = false, params (string Key, string Value)[] labels)
    {
        foreach (var one in names.Split(' '))
        {
            var workload = new SimWorkload(ns, one, kind, kind is "Pod" or "Vm" or "CronJob" ? 1 : replicas)
            {
                HostNetwork = host,
                Labels = labels.ToDictionary(label => label.Key, label => label.Value),
            };
            workloads[workload.Id] = workload;
        }

        return this;
    }

    public Topology Outside(string id, int addresses, bool named = false)
    {
        workloads[id] = new SimWorkload("", id, "Outside", 1) { OutsideAddresses = addresses, Named = named };
        return this;
    }

    /// <summary>A need; the service's port differs from the pod's for two of five.</summary>
    public Topology Needs(string src, string dst, ushort port, double perDay = 12, byte protocol = IpProtocol.Tcp, int weight = 20)
    {
        var server = workloads[dst];
        var service = server.IsPod && server is { HostNetwork: false } && server.Kind != "Pod" ? (ushort?)((port + dst.Length) % 5 < 2 ? 80 : port) : null;
        Edges.Add(new SimEdge(workloads[src], server, protocol, port, service, perDay, weight));
        return this;
    }

    /// <summary>Needs that come up once in a week or two, one connection at a time.</summary>
    public Topology Rarely(string src, string dst, ushort port) => Needs(src, dst, port, perDay: 0.12, weight: 1);

    /// <summary>Rare needs beside the regular ones, about one for six; name resolution for every pod; and a scanner that nobody needs.</summary>
    public Topology WithCluster(ushort dnsPort = 53)
    {
        var regular = Edges.ToList();
        for (var i = 0; i < regular.Count; i += 6)
        {
            var (client, server) = (regular[i].Src, regular[(i + 3) % regular.Count]);
            if (client is { IsPod: true, HostNetwork: false, Kind: not "CronJob" } && server.Dst is { IsPod: true, HostNetwork: false } && client != server.Dst
                && !Edges.Exists(edge => edge.Src == client && edge.Dst == server.Dst && edge.Port == server.Port) && name != Published)
            {
                Rarely(client.Id, server.Dst.Id, server.Port);
            }
        }

        var clients = workloads.Values.Where(workload => workload.IsPod && !workload.HostNetwork).ToList();
        Add("kube-system", "coredns", "Deployment", 2, false, ("k8s-app", "kube-dns"));
        foreach (var client in clients)
        {
            Edges.Add(new SimEdge(client, workloads["kube-system/coredns"], IpProtocol.Udp, dnsPort, 53, client.Kind == "CronJob" ? 1 : 6, 30));
        }

        if (name != Published && regular.Find(edge => edge.Dst is { IsPod: true, HostNetwork: false }) is { } busiest)
        {
            var retired = new SimWorkload(busiest.Dst.Namespace, "legacy", "Deployment", 2) { Retires = true };
            workloads[retired.Id] = retired;
            RetiredEdges.Add(busiest with { Src = retired });
            RetiredEdges.Add(busiest with { Src = busiest.Dst, Dst = retired, Port = 8088, ServicePort = 8088 });
        }

        return Add("toolbox", "scanner", "Pod");
    }
}
