using System.Globalization;
using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.Core.Map;

namespace Flows.Benchmarks.Policy.Simulate;

/// <summary>A connection that really was: who, to whom, when.</summary>
internal sealed record SimConnection(SimEdge Need, Entity Src, NetAddress SrcAddress, Entity Dst, NetAddress DstAddress, long AtUs, int Weight);

/// <summary>Makes traffic, and what collectors would report of it as edges with names as of then.</summary>
internal sealed class SimTraffic(Topology topology, SimFleet fleet)
{
    private readonly Dictionary<(ulong, ulong, ulong, byte, ushort, ushort), Rolled> rolled = [];

    /// <summary>Needs that some collector saw while training.</summary>
    public HashSet<SimTriple> Seen { get; } = [];

    /// <summary>Rolled edges that name a workload that took no part.</summary>
    public int Misattributed { get; private set; }

    /// <summary>The connections of [fromDay, toDay).</summary>
    public List<SimConnection> Connections(int fromDay, int toDay, int salt)
    {
        List<SimConnection> made = [];
        foreach (var (need, index) in topology.Edges.Concat(topology.RetiredEdges).Select((need, index) => (need, index)))
        {
            // A generator of its own for each need, so that more of one changes no other.
            var random = new Random(HashCode(fleet.Plan.Seed, index, fromDay, salt));
            for (var day = fromDay; day < toDay; day++)
            {
                var count = Poisson(need.PerDay * fleet.Plan.Traffic, random);
                for (var i = 0; i < count; i++)
                {
                    if (Make(need, day, random) is { } connection)
                    {
                        made.Add(connection);
                    }
                }
            }
        }

        return made;
    }

    /// <summary>
    /// What lookups by the wrong moment give to the wrong pod: a connection within the last, and within the first, 50 ms of each life of a pod while training.
    /// Addresses are used again after a second.
    /// </summary>
    public List<SimConnection> AtTheEdges()
    {
        const long Close = SimFleet.SecondUs / 20;
        var random = new Random(fleet.Plan.Seed + 15485863);
        var until = SimFleet.StartUs + (fleet.Plan.TrainDays * SimFleet.DayUs);
        List<SimConnection> made = [];
        foreach (var pod in fleet.Pods.Where(pod => pod.Workload is { IsPod: true, HostNetwork: false }))
        {
            var needs = topology.Edges.Concat(topology.RetiredEdges).Where(need => need.Src == pod.Workload || need.Dst == pod.Workload).ToList();
            foreach (var at in needs.Count == 0 ? [] : (long[])[pod.FromUs + random.NextInt64(Close), pod.ToUs - 1 - random.NextInt64(Close)])
            {
                var need = needs[random.Next(needs.Count)];
                var (src, dst) = (need.Src == pod.Workload ? (pod.Entity, pod.Address) : End(need.Src, at, random), need.Dst == pod.Workload ? (pod.Entity, pod.Address) : End(need.Dst, at, random));
                if (at < until && src is { } client && dst is { } server && client.Address != server.Address)
                {
                    made.Add(new SimConnection(need, client.Entity, client.Address, server.Entity, server.Address, at, 1));
                }
            }
        }

        return made;
    }

    /// <summary>Reports connections as the collectors of the plan would, with replies, probes and a scan beside them.</summary>
    public void Observe(IEnumerable<SimConnection> connections)
    {
        var random = new Random(fleet.Plan.Seed + 7919);
        foreach (var connection in connections)
        {
            var nodes = Witnesses(connection.Src, connection.Dst, random);
            if (nodes.Count == 0)
            {
                continue;
            }

            Seen.Add(connection.Need.Triple);
            var src = Named(connection.Need.Src, connection.SrcAddress, connection.AtUs, isClient: true);
            var dst = Named(connection.Need.Dst, connection.DstAddress, connection.AtUs, isClient: false);
            Check(src.Entity, connection.Need.Src);
            Check(dst.Entity, connection.Need.Dst);
            Roll(src, dst, connection.Need, connection.Need.Port, connection.AtUs, connection.Weight, connection.Weight, trusted: true, nodes);

            // One in thirty is met in the middle of its life, and taken for a connection the other way to a client's port.
            if (random.Next(30) == 0)
            {
                Roll(dst, src, null, (ushort)random.Next(32768, 60999), connection.AtUs, 1, 1, trusted: false, nodes, connection.Need.Protocol);
            }
        }
    }

