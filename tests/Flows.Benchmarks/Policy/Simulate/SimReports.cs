using Flows.Core;
using Flows.Core.Accounting;
using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.Core.Policy;
using Flows.Store;

namespace Flows.Benchmarks.Policy.Simulate;

/// <summary>What would mislead whoever takes rows as they come.</summary>
/// <param name="Masqueraded">Rows with a node's address in the place of who sits behind it.</param>
/// <param name="Repeated">Rows of a connection beyond its first.</param>
/// <param name="Misnamed">Rows of which an address is another workload's by the time the row arrives.</param>
internal sealed record SimMisleading(int Masqueraded, int Repeated, int Misnamed)
{
    public static SimMisleading operator +(SimMisleading one, SimMisleading other) =>
        new(one.Masqueraded + other.Masqueraded, one.Repeated + other.Repeated, one.Misnamed + other.Misnamed);
}

/// <summary>
/// What collectors report of connections, row by row, with clocks that are apart, masqueraded sources and rows that come twice; and what the product's own store
/// makes of it. Nothing is put together here.
/// </summary>
internal sealed class SimReports(Topology topology, SimFleet fleet)
{
    private const int RowsOfRecord = 50_000;
    private const ushort FirstPort = 10_000;
    private const ushort Ports = 50_000;

    private readonly Random random = new(fleet.Plan.Seed + 7919);
    private readonly Dictionary<string, NetAddress> addressOfNode = fleet.NodeEntities.ToDictionary(node => node.Entity.Name, node => node.Address);
    private readonly Dictionary<string, NetAddress> addressOfService = topology.Workloads.Select((workload, index) => (workload.Id, index))
        .ToDictionary(one => one.Id, one => NetAddress.FromV4((10u << 24) | (96u << 16) | (uint)(one.index + 10)));

    private readonly List<(string Node, FlowRow Row)> rows = [];
    private readonly List<(string Node, NameFact Name)> names = [];
    private ulong number;

    private long UntilUs => SimFleet.StartUs + (fleet.Plan.TrainDays * SimFleet.DayUs);

    /// <summary>Needs that some collector saw in a form that tells both ends.</summary>
    public HashSet<SimTriple> Seen { get; } = [];

    /// <summary>Connections of which a row came in, within the days to learn from.</summary>
    public long Reported { get; private set; }

    /// <summary>What would mislead whoever takes rows as they come.</summary>
    public SimMisleading Misleading { get; private set; } = new(0, 0, 0);

    public void Observe(IEnumerable<SimConnection> connections)
    {
        foreach (var connection in connections)
        {
            var (need, dst) = (connection.Need, (Address: connection.DstAddress, connection.Need.Port));
            var dialled = need.ServicePort is { } port && need.Dst.IsPod ? (Address: addressOfService[need.Dst.Id], Port: port) : dst;
            var (client, server) = (WitnessOf(connection.Src), WitnessOf(connection.Dst));
            var masquerade = Masquerading(connection, server);
            if (need.Dst.Named && client.Length > 0)
            {
                names.Add((client, new NameFact(connection.SrcAddress.ToString(), need.Dst.Name, connection.DstAddress.ToString(), 60, connection.AtUs + Offset(client) - SimFleet.SecondUs)));
            }

            // Who translates sees both sides of it, whoever sits behind only the far side.
            var translator = masquerade ?? (client.Length > 0 ? client : server);
            var row = RowOf(connection.SrcAddress, dialled, need.Protocol, connection.AtUs) with { NatDst = dialled == dst ? null : dst.Address, NatDstPort = dialled == dst ? null : dst.Port };
            row = masquerade is null ? row : row with { NatSrc = addressOfNode[masquerade], NatSrcPort = NextPort() };
            var near = Report(translator, row);
            var far = server != translator && Report(server, row with { Src = row.NatSrc ?? row.Src, SrcPort = row.NatSrcPort ?? row.SrcPort, Dst = dst.Address, DstPort = dst.Port, NatDst = null, NatDstPort = null, NatSrc = null, NatSrcPort = null });
            Count(row, near, translator, far, server);
            Misleading += new SimMisleading(far && masquerade is not null ? 1 : 0, near && far ? 1 : 0,
                (near && MeetsAnother(connection, translator) ? 1 : 0) + (far && MeetsAnother(connection, server) ? 1 : 0));
            if ((near || (far && masquerade is null)) && IsNamed(connection, FirstSeen(connection.AtUs, near, translator, far, server)))
            {
                Seen.Add(need.Triple);
            }

            // One in thirty is met in the middle of its life, the wrong way round.
            if (random.Next(30) == 0)
            {
                var reversed = RowOf(dst.Address, (connection.SrcAddress, NextPort()), need.Protocol, connection.AtUs) with { SrcPort = dst.Port, State = FlowState.MidStream, DirectionBy = DirectionBy.None };
                Count(reversed, Report(translator, reversed), translator, false, server);
            }
        }
    }

