using System.Globalization;
using Flows.Core.Facts;
using static Flows.Core.Policy.ObjectFields;

namespace Flows.Core.Policy;

/// <summary>Reads services (v1/Service) and their endpoints (discovery.k8s.io/v1 EndpointSlice).</summary>
internal static class ServiceObjects
{
    private const string ServiceLabel = "kubernetes.io/service-name";
    private const string None = "None";

    /// <param name="slices">Of all services.</param>
    public static FleetService Read(YamlField service, ILookup<string, FleetSlice> slices)
    {
        var spec = service.Find("spec");
        var external = TypeOf(spec) == "ExternalName";
        var named = new FleetService
        {
            Namespace = NamespaceOf(service),
            Name = NameOf(service),
            ExternalName = external ? (spec?.Find("externalName") ?? throw service.Fault("is of type ExternalName and has no spec.externalName")).Text() : null,
        };
        var inside = Items(spec, "clusterIPs").Concat(spec?.Find("clusterIP") is { } one ? [one] : []).Where(field => field.Text() is not ("" or None)).Select(Address);

        // An external name may still carry what it had as another type; the API says that it is ignored.
        return external ? named : named with
        {
            ClusterAddresses = [.. inside.Distinct()],
            ExternalAddresses = [.. Items(spec, "externalIPs").Concat(LoadBalancer(service)).Select(Address).Distinct()],
            Ports = [.. Items(spec, "ports").Select(Port)],
            Selector = spec?.Find("selector") is { } selector ? SelectorOf(selector) : null,
            KeepsInternalLocal = IsLocal(spec, "internalTrafficPolicy"),
            KeepsExternalLocal = IsLocal(spec, "externalTrafficPolicy"),
            PublishesUnready = spec?.Find("publishNotReadyAddresses")?.Truth() ?? false,
            Slices = slices.Contains(named.Id) ? [.. slices[named.Id]] : null,
        };
    }

    /// <summary>A slice under the <c>namespace/name</c> of its service; null where it belongs to none, or holds names instead of addresses.</summary>
    public static (string Service, FleetSlice Slice)? ReadSlice(YamlField slice)
    {
        if (!LabelsOf(slice).TryGetValue(ServiceLabel, out var service))
        {
            return null;
        }

        var type = slice.Find("addressType") ?? throw slice.Fault("has no addressType");
        return type.Text() switch
        {
            "IPv4" or "IPv6" => ($"{NamespaceOf(slice)}/{service}", new FleetSlice(
                [.. Items(slice, "ports").Where(port => port.Find("port") is not null).Select(SlicePort)],
                [.. Items(slice, "endpoints").Select(endpoint => Endpoint(endpoint, NamespaceOf(slice)))])),
            "FQDN" => null,
            var other => throw type.Fault($"'{other}' is not IPv4, IPv6 or FQDN"),
        };
    }

    private static string TypeOf(YamlField? spec) => spec?.Find("type") switch
    {
        null => "ClusterIP",
        var field => field.Text() is "ClusterIP" or "NodePort" or "LoadBalancer" or "ExternalName" ? field.Text()
            : throw field.Fault($"'{field.Text()}' is not ClusterIP, NodePort, LoadBalancer or ExternalName"),
    };

    private static bool IsLocal(YamlField? spec, string name) => spec?.Find(name) switch
    {
        null => false,
        var field => field.Text() is "Local" or "Cluster" or "" ? field.Text() == "Local" : throw field.Fault($"'{field.Text()}' is not Cluster or Local"),
    };

    /// <summary>A selector without labels selects nobody: a service is as good as without one.</summary>
    private static LabelSelector? SelectorOf(YamlField selector) => selector.Entries() is { Count: > 0 } labels
        ? LabelSelector.Of(labels.Select(label => KeyValuePair.Create(label.Key, label.Value.Text())))
        : null;

    /// <summary>The addresses that nodes take for their own; a balancer that is a proxy (KEP-1860) dials the nodes itself.</summary>
    private static IEnumerable<YamlField> LoadBalancer(YamlField service) => Items(service.Find("status")?.Find("loadBalancer"), "ingress")
        .Where(ingress => ingress.Find("ipMode")?.Text() is not "Proxy").Select(ingress => ingress.Find("ip")).OfType<YamlField>();

    private static FleetServicePort Port(YamlField port)
    {
        var number = PortFields.Number(port.Find("port") ?? throw port.Fault("has no port"));
        var target = port.Find("targetPort");
        return new FleetServicePort(
            port.Find("name")?.Text() ?? "",
            PortFields.Protocol(port.Find("protocol")),
            number,
            target is null or { IsNumber: true, Plain: "0" } ? Text(number) : target.IsNumber ? Text(target.Number()) : target.Text(),
            port.Find("nodePort") is { Plain: not "0" } nodePort ? PortFields.Number(nodePort) : (ushort)0);

        static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
    }

    private static NamedPort SlicePort(YamlField port) =>
        new(port.Find("name") is { Plain: { Length: > 0 } } name ? name.Text() : "", PortFields.Protocol(port.Find("protocol")), PortFields.Number(port.Find("port")!));

    private static FleetEndpoint Endpoint(YamlField endpoint, string inNamespace)
    {
        var conditions = endpoint.Find("conditions");
        var ready = conditions?.Find("ready")?.Truth() ?? true;
        var target = endpoint.Find("targetRef") is { } reference && reference.Find("kind")?.Text() == "Pod" ? reference : null;

        // What further addresses of one endpoint would mean is not defined; consumers take the first.
        return new FleetEndpoint(
            Items(endpoint, "addresses") is [var first, ..] ? Address(first) : throw endpoint.Fault("has no addresses"),
            target?.Find("name") is { } name ? $"{target.Find("namespace")?.Text() ?? inNamespace}/{name.Text()}" : "",
            endpoint.Find("nodeName")?.Text() ?? "",
            ready,
            conditions?.Find("serving")?.Truth() ?? ready,
            conditions?.Find("terminating")?.Truth() ?? false);
    }
}
