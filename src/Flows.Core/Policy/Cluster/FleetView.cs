using Flows.Core.Facts;

namespace Flows.Core.Policy;

/// <summary>Who stands where at one moment: what a question by name or address is answered from. For one thread at a time.</summary>
public sealed class FleetView
{
    // A chain of names that goes on is a circle.
    private const int AliasesMax = 8;

    private readonly Dictionary<string, FleetPod> pods = new(StringComparer.Ordinal);
    private readonly Dictionary<string, FleetHost> hosts = new(StringComparer.Ordinal);
    private readonly Dictionary<NetAddress, FleetPod> podsByAddress = [];
    private readonly Dictionary<NetAddress, FleetHost> hostsByAddress = [];
    private readonly Dictionary<(string, bool), Party> ends = [];
    private readonly ServiceDoors doors;
    private readonly ServiceBackends backends;
    private readonly ServiceMembers members;
    private readonly ServiceNames names;

    public FleetView(
        IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> namespaceLabels, IReadOnlyList<FleetPod> pods, IReadOnlyList<FleetHost> hosts, IReadOnlyList<FleetService> services)
    {
        members = new ServiceMembers(services);
        NamespaceLabels = namespaceLabels;
        (Pods, Hosts, Services) = ([.. pods.Select(members.Join)], hosts, services);
        foreach (var pod in Pods)
        {
            this.pods[pod.Party.Id] = pod;
            foreach (var address in pod.Addresses.Where(_ => pod.Party.Selectable))
            {
                podsByAddress.TryAdd(address, pod);
            }
        }

        foreach (var host in hosts)
        {
            this.hosts.TryAdd(host.Name, host);
            this.hosts.TryAdd(host.Party.Id, host);
            host.Addresses.ToList().ForEach(address => hostsByAddress.TryAdd(address, host));
        }

        doors = new ServiceDoors(services, Pods);
        backends = new ServiceBackends(Pods);
        names = new ServiceNames(services);
    }

    public IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> NamespaceLabels { get; }

    public IReadOnlyList<FleetPod> Pods { get; }

    public IReadOnlyList<FleetHost> Hosts { get; }

    public IReadOnlyList<FleetService> Services { get; }

    /// <summary>
    /// The connections that a question means: one, or where it goes to a service one for each backend that the client may get. None: nobody listens there, since the
    /// port's name is none at the destination, the service has no such port or backend, or an end has ended.
    /// </summary>
    /// <param name="src">A pod as <c>namespace/name</c>, an address, the name of a host, or a DNS name.</param>
    /// <param name="dst">The same; an address or a DNS name may be a service's.</param>
    /// <param name="port">A number, or a name that the destination resolves: a service among its ports, a pod among its containers'.</param>
    /// <exception cref="FlowsException">An end is not known.</exception>
    public IReadOnlyList<Connection> Connections(string src, string dst, string port, byte protocol) => Connections(src, dst, port, protocol, []);

    /// <summary>The connection between two ends; null where the port's name is none at the destination, or an end has ended.</summary>
    /// <param name="v4">The family in which they talk; null: that of the address which is asked for, else the first that both have.</param>
    public Connection? Between(string src, string dst, string port, byte protocol, bool? v4 = null)
    {
        if (HasEnded(src) || HasEnded(dst))
        {
            return null;
        }

        var family = v4 ?? FamilyOf(src) ?? FamilyOf(dst) ?? CommonFamily(AddressesOf(src), AddressesOf(dst));
        var (from, to) = (End(src, family), End(dst, family));
        return (ServiceDoors.NumberOf(port) ?? to.PortNamed(port, protocol)) is { } number
            ? new Connection(from, to, protocol, number) { OwnNode = IsOwnNode(from, to) || IsOwnNode(to, from) }
            : null;
    }

