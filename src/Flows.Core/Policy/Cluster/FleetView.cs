using Flows.Core.Facts;

namespace Flows.Core.Policy;

/// <summary>A pod at one moment.</summary>
/// <param name="Party">As policies see it, with its first address.</param>
/// <param name="Addresses">All of them; none where it has ended, since they may be another's by now.</param>
/// <param name="Node">The host that it runs on; empty where no such host is known.</param>
/// <param name="Workload">What owns it, or its own name.</param>
public sealed record FleetPod(Party Party, IReadOnlyList<NetAddress> Addresses, string Node, string Workload, bool IsRunning);

/// <summary>A host at one moment.</summary>
public sealed record FleetHost(string Name, Party Party, IReadOnlyList<NetAddress> Addresses);

/// <summary>A port of a service: where it is dialled, and where its backends answer.</summary>
/// <param name="Target">A number, or the name of a port of each backend.</param>
public sealed record FleetServicePort(byte Protocol, ushort Port, string Target);

/// <summary>A service at one moment.</summary>
public sealed record FleetService(string Namespace, string Name, IReadOnlyList<NetAddress> Addresses, IReadOnlyList<FleetServicePort> Ports, LabelSelector? Selector)
{
    public string Id => $"{Namespace}/{Name}";
}

/// <summary>Who stands where at one moment: what a question by name or address is answered from.</summary>
public sealed class FleetView
{
    private readonly Dictionary<string, FleetPod> pods = new(StringComparer.Ordinal);
    private readonly Dictionary<NetAddress, FleetPod> podsByAddress = [];
    private readonly Dictionary<NetAddress, FleetHost> hostsByAddress = [];
    private readonly Dictionary<NetAddress, FleetService> servicesByAddress = [];
    private readonly Dictionary<(string, bool), Party> ends = [];

    public FleetView(
        IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> namespaceLabels, IReadOnlyList<FleetPod> pods, IReadOnlyList<FleetHost> hosts, IReadOnlyList<FleetService> services)
    {
        NamespaceLabels = namespaceLabels;
        (Pods, Hosts, Services) = (pods, hosts, services);
        foreach (var pod in pods)
        {
            this.pods[pod.Party.Id] = pod;
            foreach (var address in pod.Addresses.Where(_ => pod.Party.Selectable))
            {
                podsByAddress.TryAdd(address, pod);
            }
        }

        foreach (var host in hosts)
        {
            host.Addresses.ToList().ForEach(address => hostsByAddress.TryAdd(address, host));
        }

        foreach (var service in services)
        {
            service.Addresses.ToList().ForEach(address => servicesByAddress.TryAdd(address, service));
        }
    }

    public IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> NamespaceLabels { get; }

    public IReadOnlyList<FleetPod> Pods { get; }

    public IReadOnlyList<FleetHost> Hosts { get; }

    public IReadOnlyList<FleetService> Services { get; }

    /// <summary>
    /// The connections that a question means: one, or for a service's address one for each backend. None: the port's name is none at the destination.
    /// </summary>
    /// <param name="port">A number, or a name that the destination resolves.</param>
    /// <exception cref="FlowsException">An end is not known.</exception>
    public IReadOnlyList<Connection> Connections(string src, string dst, string port, byte protocol)
    {
        if (NetAddress.TryParse(dst, out var address) && servicesByAddress.TryGetValue(address, out var service) && NumberOf(port) is { } dialled)
        {
            return [.. service.Ports.Where(one => one.Port == dialled && one.Protocol == protocol).SelectMany(one => Backends(service)
                .Select(backend => Between(src, backend.Party.Id, one.Target, protocol)).OfType<Connection>()
                .Select(connection => connection with { Dialled = new Dialled(address, dialled) }))];
        }

        return Between(src, dst, port, protocol) is { } only ? [only] : [];
    }

    /// <summary>The connection between two ends; null where the port's name is none at the destination.</summary>
    public Connection? Between(string src, string dst, string port, byte protocol)
    {
        var v4 = FamilyOf(src) ?? FamilyOf(dst) ?? Primary(src) ?? Primary(dst) ?? true;
        var (from, to) = (End(src, v4), End(dst, v4));
        return (NumberOf(port) ?? to.Ports.FirstOrDefault(named => named.Name == port && named.Protocol == protocol)?.Port) is { } number
            ? new Connection(from, to, protocol, number) { OwnNode = IsOwnNode(from, to) || IsOwnNode(to, from) }
            : null;
    }

    private static ushort? NumberOf(string port) =>
        ushort.TryParse(port, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var number) ? number : null;

    private IEnumerable<FleetPod> Backends(FleetService service) => Pods.Where(pod => pod.IsRunning && pod.Party.Services.Contains(service.Id, StringComparer.Ordinal));

    private static bool? FamilyOf(string end) => NetAddress.TryParse(end, out var address) ? address.IsV4 : null;

    private bool? Primary(string end) => pods.TryGetValue(end, out var pod) && pod.Addresses.Count > 0 ? pod.Addresses[0].IsV4 : null;

    /// <summary>One end as policies see it: by <c>namespace/pod</c>, address or DNS name. The same end is the same object each time.</summary>
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
            var own = pod.Addresses.Where(address => address.IsV4 == v4).Concat(pod.Addresses).Select(address => (NetAddress?)address).FirstOrDefault();
            return pod.Party with { Address = own is { } found ? NetBlock.Of(found) : null };
        }

        if (NetAddress.TryParse(text, out var address))
        {
            var party = podsByAddress.TryGetValue(address, out var holder) ? holder.Party : hostsByAddress.TryGetValue(address, out var host) ? host.Party : new Party { Id = text };
            return party with { Address = NetBlock.Of(address) };
        }

        return text.Contains('.', StringComparison.Ordinal) && !text.Contains('/', StringComparison.Ordinal)
            ? new Party { Id = text, Names = [text] }
            : throw new FlowsException(ExitCode.Usage, $"'{text}' is no pod of the cluster, no address and no DNS name; write pods as namespace/name.");
    }

    /// <summary>The pod runs on the host: the kubelet's probes, and whatever else Kubernetes always lets through.</summary>
    private bool IsOwnNode(Party pod, Party host) => pod.Selectable && host.IsHost
        && pods.TryGetValue(pod.Id, out var known) && known.Node.Length > 0 && host.HostLabels!.TryGetValue(HostSegment.NameLabel, out var name) && name == known.Node;
}
