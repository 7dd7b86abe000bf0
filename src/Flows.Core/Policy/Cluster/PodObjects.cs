using Flows.Core.Facts;
using static Flows.Core.Policy.ObjectFields;

namespace Flows.Core.Policy;

/// <summary>Reads pods (v1/Pod).</summary>
internal sealed class PodObjects
{
    private readonly Dictionary<string, FleetHost> hosts = new(StringComparer.Ordinal);
    private readonly Dictionary<NetAddress, FleetHost> hostsByAddress = [];

    public PodObjects(IEnumerable<FleetHost> hosts)
    {
        foreach (var host in hosts)
        {
            this.hosts.TryAdd(host.Name, host);
            foreach (var address in host.Addresses)
            {
                hostsByAddress.TryAdd(address, host);
            }
        }
    }

    public FleetPod Read(YamlField pod)
    {
        var (inNamespace, name) = (NamespaceOf(pod), NameOf(pod));
        var spec = pod.Find("spec");
        var status = pod.Find("status");
        var running = status?.Find("phase")?.Text() is not ("Succeeded" or "Failed");
        var hostNetwork = spec?.Find("hostNetwork")?.Truth() ?? false;
        var addresses = running ? Addresses(status) : [];
        var node = spec?.Find("nodeName")?.Text() ?? "";
        var ports = Containers(spec).SelectMany(container => Items(container, "ports")).ToList();
        var party = new Party
        {
            Id = $"{inNamespace}/{name}",
            Selectable = !hostNetwork,
            Namespace = inNamespace,
            Labels = LabelsOf(pod),
            HostLabels = hostNetwork ? HostLabels(node, addresses) : null,
            Address = addresses.Count > 0 ? NetBlock.Of(addresses[0]) : null,
            Ports = [.. ports.Where(port => port.Find("name") is not null && port.Find("containerPort") is not null)
                .Select(port => new NamedPort(port.Find("name")!.Text(), PortFields.Protocol(port.Find("protocol")), PortFields.Number(port.Find("containerPort")!)))],
        };
        return new FleetPod(party, addresses, hosts.ContainsKey(node) ? node : "", Owner(pod) ?? name, running)
        {
            NodeName = node,
            HostName = spec?.Find("hostname")?.Text() ?? "",
            IsReady = IsReady(status),
            IsTerminating = pod.Find("metadata")?.Find("deletionTimestamp") is not null,
            HostPorts = running && !hostNetwork ? [.. ports.Where(port => port.Find("hostPort") is not null).Select(HostPort)] : [],
        };
    }

    /// <summary>Whose network it is shows by the address first: names are written by hand.</summary>
    private IReadOnlyDictionary<string, string> HostLabels(string node, List<NetAddress> addresses) =>
        (addresses.Select(address => hostsByAddress.GetValueOrDefault(address)).OfType<FleetHost>().FirstOrDefault() ?? hosts.GetValueOrDefault(node))?.Party.HostLabels
        ?? new Dictionary<string, string>(StringComparer.Ordinal) { [HostSegment.NameLabel] = node };

    private static IEnumerable<YamlField> Containers(YamlField? spec) => Items(spec, "containers").Concat(Items(spec, "initContainers"));

    private static FleetHostPort HostPort(YamlField port)
    {
        // An empty address and the unspecified ones mean every address of the node.
        var at = port.Find("hostIP") is { } field && field.Text().Length > 0 ? Address(field) : (NetAddress?)null;
        var isAny = at is not { } one || one == NetAddress.FromV4(0) || one == default;
        return new FleetHostPort(
            isAny ? null : at,
            PortFields.Protocol(port.Find("protocol")),
            PortFields.Number(port.Find("hostPort")!),
            PortFields.Number(port.Find("containerPort") ?? throw port.Fault("has a hostPort and no containerPort")));
    }

    private static List<NetAddress> Addresses(YamlField? status)
    {
        var several = Items(status, "podIPs").Select(item => item.Find("ip")).OfType<YamlField>();
        return [.. (status?.Find("podIP") is { } one ? several.Prepend(one) : several).Where(field => field.Text().Length > 0).Select(Address).Distinct()];
    }

    /// <summary>Ready unless its status says otherwise: files written by hand have no conditions.</summary>
    private static bool IsReady(YamlField? status) =>
        Items(status, "conditions").FirstOrDefault(condition => condition.Find("type")?.Text() == "Ready")?.Find("status")?.Text() is null or "True";

    private static string? Owner(YamlField pod) => Items(pod.Find("metadata"), "ownerReferences") is [var owner, ..] ? owner.Find("name")?.Text() : null;
}
