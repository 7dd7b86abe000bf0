namespace Flows.Core.Policy;

/// <summary>The names under which a cluster's own DNS knows its services (the specification of DNS-based service discovery, 2.3 to 2.5).</summary>
internal sealed class ServiceNames(IEnumerable<FleetService> services)
{
    private const string Zone = "svc";
    private const string Domain = ".cluster.local";

    private readonly Dictionary<string, FleetService> byId = 
        services.DistinctBy(service => service.Id).ToDictionary(service => service.Id, StringComparer.OrdinalIgnoreCase);

    /// <summary>
    /// The service that <c>api.shop.svc</c> or <c>api.shop.svc.cluster.local</c> means, and the pod's part of <c>api-0.api.shop.svc</c>; null where the name is not of the cluster.
    /// </summary>
    /// <exception cref="FlowsException">It is of the cluster, which has no such service.</exception>
    public (FleetService Service, string HostName)? Find(string name)
    {
        var whole = name.TrimEnd('.');
        var labels = (whole.EndsWith(Domain, StringComparison.OrdinalIgnoreCase) ? whole[..^Domain.Length] : whole).Split('.');
        return labels is not [.., var service, var inNamespace, var zone] || !zone.Equals(Zone, StringComparison.OrdinalIgnoreCase) || labels.Length > 4
            ? null
            : byId.TryGetValue($"{inNamespace}/{service}", out var found) ? (found, labels.Length == 4 ? labels[0] : "")
            : throw new FlowsException(
                ExitCode.Usage, $"'{name}' is the name of a service, and the cluster has no service '{inNamespace}/{service}'; put it into the cluster's file, or write an address.");
    }
}