    /// <summary>Kubelets' probes of every pod, and a scanner that tries thirty ports of each.</summary>
    public void ObserveNoise()
    {
        var random = new Random(fleet.Plan.Seed + 104729);
        var noon = SimFleet.StartUs + (3 * SimFleet.DayUs) + (12 * SimFleet.HourUs);
        var scanner = fleet.Running(Topology.ScannerName, noon)[0];
        foreach (var pod in fleet.Pods.Where(pod => pod.FromUs <= noon && noon < pod.ToUs && pod.Workload.IsPod && pod != scanner))
        {
            var node = fleet.NodeEntities.First(node => node.Entity.Name == pod.Entity.Node).Entity;
            Roll((node, false), (pod.Entity, false), null, 8080, noon, 500, 500, trusted: true, [pod.Entity.Node]);
            var listening = topology.Edges.Where(need => need.Dst == pod.Workload && need.Protocol == IpProtocol.Tcp).Select(need => need.Port).ToHashSet();
            foreach (var port in listening.Concat(Enumerable.Range(0, 30).Select(_ => (ushort)random.Next(1, 30000))).Distinct())
            {
                var open = listening.Contains(port);
                Roll((scanner.Entity, false), Named(pod.Workload, pod.Address, noon, isClient: false), null, port, noon, 1, open ? 1 : 0, trusted: true, Witnesses(scanner.Entity, pod.Entity, random));
            }
        }
    }

    public List<Edge> Edges() => [.. rolled.Values.Select(one => one.ToEdge())];

    private static int HashCode(int seed, int index, int day, int salt) => unchecked((((((seed * 31) + index) * 31) + day) * 31) + salt);

    private static int Poisson(double mean, Random random)
    {
        var (limit, product, count) = (Math.Exp(-mean), random.NextDouble(), 0);
        while (product > limit)
        {
            product *= random.NextDouble();
            count++;
        }

        return count;
    }

    private SimConnection? Make(SimEdge need, int day, Random random)
    {
        var begin = SimFleet.StartUs + (day * SimFleet.DayUs);
        var at = begin + random.NextInt64(SimFleet.DayUs);
        if (need.Src.Kind == "CronJob")
        {
            var run = fleet.Of(need.Src.Id).First(pod => pod.FromUs >= begin);
            at = run.FromUs + random.NextInt64(run.ToUs - run.FromUs);
        }

        var src = End(need.Src, at, random);
        var dst = End(need.Dst, at, random);
        return src is null || dst is null || src.Value.Address == dst.Value.Address ? null
            : new SimConnection(need, src.Value.Entity, src.Value.Address, dst.Value.Entity, dst.Value.Address, at, need.Weight);
    }

    private (Entity Entity, NetAddress Address)? End(SimWorkload workload, long at, Random random)
    {
        if (workload.IsOutside)
        {
            // A dozen at a time, and others each day.
            var day = (int)((at - SimFleet.StartUs) / SimFleet.DayUs);
            var number = ((day * 7) + random.Next(Math.Min(12, workload.OutsideAddresses))) % workload.OutsideAddresses;
            var address = NetAddress.FromV4((203u << 24) | (0u << 16) | ((uint)(workload.Name.Length % 250) << 8) | (uint)(number + 1));
            return (Outside(workload, address, isClient: false), address);
        }

        var running = fleet.Running(workload.Id, at);
        return running.Count == 0 ? null : running[random.Next(running.Count)] is var pod ? (pod.Entity, pod.Address) : null;
    }

    private static Entity Outside(SimWorkload workload, NetAddress address, bool isClient) => workload.Named && !isClient
        ? new() { Id = Entity.IdOf("", EntityKind.External, workload.Name), Kind = EntityKind.External, Scope = SimFleet.Cluster, Name = workload.Name }
        : new() { Id = Entity.IdOfUnknown(SimFleet.Cluster, address), Kind = EntityKind.Unknown, Scope = SimFleet.Cluster, Name = address.ToString() };