    /// <summary>Kubelets' probes of every pod, and a scanner that tries thirty ports of each.</summary>
    public void ObserveNoise()
    {
        var noon = SimFleet.StartUs + (3 * SimFleet.DayUs) + (12 * SimFleet.HourUs);
        var scanner = fleet.Running(Topology.ScannerName, noon)[0];
        foreach (var pod in fleet.Pods.Where(pod => pod.FromUs <= noon && noon < pod.ToUs && pod.Workload.IsPod && pod != scanner))
        {
            for (var probe = 0; probe < 3; probe++)
            {
                Both(RowOf(addressOfNode[pod.Entity.Node], (pod.Address, 8080), IpProtocol.Tcp, noon + (probe * 10 * SimFleet.SecondUs)), pod.Entity.Node, pod.Entity.Node);
            }

            var listening = topology.Edges.Where(need => need.Dst == pod.Workload && need.Protocol == IpProtocol.Tcp).Select(need => need.Port).ToHashSet();
            foreach (var port in listening.Concat(Enumerable.Range(0, 30).Select(_ => (ushort)random.Next(1, 30_000))).Distinct())
            {
                Both(RowOf(scanner.Address, (pod.Address, port), IpProtocol.Tcp, noon) with { State = listening.Contains(port) ? FlowState.Closed : FlowState.Refused }, scanner.Entity.Node, pod.Entity.Node);
            }
        }

        void Both(FlowRow row, string near, string far) => Count(row, Report(near, row), near, far != near && Report(far, row), far);
    }

