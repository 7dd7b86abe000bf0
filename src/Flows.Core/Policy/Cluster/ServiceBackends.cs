using System.Globalization;

namespace Flows.Core.Policy;

/// <summary>Who answers on one port of a service.</summary>
/// <param name="End">A pod as <c>namespace/name</c>, or an address.</param>
internal sealed record ServiceBackend(string End, string Node, ushort Port, bool Ready, bool Serving, bool Terminating);

/// <summary>Chooses a service's backends as kube-proxy does: EndpointSlices where there are any, else the running pods of the selector.</summary>
internal sealed class ServiceBackends
{
    private readonly Dictionary<string, FleetPod> pods;
    private readonly ILookup<string, FleetPod> members;

    public ServiceBackends(IEnumerable<FleetPod> pods)
    {
        List<FleetPod> running = [.. pods.Where(pod => pod.IsRunning)];
        this.pods = running.DistinctBy(pod => pod.Party.Id).ToDictionary(pod => pod.Party.Id, StringComparer.Ordinal);
        members = running.SelectMany(pod => pod.Party.Services.Select(service => (Service: service, Pod: pod))).ToLookup(pair => pair.Service, pair => pair.Pod, StringComparer.Ordinal);
    }

    /// <param name="onNode">Only what runs there (a traffic policy of Local); null: anywhere.</param>
    /// <param name="v4">The family in which the service is dialled: its backends are dialled in the same.</param>
    public IReadOnlyList<ServiceBackend> Of(FleetService service, FleetServicePort port, bool v4, string? onNode = null)
    {
        // An endpoint may stand in two slices while it moves from one to the other.
        var there = All(service, port, v4).Distinct().Where(backend => onNode is null || backend.Node == onNode).ToList();
        var ready = there.FindAll(backend => backend.Ready);

        // Where nobody is ready, those that are ending and still answer get the clients (KEP-1669).
        return ready.Count > 0 ? ready : there.FindAll(backend => backend is { Serving: true, Terminating: true });
    }

    /// <summary>The pods and addresses that a headless service's name stands for, in one family.</summary>
    public IReadOnlyList<(string End, FleetPod? Pod)> Named(FleetService service, bool v4) => service.Slices is null
        ? [.. members[service.Id].Where(pod => IsReady(service, pod) && Has(pod, v4)).Select(pod => (pod.Party.Id, (FleetPod?)pod))]
        : [.. service.Slices.SelectMany(slice => slice.Endpoints).Where(endpoint => endpoint.Address.IsV4 == v4 && endpoint.Ready)
            .Select(endpoint => (End(endpoint), pods.GetValueOrDefault(endpoint.Pod))).Distinct()];

    private IEnumerable<ServiceBackend> All(FleetService service, FleetServicePort port, bool v4)
    {
        if (service.Slices is not { } slices)
        {
            return members[service.Id].Where(pod => Has(pod, v4)).Select(pod => Of(service, port, pod)).OfType<ServiceBackend>();
        }

        return from slice in slices
               from its in slice.Ports
               where its.Name == port.Name && its.Protocol == port.Protocol
               from endpoint in slice.Endpoints
               where endpoint.Address.IsV4 == v4
               select new ServiceBackend(End(endpoint), endpoint.Node.Length > 0 ? endpoint.Node : pods.GetValueOrDefault(endpoint.Pod)?.NodeName ?? "",
                   its.Port, endpoint.Ready, endpoint.Serving, endpoint.Terminating);
    }

    private static ServiceBackend? Of(FleetService service, FleetServicePort port, FleetPod pod) =>
        (ushort.TryParse(port.Target, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : pod.Party.PortNamed(port.Target, port.Protocol)) is { } target
            ? new ServiceBackend(pod.Party.Id, pod.NodeName, target, IsReady(service, pod), pod.IsReady || service.PublishesUnready, pod.IsTerminating)
            : null;

    /// <summary>A slice may name a pod that the cluster's objects do not hold, or that has ended: then its address is all that is known.</summary>
    private string End(FleetEndpoint endpoint) => pods.ContainsKey(endpoint.Pod) ? endpoint.Pod : endpoint.Address.ToString();

    private static bool IsReady(FleetService service, FleetPod pod) => service.PublishesUnready || (pod.IsReady && !pod.IsTerminating);

    /// <summary>A pod without any address has not been given one in a file by hand, and may have all.</summary>
    private static bool Has(FleetPod pod, bool v4) => pod.Addresses.Count == 0 || pod.Addresses.Any(address => address.IsV4 == v4);
}