    private IReadOnlyList<Connection> Connections(string src, string dst, string port, byte protocol, IReadOnlyList<string> aliases)
    {
        if (NetAddress.TryParse(dst, out var address))
        {
            return ToAddress(src, dst, address, port, protocol);
        }

        if (!pods.ContainsKey(dst) && !hosts.ContainsKey(dst) && names.Find(dst) is var (service, hostName))
        {
            return ToName(src, service, hostName, port, protocol, [.. aliases, dst]);
        }

        // Names by which an alias was followed stood for the address, too.
        return [.. One(Between(src, dst, port, protocol)).Select(only => aliases.Count == 0 ? only : only with { Dst = only.Dst with { Names = [.. only.Dst.Names, .. aliases] } })];
    }

    private IReadOnlyList<Connection> ToAddress(string src, string dst, NetAddress address, string port, byte protocol)
    {
        var host = hostsByAddress.GetValueOrDefault(address);
        if (doors.Find(address, host, port, protocol) is { } door)
        {
            return Through(door, src, address);
        }

        if (host is not null && ServiceDoors.NumberOf(port) is { } number && doors.Borrower(address, host, number, protocol) is var (pod, target))
        {
            return [.. One(Between(src, pod.Party.Id, Text(target), protocol, address.IsV4)).Select(only => only with { Dialled = new Dialled(address, number) })];
        }

        return doors.IsCluster(address) ? [] : One(Between(src, dst, port, protocol));
    }

    private IReadOnlyList<Connection> ToName(string src, FleetService service, string hostName, string port, byte protocol, IReadOnlyList<string> aliases)
    {
        if (service.ExternalName is { } target)
        {
            // What looks like an address is a name too, says the API, and none that DNS resolves.
            return aliases.Count > AliasesMax || NetAddress.TryParse(target, out _) ? [] : Connections(src, target.TrimEnd('.'), port, protocol, aliases);
        }

        if (service.ClusterAddresses.Count == 0)
        {
            return Headless(src, service, hostName, port, protocol);
        }

        // Only endpoints of headless services have names.
        var own = FamilyOf(src) ?? CommonFamily(AddressesOf(src), service.ClusterAddresses);
        return hostName.Length > 0 ? []
            : [.. service.ClusterAddresses.Where(address => address.IsV4 == own).Take(1).SelectMany(address => ToAddress(src, address.ToString(), address, port, protocol))];
    }

    /// <summary>The name stands for the endpoints themselves, so that the client dials whatever port it likes: a service's port by name means where it answers.</summary>
    private IReadOnlyList<Connection> Headless(string src, FleetService service, string hostName, string port, byte protocol)
    {
        bool[] families = (FamilyOf(src) ?? Primary(src)) is { } first ? [first] : [true, false];
        return [.. families.SelectMany(v4 =>
        {
            var answering = ServiceDoors.PortOf(service, port, protocol) is { } named && ServiceDoors.NumberOf(port) is null
                ? backends.Of(service, named, v4).DistinctBy(backend => backend.End).ToDictionary(backend => backend.End, backend => Text(backend.Port), StringComparer.Ordinal)
                : [];
            return backends.Named(service, v4).Where(one => hostName.Length == 0 || (one.Pod is { } pod && pod.HostName == hostName))
                .Select(one => Between(src, one.End, answering.GetValueOrDefault(one.End, port), protocol, v4)).OfType<Connection>();
        }).DistinctBy(one => (one.Dst.Id, one.Dst.Address, one.Port))];
    }

    private IReadOnlyList<Connection> Through(ServiceDoor door, string src, NetAddress dialled) =>
    [
        .. backends.Of(door.Service, door.Port, dialled.IsV4, OnlyNode(door, src))
            .Select(backend => Between(src, backend.End, Text(backend.Port), door.Port.Protocol, dialled.IsV4)).OfType<Connection>()
            .Select(connection => connection with { Dialled = new Dialled(dialled, door.Dialled) }),
    ];

    /// <summary>
    /// The node on which the backend has to run, as kube-proxy reads traffic policies; null: anywhere. Clients whose node is not known may be on any. Pods count as clients
    /// inside whichever way they come.
    /// </summary>
    private string? OnlyNode(ServiceDoor door, string src)
    {
        var (client, isPod) = Place(src);
        return door.Kind switch
        {
            DoorKind.Cluster => door.Service.KeepsInternalLocal && client.Length > 0 ? client : null,
            DoorKind.Node => door.Service.KeepsExternalLocal && !isPod && client != door.Node ? door.Node : null,
            _ => null,
        };
    }

