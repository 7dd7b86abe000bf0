using Flows.Core.Facts;
using static Flows.Core.Policy.ObjectFields;

namespace Flows.Core.Policy;

/// <summary>
/// Reads a cluster from its objects: namespaces, pods with status, nodes, services, EndpointSlices, as <c>kubectl get -o yaml</c> or <c>json</c> prints them. Only
/// fields that matter here are looked at; objects of other kinds are passed over.
/// </summary>
public static class ClusterReader
{
    /// <exception cref="FlowsException">The text is no YAML or JSON, or an object is not what its kind says.</exception>
    public static FleetView Read(PolicyDocument file)
    {
        var objects = YamlField.Documents(file.File, file.Text).SelectMany(Flat).ToLookup(one => one.Find("kind")?.Text() ?? "", StringComparer.Ordinal);
        List<FleetHost> hosts = [.. objects["Node"].Select(Host)];
        var slices = objects["EndpointSlice"].Select(ServiceObjects.ReadSlice).Where(slice => slice is not null).Select(slice => slice!.Value).ToLookup(slice => slice.Service, slice => slice.Slice);
        var pods = new PodObjects(hosts);
        return new FleetView(
            Namespaces(objects["Namespace"]),
            [.. objects["Pod"].Select(pods.Read)],
            hosts,
            [.. objects["Service"].Select(service => ServiceObjects.Read(service, slices))]);
    }

    private static IEnumerable<YamlField> Flat(YamlField document) => document.Find("items") is { IsList: true } items ? items.Items() : [document];

    private static Dictionary<string, IReadOnlyDictionary<string, string>> Namespaces(IEnumerable<YamlField> objects)
    {
        Dictionary<string, IReadOnlyDictionary<string, string>> all = new(StringComparer.Ordinal);
        foreach (var one in objects)
        {
            // The API sets the label on every namespace; files written by hand often lack it.
            var name = NameOf(one);
            var labels = LabelsOf(one);
            labels.TryAdd(PodSegment.NameLabel, name);
            all[name] = labels;
        }

        return all;
    }

    private static FleetHost Host(YamlField node)
    {
        var name = NameOf(node);
        var labels = LabelsOf(node);
        labels.TryAdd(HostSegment.NameLabel, name);
        List<NetAddress> addresses = [.. Items(node.Find("status"), "addresses")
            .Select(address => NetAddress.TryParse(address.Find("address")?.Text(), out var parsed) ? parsed : (NetAddress?)null).OfType<NetAddress>().Distinct()];
        return new FleetHost(name, new Party { Id = $"node {name}", HostLabels = labels, Address = addresses.Count > 0 ? NetBlock.Of(addresses[0]) : null }, addresses);
    }
}
