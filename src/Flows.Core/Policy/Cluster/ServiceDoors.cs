using System.Globalization;
using Flows.Core.Facts;

namespace Flows.Core.Policy;

/// <summary>How a client came to a service.</summary>
internal enum DoorKind
{
    /// <summary>By the address that the cluster gave it.</summary>
    Cluster,

    /// <summary>By an external address, or its load balancer's.</summary>
    External,

    /// <summary>By a port of a node.</summary>
    Node,
}

/// <summary>A port of a service where a client may knock.</summary>
/// <param name="Node">The node that was dialled; empty unless the kind is <see cref="DoorKind.Node"/>.</param>
internal sealed record ServiceDoor(FleetService Service, FleetServicePort Port, DoorKind Kind, string Node)
{
    /// <summary>The port as the client dials it.</summary>
    public ushort Dialled => Kind == DoorKind.Node ? Port.NodePort : Port.Port;
}

/// <summary>What an address and port lead to other than to their holder: services, and the pods that borrow a port of their node.</summary>
internal sealed class ServiceDoors
{
    private readonly Dictionary<NetAddress, FleetService> cluster = [];
    private readonly Dictionary<NetAddress, List<FleetService>> external = [];
    private readonly Dictionary<(byte Protocol, ushort Port), (FleetService Service, FleetServicePort Port)> nodePorts = [];
    private readonly Dictionary<(string Node, byte Protocol, ushort Port), List<(FleetPod Pod, FleetHostPort Port)>> hostPorts = [];

    public ServiceDoors(IEnumerable<FleetService> services, IEnumerable<FleetPod> pods)
    {
        foreach (var service in services)
        {
            foreach (var address in service.ClusterAddresses)
            {
                cluster.TryAdd(address, service);
            }

            // Without an address of the cluster nodes take none of its other addresses for their own.
            foreach (var address in service.ClusterAddresses.Count > 0 ? service.ExternalAddresses : [])
            {
                (external.TryGetValue(address, out var there) ? there : external[address] = []).Add(service);
            }

            foreach (var port in service.Ports.Where(port => port.NodePort > 0))
            {
                nodePorts.TryAdd((port.Protocol, port.NodePort), (service, port));
            }
        }

        foreach (var (pod, port) in pods.SelectMany(pod => pod.HostPorts.Select(port => (pod, port))))
        {
            var key = (pod.NodeName, port.Protocol, port.Port);
            (hostPorts.TryGetValue(key, out var there) ? there : hostPorts[key] = []).Add((pod, port));
        }
    }

    /// <summary>Nothing but the service answers at this address.</summary>
    public bool IsCluster(NetAddress address) => cluster.ContainsKey(address);

    /// <param name="host">Whose address it is; null where it is no host's.</param>
    /// <param name="port">The number that was dialled, or the name of the service's port.</param>
    public ServiceDoor? Find(NetAddress address, FleetHost? host, string port, byte protocol)
    {
        if (cluster.TryGetValue(address, out var inside))
        {
            return PortOf(inside, port, protocol) is { } found ? new ServiceDoor(inside, found, DoorKind.Cluster, "") : null;
        }

        foreach (var service in external.GetValueOrDefault(address) ?? [])
        {
            if (PortOf(service, port, protocol) is { } found)
            {
                return new ServiceDoor(service, found, DoorKind.External, "");
            }
        }

        return host is not null && NumberOf(port) is { } number && nodePorts.TryGetValue((protocol, number), out var target)
            ? new ServiceDoor(target.Service, target.Port, DoorKind.Node, host.Name)
            : null;
    }

    /// <summary>The pod that borrows this port of the host; null where none does.</summary>
    public (FleetPod Pod, ushort Port)? Borrower(NetAddress address, FleetHost host, ushort port, byte protocol) =>
        (hostPorts.GetValueOrDefault((host.Name, protocol, port)) ?? []).Where(one => one.Port.Address is null || one.Port.Address == address)
            .Select(one => ((FleetPod, ushort)?)(one.Pod, one.Port.Target)).FirstOrDefault();

    public static FleetServicePort? PortOf(FleetService service, string port, byte protocol) =>
        service.Ports.FirstOrDefault(one => one.Protocol == protocol && (NumberOf(port) is { } number ? one.Port == number : one.Name == port));

    public static ushort? NumberOf(string port) => ushort.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