    /// <summary>The node of an end, empty where none is known, and whether it is a pod with a network of its own.</summary>
    private (string Node, bool IsPod) Place(string end) => PodOf(end) is { } pod ? (pod.NodeName, pod.Party.Selectable) : (HostOf(end)?.Name ?? "", false);

    private FleetPod? PodOf(string end) => pods.TryGetValue(end, out var pod) || (NetAddress.TryParse(end, out var address) && podsByAddress.TryGetValue(address, out pod)) ? pod : null;

    private FleetHost? HostOf(string end) => hosts.TryGetValue(end, out var host) || (NetAddress.TryParse(end, out var address) && hostsByAddress.TryGetValue(address, out host)) ? host : null;

    private bool HasEnded(string end) => pods.TryGetValue(end, out var pod) && !pod.IsRunning;

    private static IReadOnlyList<Connection> One(Connection? connection) => connection is null ? [] : [connection];

    private static string Text(ushort port) => port.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private static bool? FamilyOf(string end) => NetAddress.TryParse(end, out var address) ? address.IsV4 : null;

    private bool? Primary(string end) => AddressesOf(end) is [var first, ..] ? first.IsV4 : null;

    private IReadOnlyList<NetAddress> AddressesOf(string end) => pods.TryGetValue(end, out var pod) ? pod.Addresses : hosts.TryGetValue(end, out var host) ? host.Addresses : [];

    /// <summary>The client's first family that the server has too; where they have none in common, or none is known, the client's, the server's, IPv4.</summary>
    private static bool CommonFamily(IReadOnlyList<NetAddress> src, IReadOnlyList<NetAddress> dst)
    {
        var both = src.Where(own => dst.Any(its => its.IsV4 == own.IsV4));
        return both.Concat(src).Concat(dst).Select(address => (bool?)address.IsV4).FirstOrDefault() ?? true;
    }

    /// <summary>One end as policies see it: by <c>namespace/pod</c>, address, host or DNS name. The same end is the same object each time.</summary>
    private Party End(string text, bool v4)
    {
        if (!ends.TryGetValue((text, v4), out var end))
        {
            ends[(text, v4)] = end = Find(text, v4);
        }

        return end;
    }

    private Party Find(string text, bool v4)
    {
        if (pods.TryGetValue(text, out var pod))
        {
            return In(pod.Party, pod.Addresses, v4);
        }

        if (hosts.TryGetValue(text, out var named))
        {
            return In(named.Party, named.Addresses, v4);
        }

        if (NetAddress.TryParse(text, out var address))
        {
            var party = podsByAddress.TryGetValue(address, out var holder) ? holder.Party : hostsByAddress.TryGetValue(address, out var host) ? host.Party : new Party { Id = text };
            return party with { Address = NetBlock.Of(address), Services = party.Selectable ? party.Services : members.At(address) };
        }

        return text.Contains('.', StringComparison.Ordinal) && !text.Contains('/', StringComparison.Ordinal)
            ? new Party { Id = text, Names = [text] }
            : throw new FlowsException(ExitCode.Usage, $"'{text}' is no pod or node of the cluster, no address and no DNS name; write pods as namespace/name.");
    }

    private static Party In(Party party, IReadOnlyList<NetAddress> addresses, bool v4)
    {
        var own = addresses.Where(address => address.IsV4 == v4).Concat(addresses).Select(address => (NetAddress?)address).FirstOrDefault();
        return party with { Address = own is { } found ? NetBlock.Of(found) : null };
    }

    /// <summary>The pod runs on the host: the kubelet's probes, and whatever else Kubernetes always lets through.</summary>
    private bool IsOwnNode(Party pod, Party host) => pod.Selectable && host.IsHost
        && pods.TryGetValue(pod.Id, out var known) && known.Node.Length > 0 && host.HostLabels!.TryGetValue(HostSegment.NameLabel, out var name) && name == known.Node;
}
