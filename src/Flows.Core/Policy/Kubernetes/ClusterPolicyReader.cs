using System.Text.RegularExpressions;
using Flows.Core.Facts;

namespace Flows.Core.Policy;

/// <summary>
/// Reads the policies of policy.networking.k8s.io: ClusterNetworkPolicy v1alpha2, and AdminNetworkPolicy and BaselineAdminNetworkPolicy v1alpha1
/// that it replaced. Limits are those of the published CRDs.
/// </summary>
internal static partial class ClusterPolicyReader
{
    private const int NameMax = 100;
    private const int PriorityMax = 1000;
    private const int RangesMax = 25;

    /// <summary>What differs between the versions.</summary>
    private sealed record Api(string Kind, string Allow, bool CanPass, int ItemsMax, string Ports, Func<YamlField, IEnumerable<PortMatch>> Port, bool DomainNames = true, bool EveryNamespace = false);

    private static readonly Api V1Alpha2 = new("ClusterNetworkPolicy", "Accept", CanPass: true, 25, "protocols", Protocol, EveryNamespace: true);
    private static readonly Api Admin = new("AdminNetworkPolicy", "Allow", CanPass: true, 100, "ports", Port);
    private static readonly Api Baseline = new("BaselineAdminNetworkPolicy", "Allow", CanPass: false, 100, "ports", Port, DomainNames: false);

    public static SegmentPolicy ReadV1Alpha2(YamlField document)
    {
        var spec = Spec(document, "tier", "priority", "subject", "ingress", "egress");
        var tier = spec.Find("tier") ?? throw spec.Fault("has no tier");
        return Read(document, spec, V1Alpha2) with
        {
            Tier = tier.Text() switch
            {
                "Admin" => Tier.Admin,
                "Baseline" => Tier.Baseline,
                var other => throw tier.Fault($"'{other}' is neither Admin nor Baseline"),
            },
            Order = Priority(spec),
        };
    }

    public static SegmentPolicy ReadAdmin(YamlField document)
    {
        var spec = Spec(document, "priority", "subject", "ingress", "egress");
        return Read(document, spec, Admin) with { Tier = Tier.Admin, Order = Priority(spec) };
    }

    /// <summary>There is one, and it has no priority: it comes after everything that has one.</summary>
    public static SegmentPolicy ReadBaseline(YamlField document)
    {
        var spec = Spec(document, "subject", "ingress", "egress");
        var policy = Read(document, spec, Baseline) with { Tier = Tier.Baseline, Order = PriorityMax + 1 };
        return policy.Name == "default" ? policy : throw document.Find("metadata")!.Find("name")!.Fault("must be 'default': a cluster has one baseline");
    }

    private static YamlField Spec(YamlField document, params string[] fields)
    {
        _ = document.Fields("apiVersion", "kind", "metadata", "spec", "status");
        var spec = document.Find("spec") ?? throw document.Fault("has no spec");
        _ = spec.Fields(fields);
        return spec;
    }

    private static SegmentPolicy Read(YamlField document, YamlField spec, Api api) => new()
    {
        Name = ObjectNames.OfCluster(document),
        Target = Subject(spec.Find("subject") ?? throw spec.Fault("has no subject"), api),
        Ingress = Rules(spec.Find("ingress"), "from", api),
        Egress = Rules(spec.Find("egress"), "to", api),
        ClosesIngress = false,
        ClosesEgress = false,
        Origin = document.Document,
        Kind = api.Kind,
    };

    private static double Priority(YamlField spec)
    {
        var field = spec.Find("priority") ?? throw spec.Fault("has no priority");
        return field.Number() is var priority and >= 0 and <= PriorityMax ? priority : throw field.Fault($"{field.Number()} is not from 0 to {PriorityMax}");
    }

    private static PodSegment Subject(YamlField subject, Api api)
    {
        var fields = subject.Fields("namespaces", "pods");
        return fields.Count != 1 ? throw subject.Fault("must have exactly one of namespaces and pods")
            : fields.TryGetValue("namespaces", out var namespaces) ? new PodSegment(Selector(namespaces), LabelSelector.Everything)
            : Pods(fields["pods"], api);
    }

