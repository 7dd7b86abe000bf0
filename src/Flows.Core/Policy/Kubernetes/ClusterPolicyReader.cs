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
    private sealed record Api(string Kind, string Allow, bool CanPass, int ItemsMax, string Ports, Func<YamlField, IEnumerable<PortMatch>> Port, bool DomainNames = true, bool IsFirst = true);

    private static readonly Api V1Alpha2 = new("ClusterNetworkPolicy", "Accept", CanPass: true, 25, "protocols", Protocol, IsFirst: false);
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

    private static SegmentPolicy Read(YamlField document, YamlField spec, Api api)
    {
        var subject = Subject(spec.Find("subject") ?? throw spec.Fault("has no subject"), api);
        return new SegmentPolicy
        {
            Name = ObjectNames.OfCluster(document),
            Target = subject,
            Ingress = Rules(spec.Find("ingress"), "from", api, subject.Namespaces),
            Egress = Rules(spec.Find("egress"), "to", api, subject.Namespaces),
            ClosesIngress = false,
            ClosesEgress = false,
            Origin = document.Document,
            Kind = api.Kind,
        };
    }

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

    private static PodSegment Pods(YamlField pods, Api api)
    {
        var fields = pods.Fields("namespaceSelector", "podSelector");

        // From v1alpha2 on, no namespaceSelector is every namespace.
        var namespaces = fields.GetValueOrDefault("namespaceSelector");
        return new PodSegment(
            namespaces is not null ? Selector(namespaces) : api.IsFirst ? throw pods.Fault("has no namespaceSelector") : LabelSelector.Everything,
            Selector(fields.GetValueOrDefault("podSelector") ?? throw pods.Fault("has no podSelector")));
    }

    private static IReadOnlyList<Rule>? Rules(YamlField? field, string peers, Api api, LabelSelector subject)
    {
        if (field is null)
        {
            return null;
        }

        var rules = field.Each(item => Rule(item, peers, api, subject));
        return field.Items().Count <= api.ItemsMax ? rules : throw field.Fault($"has more than {api.ItemsMax} rules");
    }

    private static Rule Rule(YamlField item, string peers, Api api, LabelSelector subject)
    {
        var fields = item.Fields("name", "action", peers, api.Ports);
        var name = fields.GetValueOrDefault("name")?.Text() ?? "";
        if (name.Length > NameMax)
        {
            throw fields["name"].Fault($"is longer than {NameMax} characters");
        }

        var action = Action(fields.GetValueOrDefault("action") ?? throw item.Fault("has no action"), api);
        var listed = fields.GetValueOrDefault(peers) ?? throw item.Fault($"has no {peers}");
        var segments = Bounded(listed, api.ItemsMax).Each(peer => Peer(peer, peers == "to", action, api, subject)).SelectMany(segment => segment).ToList();
        var ports = fields.TryGetValue(api.Ports, out var given) ? Bounded(given, api.ItemsMax).Each(port => api.Port(port).ToList()).SelectMany(port => port).ToList() : [];
        return segments.Exists(segment => segment is not PodSegment) && ports.Exists(port => port.Name is not null)
            ? throw given!.Fault("has a named port, which only pods have; networks, nodes and domainNames need numbers")
            : new Rule { Name = name, Action = action, Peers = AnySegment.PeersOf(segments), Ports = ports };
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

    private static IReadOnlyList<Segment> Peer(YamlField peer, bool isEgress, RuleAction action, Api api, LabelSelector subject)
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
            "namespaces" when api.IsFirst => [.. NamespacePeers.Read(field, subject).Select(namespaces => new PodSegment(namespaces, LabelSelector.Everything))],
            "namespaces" => [new PodSegment(Selector(field), LabelSelector.Everything)],
            "pods" when api.IsFirst && field.Find("namespaces") is { } relative => PodsOf(field, NamespacePeers.Read(relative, subject)),
            "pods" => [Pods(field, api)],
            "nodes" => [new HostSegment(Selector(field))],
            "networks" => Once(Bounded(field, RangesMax)).Each(item => (Segment)new RangeSegment(KubernetesPeers.Range(item), [])),
            _ => action == RuleAction.Allow ? Once(Bounded(field, RangesMax)).Each(DomainName) : throw field.Fault($"can only stand in rules that {api.Allow}"),
        };
    }

    /// <summary>A list that is a set: an item that stands there twice is refused.</summary>
    private static YamlField Once(YamlField list)
    {
        var twice = list.Items().GroupBy(item => item.Plain, StringComparer.Ordinal).FirstOrDefault(same => same.Count() > 1);
        return twice is null ? list : throw twice.Last().Fault($"'{twice.Key}' stands twice in a list of distinct items");
    }

    /// <summary>A DNS name, with a leading wildcard or none.</summary>
    public static bool IsDomainName(string text) => DomainNames().IsMatch(text);

    private static Segment DomainName(YamlField field) => DomainNames().IsMatch(field.Text())
#pragma warning disable CA1308 // DNS names are compared without case; ours are lower case.
        ? new NameSegment(field.Text().TrimEnd('.').ToLowerInvariant())
#pragma warning restore CA1308
        : throw field.Fault($"'{field.Text()}' is not a DNS name such as example.com or *.example.com");

    private static List<Segment> PodsOf(YamlField peer, IEnumerable<LabelSelector> namespaces)
    {
        var fields = peer.Fields("namespaces", "podSelector");
        var pods = Selector(fields.GetValueOrDefault("podSelector") ?? throw peer.Fault("has no podSelector"));
        return [.. namespaces.Select(selector => new PodSegment(selector, pods))];
    }

    private static LabelSelector Selector(YamlField field) => ((string[])["namespaceSelector", "sameLabels", "notSameLabels"]).Select(field.Find).FirstOrDefault(old => old is not null) is { } removed
        ? throw removed.Fault("was removed from the API here; the selector stands directly in the field above it")
        : KubernetesPeers.Selector(field);

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
                return [PortMatch.Of(ProtocolOf(number), PortFields.Number(number.GetValueOrDefault("port") ?? throw field.Fault("has no port")))];
            default:
                return [Range(field, ProtocolOf(field.Fields("protocol", "start", "end")), wide: false)];
        }
    }

    /// <summary>The CRD does not say which texts are legal, and a client's empty one is what it calls unspecified.</summary>
    private static byte ProtocolOf(IReadOnlyDictionary<string, YamlField> fields) =>
        fields.GetValueOrDefault("protocol") is { Plain.Length: > 0 } given ? PortFields.Protocol(given) : IpProtocol.Tcp;

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

    /// <summary>The CRD's pattern, whose <c>[a-zA-z0-9]</c> lets a label begin with an underscore; the other characters between Z and a are in no name.</summary>
    [GeneratedRegex(@"\A(\*\.)?([a-zA-Z0-9_]([-a-zA-Z0-9_]*[a-zA-Z0-9])?\.)+[a-zA-Z0-9_]([-a-zA-Z0-9_]*[a-zA-Z0-9])?\.?\z", RegexOptions.CultureInvariant)]
    private static partial Regex DomainNames();
}