    /// <summary>Seals what was reported into a store of the product, and reads from it what a suggestion rests on.</summary>
    public PolicyInput Read()
    {
        var directory = Directory.CreateTempSubdirectory("flows-bench-policy-").FullName;
        try
        {
            using (var store = FlowStore.Open(directory, TimeProvider.System, new StoreOptions()))
            {
                store.AddIdentities([.. fleet.StatementsUntil(UntilUs), .. topology.Workloads.Where(workload => workload.IsPod)
                    .Select(workload => SimFleet.Statement(SimTraffic.ServiceOf(workload), addressOfService[workload.Id], SimFleet.StartUs - SimFleet.DayUs, long.MaxValue))]);
                var records = Records().ToList();
                store.Seal(records);
                records.ForEach(record => record.Flows?.Dispose());
            }

            using var reader = StoreReader.Open(directory);
            return Observation.Read(reader, SimFleet.StartUs, UntilUs, SimFleet.Cluster);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    /// <summary>The node that sees whatever the entity does. With masquerades machines collect too: they are who sees nodes' addresses in place of pods'.</summary>
    private string WitnessOf(Entity entity) => entity.Kind == EntityKind.Vm && fleet.Plan.Masquerade > 0 ? entity.Name : SimTraffic.NodeOf(entity);

    /// <summary>A pod's node on the way out, or any other node that took the connection from outside and passed it on; null for most.</summary>
    private string? Masquerading(SimConnection connection, string server)
    {
        if (random.NextDouble() >= fleet.Plan.Masquerade || server.Length == 0)
        {
            return null;
        }

        if (connection.Src is { Kind: EntityKind.Pod, HostNetwork: false } && connection.Src.Node != server)
        {
            return connection.Src.Node;
        }

        var others = addressOfNode.Keys.Where(node => node != server).Order(StringComparer.Ordinal).ToList();
        return connection.Src.Kind == EntityKind.Unknown ? others[random.Next(others.Count)] : null;
    }

    private FlowRow RowOf(NetAddress src, (NetAddress Address, ushort Port) dst, byte protocol, long atUs) => new()
    {
        WindowStartUs = atUs,
        WindowEndUs = atUs + SimFleet.SecondUs,
        ConnStartUs = atUs,
        ConnId = ++number,
        Src = src,
        SrcPort = NextPort(),
        Dst = dst.Address,
        DstPort = dst.Port,
        Protocol = protocol,
        FwdPackets = 4,
        RevPackets = 3,
        FwdBytes = 400,
        RevBytes = 3000,
        State = FlowState.Closed,
        EndReason = EndReason.End,
        DirectionBy = DirectionBy.CtNew,
        Source = FlowSource.Conntrack,
        ScopeId = StableId.OfScope(SimFleet.Cluster),
        Sampling = 1,
    };

    private ushort NextPort() => (ushort)(FirstPort + (number++ % Ports));

    /// <summary>A row as the node stamps it, and perhaps once more; false where the node sees nothing or lost it.</summary>
    private bool Report(string node, FlowRow row)
    {
        if (node.Length == 0 || (addressOfNode.ContainsKey(node) && !SimTraffic.Sees(fleet, node)) || random.NextDouble() < fleet.Plan.Loss)
        {
            return false;
        }

        var offset = Offset(node);
        row = row with { WindowStartUs = row.WindowStartUs + offset, WindowEndUs = row.WindowEndUs + offset, ConnStartUs = row.ConnStartUs + offset, NodeId = StableId.OfNode(node) };
        rows.Add((node, row));
        if (random.NextDouble() < fleet.Plan.Duplicates)
        {
            Misleading += new SimMisleading(0, 1, 0);
            rows.Add((node, random.Next(3) switch
            {
                0 => row,
                1 => row with { Zone = 1, ConnId = ++number },

                // Packets are met before they are translated.
                _ => row with { Source = FlowSource.Packets, DirectionBy = row.DirectionBy == DirectionBy.CtNew ? DirectionBy.Syn : row.DirectionBy, ConnId = ++number, NatDst = null, NatDstPort = null, NatSrc = null, NatSrcPort = null },
            }));
        }

        return true;
    }

    private void Count(FlowRow row, bool near, string translator, bool far, string server)
    {
        var first = FirstSeen(row.ConnStartUs, near, translator, far, server);
        Reported += first >= SimFleet.StartUs && first < UntilUs ? 1 : 0;
    }

    /// <summary>When the first of the witnesses, by its clock, saw it begin.</summary>
    private long FirstSeen(long us, bool near, string translator, bool far, string server) => Math.Min(near ? us + Offset(translator) : long.MaxValue, far ? us + Offset(server) : long.MaxValue);

    /// <summary>Whether the ledger knows both ends at that moment. Beside the end of a pod's life no clock that is apart can tell; such a connection is nobody's evidence.</summary>
    private bool IsNamed(SimConnection connection, long us)
    {
        return Is(connection.Src, connection.SrcAddress) && Is(connection.Dst, connection.DstAddress);

        bool Is(Entity truth, NetAddress address) => truth is not { Kind: EntityKind.Pod, HostNetwork: false } || fleet.NameOf(address, us).Entity.Id == truth.Id;
    }

    /// <summary>Whether a look-up when the row arrives, a window after the begin by the node's clock, finds a pod of somebody else at an end.</summary>
    private bool MeetsAnother(SimConnection connection, string node)
    {
        var us = connection.AtUs + Offset(node) + SimFleet.SecondUs;
        return Another(connection.Src, connection.SrcAddress) || Another(connection.Dst, connection.DstAddress);

        bool Another(Entity truth, NetAddress address) => truth is { Kind: EntityKind.Pod, HostNetwork: false } && fleet.NameOf(address, us).Entity is { Kind: EntityKind.Pod } there
            && SimTraffic.IdOf(there) != SimTraffic.IdOf(truth);
    }

    private long Offset(string node)
    {
        var at = fleet.NodeEntities.Select(one => one.Entity.Name).ToList().IndexOf(node);
        return at < 0 ? 0 : fleet.Plan.SkewUs * ((2 * at) - (SimFleet.Nodes - 1)) / (SimFleet.Nodes - 1);
    }

    private IEnumerable<IntakeRecord> Records()
    {
        var position = 0UL;
        foreach (var told in names.GroupBy(one => one.Node))
        {
            var account = new AccountReport(told.Key, Guid.Empty, SimFleet.StartUs, UntilUs, []) { Facts = new NodeFacts([], [], [.. told.Select(one => one.Name)]) };
            yield return new(++position, new BatchId(Guid.Empty, 1, position), told.Key, SimFleet.Cluster, UntilUs, null, account);
        }

        foreach (var own in rows.GroupBy(one => one.Node))
        {
            foreach (var chunk in own.Select(one => one.Row).OrderBy(row => row.WindowStartUs).Chunk(RowsOfRecord))
            {
                var builder = new FlowBatchBuilder(chunk.Length);
                foreach (ref readonly var row in chunk.AsSpan())
                {
                    builder.Append(in row);
                }

                yield return new(++position, new BatchId(Guid.Empty, 1, position), own.Key, SimFleet.Cluster, UntilUs, builder.Build(), null);
            }
        }
    }
}