    private static IReadOnlyList<Rule>? Rules(YamlField? field, string peers, Api api)
    {
        if (field is null)
        {
            return null;
        }

        var rules = field.Each(item => Rule(item, peers, api));
        return field.Items().Count <= api.ItemsMax ? rules : throw field.Fault($"has more than {api.ItemsMax} rules");
    }

    private static Rule Rule(YamlField item, string peers, Api api)
    {
        var fields = item.Fields("name", "action", peers, api.Ports);
        var name = fields.GetValueOrDefault("name")?.Text() ?? "";
        if (name.Length > NameMax)
        {
            throw fields["name"].Fault($"is longer than {NameMax} characters");
        }

        var action = Action(fields.GetValueOrDefault("action") ?? throw item.Fault("has no action"), api);
        var listed = fields.GetValueOrDefault(peers) ?? throw item.Fault($"has no {peers}");
        var segments = Bounded(listed, api.ItemsMax).Each(peer => Peer(peer, peers == "to", action, api)).SelectMany(segment => segment).ToList();
        var ports = fields.TryGetValue(api.Ports, out var given) ? Bounded(given, api.ItemsMax).Each(port => api.Port(port).ToList()).SelectMany(port => port).ToList() : [];
        return segments.Exists(segment => segment is not PodSegment) && ports.Exists(port => port.Name is not null)
            ? throw given!.Fault("has a named port, which only pods have; networks, nodes and domainNames need numbers")
            : new Rule { Name = name, Action = action, Peers = segments, Ports = ports };
    }

    private static YamlField Bounded(YamlField list, int max) => list.Items().Count switch
    {
        0 => throw list.Fault("must have at least one item"),
        var count when count > max => throw list.Fault($"has more than {max} items"),
        _ => list,
    };

    private static RuleAction Action(YamlField field, Api api) => field.Text() switch
    {
        "Deny" => RuleAction.Deny,
        "Pass" when api.CanPass => RuleAction.Pass,
        var allow when allow == api.Allow => RuleAction.Allow,
        var other => throw field.Fault($"'{other}' is not {api.Allow}{(api.CanPass ? ", Deny or Pass" : " or Deny")}"),
    };

    private static IReadOnlyList<Segment> Peer(YamlField peer, bool isEgress, RuleAction action, Api api)
    {
        var fields = !isEgress ? peer.Fields("namespaces", "pods")
            : api.DomainNames ? peer.Fields("namespaces", "pods", "nodes", "networks", "domainNames")
            : peer.Fields("namespaces", "pods", "nodes", "networks");
        if (fields.Count != 1)
        {
            throw peer.Fault("must have exactly one kind of peer");
        }

        var (kind, field) = fields.Single();
        return kind switch
        {
            "namespaces" => [new PodSegment(Selector(field), LabelSelector.Everything)],
            "pods" => [Pods(field, api)],
            "nodes" => [new HostSegment(Selector(field))],
            "networks" => Bounded(field, RangesMax).Each(item => (Segment)new RangeSegment(KubernetesPeers.Range(item), [])),
            _ => action == RuleAction.Allow ? Bounded(field, RangesMax).Each(DomainName) : throw field.Fault($"can only stand in rules that {api.Allow}"),
        };
    }

    /// <summary>A DNS name, with a leading wildcard or none.</summary>
    public static bool IsDomainName(string text) => DomainNames().IsMatch(text);

    private static Segment DomainName(YamlField field) => DomainNames().IsMatch(field.Text())
#pragma warning disable CA1308 // DNS names are compared without case; ours are lower case.
        ? new NameSegment(field.Text().TrimEnd('.').ToLowerInvariant())
#pragma warning restore CA1308
        : throw field.Fault($"'{field.Text()}' is not a DNS name such as example.com or *.example.com");

