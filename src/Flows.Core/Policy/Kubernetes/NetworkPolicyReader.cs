using Flows.Core.Facts;

namespace Flows.Core.Policy;

/// <summary>Reads one networking.k8s.io/v1 NetworkPolicy.</summary>
internal static class NetworkPolicyReader
{
    public const string Kind = "NetworkPolicy";

    private static readonly string[] SpecFields = ["podSelector", "policyTypes", "ingress", "egress"];

    public static SegmentPolicy Read(YamlField document, string defaultNamespace)
    {
        // The API ignores what a client writes under status.
        var fields = document.Fields("apiVersion", "kind", "metadata", "spec", "status");
        var (inNamespace, name) = ObjectNames.Namespaced(document, defaultNamespace);
        var spec = fields.TryGetValue("spec", out var specified) ? specified.Fields(SpecFields) : new Dictionary<string, YamlField>();
        var ingress = Rules(spec.GetValueOrDefault("ingress"), "from", inNamespace);
        var egress = Rules(spec.GetValueOrDefault("egress"), "to", inNamespace);
        var (isolatesIngress, isolatesEgress) = Types(spec.GetValueOrDefault("policyTypes"), egress.Count > 0);
        return new SegmentPolicy
        {
            Namespace = inNamespace,
            Name = name,
            Target = PodSegment.In(inNamespace, spec.TryGetValue("podSelector", out var pods) ? KubernetesPeers.Selector(pods) : LabelSelector.Everything),
            Ingress = isolatesIngress ? ingress : null,
            Egress = isolatesEgress ? egress : null,
            Origin = document.Document,
            Kind = Kind,
        };
    }

    /// <summary>Absent or empty, ingress is meant, and egress where the policy has egress rules.</summary>
    private static (bool Ingress, bool Egress) Types(YamlField? field, bool hasEgress)
    {
        var types = field?.Items() ?? [];
        if (types.Count == 0)
        {
            return (true, hasEgress);
        }

        if (types.Count > 2)
        {
            throw field!.Fault("may hold two entries at most");
        }

        foreach (var type in types.Where(type => type.Text() is not ("Ingress" or "Egress")))
        {
            throw type.Fault($"'{type.Text()}' is neither Ingress nor Egress");
        }

        return (types.Any(type => type.Text() == "Ingress"), types.Any(type => type.Text() == "Egress"));
    }

    private static IReadOnlyList<Rule> Rules(YamlField? field, string peers, string inNamespace) => field?.Each(item =>
    {
        // Empty lists mean the same as absent ones: everybody, every port.
        var fields = item.Fields(peers, "ports");
        return new Rule
        {
            Peers = fields.GetValueOrDefault(peers)?.Each(peer => KubernetesPeers.Peer(peer, inNamespace)) ?? [],
            Ports = fields.GetValueOrDefault("ports")?.Each(Port) ?? [],
        };
    }) ?? [];

    private static PortMatch Port(YamlField item)
    {
        var fields = item.Fields("protocol", "port", "endPort");
        var protocol = PortFields.Protocol(fields.GetValueOrDefault("protocol"));
        var end = fields.GetValueOrDefault("endPort");
        if (!fields.TryGetValue("port", out var port))
        {
            return end is null ? new PortMatch(protocol) : throw end.Fault("needs a port to begin from");
        }

        if (!port.IsNumber)
        {
            return end is null ? new PortMatch(protocol, Name: PortFields.Name(port)) : throw end.Fault("cannot follow a named port");
        }

        var first = PortFields.Number(port);
        var last = end is null ? first : PortFields.Number(end);
        return last >= first ? new PortMatch(protocol, first, last) : throw end!.Fault($"{last} is less than the port {first}");
    }
}
