using Flows.Core.Facts;

namespace Flows.Core.Policy;

/// <summary>A file's name and content, as somebody else read it.</summary>
public sealed record PolicyDocument(string File, string Text);

/// <summary>
/// Reads networking.k8s.io/v1 NetworkPolicy objects, as strictly as the API: what the API would refuse, or this version does not know, is an
/// error with file, document, line and field, never a guess.
/// </summary>
public static class KubernetesReader
{
    private const string DefaultNamespace = "default";

    private static readonly string[] SpecFields = ["podSelector", "policyTypes", "ingress", "egress"];

    /// <summary>The set in these files: YAML with any number of documents, JSON, and Lists of either.</summary>
    /// <exception cref="FlowsException">Something is no NetworkPolicy, is invalid, or stands there twice.</exception>
    public static PolicySet Read(IEnumerable<PolicyDocument> files)
    {
        var policies = files.SelectMany(file => YamlField.Documents(file.File, file.Text)).SelectMany(document => Objects(document, withinList: false)).ToList();
        var twice = policies.GroupBy(policy => policy.Id).FirstOrDefault(same => same.Count() > 1);
        return twice is null
            ? PolicySet.Of(policies)
            : throw new FlowsException(ExitCode.Usage, $"Policy {twice.Key} stands twice: in {string.Join(" and in ", twice.Select(policy => policy.Origin))}.");
    }

    private static IEnumerable<SegmentPolicy> Objects(YamlField document, bool withinList)
    {
        var entries = document.Entries();
        var kind = entries.TryGetValue("kind", out var field) ? field.Text() : throw document.Fault("has no kind");
        var version = entries.TryGetValue("apiVersion", out field) ? field.Text() : throw document.Fault("has no apiVersion");
        return (version, kind) switch
        {
            ("v1", "List") or ("networking.k8s.io/v1", "NetworkPolicyList") when !withinList =>
                document.Fields("apiVersion", "kind", "metadata", "items").TryGetValue("items", out var items)
                    ? items.Items().SelectMany(item => Objects(item, withinList: true))
                    : [],
            ("networking.k8s.io/v1", "NetworkPolicy") => [Policy(document)],
            _ => throw document.Fault($"is a {kind} of {version}; only NetworkPolicy of networking.k8s.io/v1 can be read"),
        };
    }

    private static SegmentPolicy Policy(YamlField document)
    {
        // The API ignores what a client writes under status.
        var fields = document.Fields("apiVersion", "kind", "metadata", "spec", "status");
        var metadata = fields.TryGetValue("metadata", out var meta) ? meta.Entries() : throw document.Fault("has no metadata");
        var name = metadata.TryGetValue("name", out var named) ? named.Text() : throw meta.Fault("has no name");
        var inNamespace = metadata.TryGetValue("namespace", out var spaced) ? spaced.Text() : DefaultNamespace;
        if (!KubernetesGrammar.IsDnsSubdomain(name))
        {
            throw named.Fault($"'{name}' is not a valid name");
        }

        if (!KubernetesGrammar.IsDnsLabel(inNamespace))
        {
            throw spaced!.Fault($"'{inNamespace}' is not a valid namespace");
        }

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
            Kind = "NetworkPolicy",
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

    private static List<Rule> Rules(YamlField? field, string peers, string inNamespace) => [.. (field?.Items() ?? []).Select(item =>
    {
        // Empty lists mean the same as absent ones: everybody, every port.
        var fields = item.Fields(peers, "ports");
        return new Rule
        {
            Peers = [.. (fields.GetValueOrDefault(peers)?.Items() ?? []).Select(peer => KubernetesPeers.Peer(peer, inNamespace))],
            Ports = [.. (fields.GetValueOrDefault("ports")?.Items() ?? []).Select(Port)],
        };
    })];

    private static PortMatch Port(YamlField item)
    {
        var fields = item.Fields("protocol", "port", "endPort");
        var protocol = !fields.TryGetValue("protocol", out var named) ? IpProtocol.Tcp : named.Text() switch
        {
            "TCP" => IpProtocol.Tcp,
            "UDP" => IpProtocol.Udp,
            "SCTP" => IpProtocol.Sctp,
            var other => throw named.Fault($"'{other}' is not TCP, UDP or SCTP"),
        };
        var end = fields.GetValueOrDefault("endPort");
        if (!fields.TryGetValue("port", out var port))
        {
            return end is null ? new PortMatch(protocol) : throw end.Fault("needs a port to begin from");
        }

        if (!port.IsNumber)
        {
            var name = port.Text();
            return !KubernetesGrammar.IsPortName(name) ? throw port.Fault($"'{name}' is neither a port number nor a port's name")
                : end is null ? new PortMatch(protocol, Name: name)
                : throw end.Fault("cannot follow a named port");
        }

        var first = PortNumber(port);
        var last = end is null ? first : PortNumber(end);
        return last >= first ? new PortMatch(protocol, first, last) : throw end!.Fault($"{last} is less than the port {first}");
    }

    private static ushort PortNumber(YamlField field)
    {
        var number = field.Number();
        return number is > 0 and <= ushort.MaxValue ? (ushort)number : throw field.Fault($"{number} is not a port from 1 to 65535");
    }
}