    private static PodSegment Pods(YamlField pods, Api api)
    {
        var fields = pods.Fields("namespaceSelector", "podSelector", "namespaces");
        if (fields.TryGetValue("namespaces", out var old))
        {
            throw old.Fault("was removed from the API before v1alpha1; write namespaceSelector");
        }

        // From v1alpha2 on, no namespaceSelector is every namespace.
        var namespaces = fields.GetValueOrDefault("namespaceSelector");
        return new PodSegment(
            namespaces is not null ? Selector(namespaces) : api.EveryNamespace ? LabelSelector.Everything : throw pods.Fault("has no namespaceSelector"),
            Selector(fields.GetValueOrDefault("podSelector") ?? throw pods.Fault("has no podSelector")));
    }

    private static LabelSelector Selector(YamlField field)
    {
        foreach (var removed in (string[])["sameLabels", "notSameLabels"])
        {
            if (field.Find(removed) is { } relative)
            {
                throw relative.Fault("was removed from the API: it meant namespaces relative to the subject's, which has to be written as one policy for each of them");
            }
        }

        return field.Find("namespaceSelector") is { } old ? throw old.Fault("was removed from the API here; the selector stands directly under namespaces") : KubernetesPeers.Selector(field);
    }

    /// <summary>v1alpha2: one protocol with its ports, or a named port of whatever protocol.</summary>
    private static IEnumerable<PortMatch> Protocol(YamlField item)
    {
        var fields = item.Fields("tcp", "udp", "sctp", "destinationNamedPort");
        if (fields.Count != 1)
        {
            throw item.Fault("must have exactly one of tcp, udp, sctp and destinationNamedPort");
        }

        var (kind, field) = fields.Single();
        if (kind == "destinationNamedPort")
        {
            return Named(field);
        }

        var port = field.Fields("destinationPort").GetValueOrDefault("destinationPort") ?? throw field.Fault("has no destinationPort");
        var choice = port.Fields("number", "range");
        if (choice.Count != 1)
        {
            throw port.Fault("must have exactly one of number and range");
        }

        var protocol = kind switch { "tcp" => IpProtocol.Tcp, "udp" => IpProtocol.Udp, _ => IpProtocol.Sctp };
        return [choice.TryGetValue("number", out var number) ? PortMatch.Of(protocol, PortFields.Number(number)) : Range(choice["range"], protocol, wide: true)];
    }

    /// <summary>v1alpha1.</summary>
    private static IEnumerable<PortMatch> Port(YamlField item)
    {
        var fields = item.Fields("portNumber", "namedPort", "portRange");
        if (fields.Count != 1)
        {
            throw item.Fault("must have exactly one of portNumber, namedPort and portRange");
        }

        var (kind, field) = fields.Single();
        switch (kind)
        {
            case "namedPort":
                return Named(field);
            case "portNumber":
                var number = field.Fields("protocol", "port");
                return [PortMatch.Of(PortFields.Protocol(number.GetValueOrDefault("protocol")), PortFields.Number(number.GetValueOrDefault("port") ?? throw field.Fault("has no port")))];
            default:
                _ = field.Fields("protocol", "start", "end");
                return [Range(field, PortFields.Protocol(field.Find("protocol")), wide: false)];
        }
    }

    private static PortMatch Range(YamlField field, byte protocol, bool wide)
    {
        var first = PortFields.Number(field.Find("start") ?? throw field.Fault("has no start"));
        var last = PortFields.Number(field.Find("end") ?? throw field.Fault("has no end"));
        return first < last || (!wide && first == last) ? new PortMatch(protocol, first, last) : throw field.Fault($"must start below its end, and {first} is not below {last}");
    }

    private static IEnumerable<PortMatch> Named(YamlField field)
    {
        var name = field.Text().Length > 0 ? field.Text() : throw field.Fault("is empty");
        return PortMatch.Transports.Select(protocol => new PortMatch(protocol, Name: name));
    }

    /// <summary>The CRD's pattern.</summary>
    [GeneratedRegex(@"\A(\*\.)?([a-zA-Z0-9]([-a-zA-Z0-9_]*[a-zA-Z0-9])?\.)+[a-zA-Z0-9]([-a-zA-Z0-9_]*[a-zA-Z0-9])?\.?\z", RegexOptions.CultureInvariant)]
    private static partial Regex DomainNames();
}