    private (Entity Entity, bool Ambiguous) Named(SimWorkload workload, NetAddress address, long at, bool isClient) =>
        workload.IsOutside ? (Outside(workload, address, isClient), false) : fleet.NameOf(address, at);

    private void Check(Entity named, SimWorkload truth)
    {
        if (named.Kind == EntityKind.Pod && (named.Namespace != truth.Namespace || (named.Workload.Length > 0 ? named.Workload : named.Name) != truth.Name))
        {
            Misattributed++;
        }
    }

    private List<string> Witnesses(Entity src, Entity dst, Random random) =>
        [.. ((string[])[NodeOf(src), NodeOf(dst)]).Where(node => node.Length > 0).Distinct().Order(StringComparer.Ordinal).Where(node => Sees(fleet, node) && random.NextDouble() >= fleet.Plan.Loss)];

    public static bool Sees(SimFleet fleet, string node) => int.Parse(node.AsSpan(1), CultureInfo.InvariantCulture) > fleet.Plan.BlindNodes;

    public static string NodeOf(Entity entity) => entity.Kind == EntityKind.Pod ? entity.Node : "";

    private void Roll(
        (Entity Entity, bool Ambiguous) src, (Entity Entity, bool Ambiguous) dst, SimEdge? need, ushort port, long at, long count, long answered, bool trusted, List<string> nodes, byte protocol = IpProtocol.Tcp)
    {
        if (nodes.Count == 0)
        {
            return;
        }

        var service = need?.ServicePort is null ? null : ServiceOf(need.Dst);
        var key = (src.Entity.Id, dst.Entity.Id, service?.Id ?? 0, need?.Protocol ?? protocol, port, need?.ServicePort ?? 0);
        if (!rolled.TryGetValue(key, out var there))
        {
            rolled[key] = there = new Rolled(src, dst, service, need?.ServicePort, key.Item4, port);
        }

        there.Add(at, count, answered, trusted, nodes);
    }

    /// <summary>The workload of a pod as landscapes call it; the name of anything else.</summary>
    public static string IdOf(Entity entity) => entity.Kind != EntityKind.Pod ? entity.Name : $"{entity.Namespace}/{(entity.Workload.Length > 0 ? entity.Workload : entity.Name)}";

    public static Entity ServiceOf(SimWorkload workload) => new()
    {
        Id = Entity.IdOf(SimFleet.Cluster, EntityKind.Service, workload.Id),
        Kind = EntityKind.Service,
        Scope = SimFleet.Cluster,
        Cluster = SimFleet.Cluster,
        Uid = workload.Id,
        Namespace = workload.Namespace,
        Name = workload.Name,
        Selector = LabelDictionary.Of([new("app.kubernetes.io/name", workload.Name)]),
    };

    private sealed class Rolled((Entity Entity, bool Ambiguous) src, (Entity Entity, bool Ambiguous) dst, Entity? service, ushort? servicePort, byte protocol, ushort port)
    {
        private readonly HashSet<int> hours = [];
        private readonly SortedSet<string> nodes = new(StringComparer.Ordinal);
        private long connections;
        private long answered;
        private long trusted;
        private long first = long.MaxValue;
        private long last;

        public void Add(long at, long count, long answers, bool isTrusted, List<string> seenBy)
        {
            connections += count;
            answered += answers;
            trusted += isTrusted ? count : 0;
            (first, last) = (Math.Min(first, at), Math.Max(last, at));
            hours.Add(HourSet.HourOf(at));
            nodes.UnionWith(seenBy);
        }

        public Edge ToEdge() => new()
        {
            Src = src.Entity,
            Dst = dst.Entity,
            Service = service,
            ServicePort = servicePort,
            SrcResolvedBy = src.Ambiguous ? ResolvedBy.Ambiguous : ResolvedBy.AsOf,
            DstResolvedBy = dst.Ambiguous ? ResolvedBy.Ambiguous : ResolvedBy.AsOf,
            Protocol = protocol,
            DstPort = port,
            Connections = connections,
            Answered = answered,
            Refused = connections - answered,
            DirectionTrusted = trusted,
            FirstSeenUs = first,
            LastSeenUs = last,
            Nodes = [.. nodes],
            Hours = HourSet.Of(hours),
        };
    }
}
