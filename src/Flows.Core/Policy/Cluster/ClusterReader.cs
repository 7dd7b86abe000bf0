using Flows.Core.Facts;

namespace Flows.Core.Policy;

/// <summary>
/// Reads a cluster from its objects: namespaces, pods with status, nodes, services, as <c>kubectl get -o yaml</c> or <c>json</c> prints them. Only
/// fields that matter here are looked at; objects of other kinds are passed over.
/// </summary>
public static class ClusterReader
{
    /// <exception cref="FlowsException">The text is no YAML or JSON, or an object is not what its kind says.</exception>
    public static FleetView Read(PolicyDocument file)
    {
        var objects = YamlField.Documents(file.File, file.Text).SelectMany(Flat).ToList();
        var namespaces = Namespaces(Of(objects, "Namespace"));
        var hosts = Of(objects, "Node").Select(Host).ToList();
        var services = Of(objects, "Service").Select(Service).ToList();
        var pods = Of(objects, "Pod").Select(pod => Pod(pod, hosts, services)).ToList();
        return new FleetView(namespaces, pods, hosts, services);
    }

    private static IEnumerable<YamlField> Flat(YamlField document) => document.Find("items") is { IsList: true } items ? items.Items() : [document];

    private static IEnumerable<YamlField> Of(List<YamlField> objects, string kind) => objects.Where(one => one.Find("kind")?.Text() == kind);

    private static Dictionary<string, IReadOnlyDictionary<string, string>> Namespaces(IEnumerable<YamlField> objects)
    {
        Dictionary<string, IReadOnlyDictionary<string, string>> all = new(StringComparer.Ordinal);
        foreach (var one in objects)
        {
            // The API sets the label on every namespace; files written by hand often lack it.
            var name = NameOf(one);
            var labels = Labels(one);
            labels.TryAdd(PodSegment.NameLabel, name);
            all[name] = labels;
        }

        return all;
    }

    private static FleetHost Host(YamlField node)
    {
        var name = NameOf(node);
        var labels = Labels(node);
        labels.TryAdd(HostSegment.NameLabel, name);
        var addresses = (node.Find("status")?.Find("addresses")?.Items() ?? [])
            .Select(address => NetAddress.TryParse(address.Find("address")?.Text(), out var parsed) ? parsed : (NetAddress?)null)
            .OfType<NetAddress>().Distinct().ToList();
        return new FleetHost(name, new Party { Id = $"node {name}", HostLabels = labels, Address = addresses.Count > 0 ? NetBlock.Of(addresses[0]) : null }, addresses);
    }

    private static FleetPod Pod(YamlField pod, List<FleetHost> hosts, List<FleetService> services)
    {
        var (inNamespace, name) = (NamespaceOf(pod), NameOf(pod));
        var spec = pod.Find("spec");
        var status = pod.Find("status");
        var running = status?.Find("phase")?.Text() is not ("Succeeded" or "Failed");
        var hostNetwork = spec?.Find("hostNetwork")?.Truth() ?? false;
        var addresses = running ? Addresses(status) : [];
        var node = spec?.Find("nodeName")?.Text() ?? "";
        var labels = Labels(pod);
        return new FleetPod(
            new Party
            {
                Id = $"{inNamespace}/{name}",
                Selectable = !hostNetwork,
                Namespace = inNamespace,
                Labels = labels,
                HostLabels = hostNetwork ? HostLabels(node, addresses, hosts) : null,
                Address = addresses.Count > 0 ? NetBlock.Of(addresses[0]) : null,
                Ports = Ports(spec),
                Services = [.. services.Where(service => service.Namespace == inNamespace && service.Selector?.Matches(labels) == true).Select(service => service.Id)],
            },
            addresses,
            hosts.Exists(host => host.Name == node) ? node : "",
            Owner(pod) ?? name,
            running);
    }

    /// <summary>Whose network it is shows by the address first: names are written by hand.</summary>
    private static IReadOnlyDictionary<string, string> HostLabels(string node, List<NetAddress> addresses, List<FleetHost> hosts) =>
        (hosts.Find(host => host.Addresses.Intersect(addresses).Any()) ?? hosts.Find(host => host.Name == node))?.Party.HostLabels
        ?? new Dictionary<string, string>(StringComparer.Ordinal) { [HostSegment.NameLabel] = node };

    private static List<NetAddress> Addresses(YamlField? status)
    {
        var several = (status?.Find("podIPs")?.Items() ?? []).Select(item => item.Find("ip")).OfType<YamlField>();
        return [.. (status?.Find("podIP") is { } one ? several.Prepend(one) : several)
            .Where(field => field.Text().Length > 0)
            .Select(field => NetAddress.TryParse(field.Text(), out var address) ? address : throw field.Fault($"'{field.Text()}' is no address"))
            .Distinct()];
    }

    private static List<NamedPort> Ports(YamlField? spec) =>
        [.. ((string[])["containers", "initContainers"]).SelectMany(list => spec?.Find(list)?.Items() ?? []).SelectMany(container => container.Find("ports")?.Items() ?? [])
            .Where(port => port.Find("name") is not null && port.Find("containerPort") is not null)
            .Select(port => new NamedPort(port.Find("name")!.Text(), PortFields.Protocol(port.Find("protocol")), PortFields.Number(port.Find("containerPort")!)))];

    private static FleetService Service(YamlField service)
    {
        var spec = service.Find("spec");
        var addresses = (spec?.Find("clusterIPs")?.Items() ?? []).Concat(((string[])["clusterIP"]).Select(name => spec?.Find(name)).OfType<YamlField>())
            .Select(field => NetAddress.TryParse(field.Text(), out var address) ? address : (NetAddress?)null).OfType<NetAddress>().Distinct().ToList();
        return new FleetService(
            NamespaceOf(service),
            NameOf(service),
            addresses,
            [.. (spec?.Find("ports")?.Items() ?? []).Select(ServicePort)],
            spec?.Find("selector") is { } selector ? LabelSelector.Of(selector.Entries().Select(label => KeyValuePair.Create(label.Key, label.Value.Text()))) : null);
    }

    private static FleetServicePort ServicePort(YamlField port)
    {
        var number = PortFields.Number(port.Find("port") ?? throw port.Fault("has no port"));
        var target = port.Find("targetPort");
        return new FleetServicePort(
            PortFields.Protocol(port.Find("protocol")),
            number,
            target is null ? Text(number) : target.IsNumber ? Text(target.Number()) : target.Text());

        static string Text(int number) => number.ToString(System.Globalization.CultureInfo.InvariantCulture);
    }

    private static string? Owner(YamlField pod)
    {
        return pod.Find("metadata")?.Find("ownerReferences")?.Items() is [var owner, ..] ? owner.Find("name")?.Text() : null;
    }

    private static string NameOf(YamlField one)
    {
        var metadata = one.Find("metadata") ?? throw one.Fault("has no metadata");
        return (metadata.Find("name") ?? throw metadata.Fault("has no name")).Text();
    }

    private static string NamespaceOf(YamlField one) => one.Find("metadata")?.Find("namespace")?.Text() ?? "default";

    private static Dictionary<string, string> Labels(YamlField one) => (one.Find("metadata")?.Find("labels")?.Entries() ?? new Dictionary<string, YamlField>())
        .ToDictionary(label => label.Key, label => label.Value.Text(), StringComparer.Ordinal);
}
