using System.Globalization;
using Flows.Core.Facts;

namespace Flows.Core.Policy;

/// <summary>
/// Reads cilium.io/v2 CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy as far as they speak of addresses and ports. What looks into the traffic
/// (HTTP, DNS, TLS, authentication) narrows a rule in a way that connections do not show, so it is a fault. Legal is what the CRD and the agent's
/// <c>Rule.Sanitize</c> take.
/// </summary>
internal static class CiliumReader
{
    private const string Clusterwide = "CiliumClusterwideNetworkPolicy";
    private const int PortsMax = 40;

    private static readonly string[] SpecFields =
        ["endpointSelector", "nodeSelector", "ingress", "ingressDeny", "egress", "egressDeny", "enableDefaultDeny", "description", "labels", "log"];

    /// <summary>What narrows a rule beyond peers and ports.</summary>
    private static readonly string[] Narrower = ["icmps", "authentication"];

    /// <summary>What sends a port's traffic through a proxy that looks into it.</summary>
    private static readonly string[] Proxied = ["terminatingTLS", "originatingTLS", "serverNames", "listener"];

    public static IReadOnlyList<SegmentPolicy> Read(YamlField document, string kind, string defaultNamespace)
    {
        var fields = document.Fields("apiVersion", "kind", "metadata", "spec", "specs", "status");
        var (inNamespace, name) = kind == Clusterwide ? (null, ObjectNames.OfCluster(document)) : Named(document, defaultNamespace);
        List<YamlField> specs = [.. fields.TryGetValue("spec", out var only) ? [only] : Array.Empty<YamlField>(), .. fields.GetValueOrDefault("specs")?.Items() ?? []];
        return specs.Count == 0 ? throw document.Fault("has no spec") : [.. specs.Select((spec, index) => Policy(spec, inNamespace) with
        {
            Namespace = inNamespace ?? "",
            Name = specs.Count == 1 ? name : string.Create(CultureInfo.InvariantCulture, $"{name}#{index}"),
            Origin = document.Document,
            Kind = kind,
        })];
    }

    private static (string? Namespace, string Name) Named(YamlField document, string defaultNamespace) => ObjectNames.Namespaced(document, defaultNamespace);

    private static SegmentPolicy Policy(YamlField spec, string? inNamespace)
    {
        var fields = spec.Fields(SpecFields);
        var defaults = fields.GetValueOrDefault("enableDefaultDeny")?.Fields("ingress", "egress");
        var ingress = Rules(fields, "ingress", "ingressDeny", "from", inNamespace);
        var egress = Rules(fields, "egress", "egressDeny", "to", inNamespace);
        var closesIngress = defaults?.GetValueOrDefault("ingress")?.Truth() ?? ingress is not null;
        var closesEgress = defaults?.GetValueOrDefault("egress")?.Truth() ?? egress is not null;

        return new SegmentPolicy
        {
            Name = "",
            Target = Target(spec, fields, inNamespace),
            Ingress = ingress ?? (closesIngress ? [] : null),
            Egress = egress ?? (closesEgress ? [] : null),
            ClosesIngress = closesIngress || ingress is null,
            ClosesEgress = closesEgress || egress is null,
        };
    }

    private static Segment Target(YamlField spec, IReadOnlyDictionary<string, YamlField> fields, string? inNamespace)
    {
        var nodes = fields.GetValueOrDefault("nodeSelector");
        var pods = fields.GetValueOrDefault("endpointSelector");
        return (nodes, pods) switch
        {
            (null, not null) => CiliumPeers.Pods(pods, inNamespace, confined: true),
            (not null, null) when inNamespace is null => CiliumPeers.Hosts(nodes),
            (not null, null) => throw nodes.Fault("is for policies of the whole cluster"),
            _ => throw spec.Fault("must have exactly one of endpointSelector and nodeSelector"),
        };
    }

    /// <summary>Allowances and denials; null where neither list has an item: an empty list says as little as none.</summary>
    private static List<Rule>? Rules(IReadOnlyDictionary<string, YamlField> fields, string allow, string deny, string side, string? inNamespace)
    {
        var allowing = fields.GetValueOrDefault(allow)?.Each(item => Rule(item, side, RuleAction.Allow, inNamespace));
        var denying = fields.GetValueOrDefault(deny)?.Each(item => Rule(item, side, RuleAction.Deny, inNamespace));
        return (allowing ?? []).Concat(denying ?? []).ToList() is { Count: > 0 } all ? [.. all.OfType<Rule>()] : null;
    }

    /// <summary>A rule that names neither peers nor ports matches nothing, as does one with an empty list of peers; that it is there closes the direction.</summary>
    private static Rule? Rule(YamlField item, string side, RuleAction action, string? inNamespace)
    {
        _ = item.Fields([.. CiliumPeers.Fields(side), .. CiliumPeers.Unreadable(side), .. Narrower, "toPorts"]);
        Refuse(item, [.. CiliumPeers.Unreadable(side), .. Narrower]);
        var peers = CiliumPeers.Read(item, side, inNamespace);
        var listed = item.Find("toPorts") is { } given && given.Items().Count > 0 ? given : null;
        if (listed is not null && item.Find("toServices") is { } services && services.Items().Count > 0)
        {
            throw listed.Fault("cannot stand beside toServices, which stands for the ports of the services");
        }

        var ports = listed?.Each(Ports).SelectMany(port => port).ToList();
        return peers is { Count: 0 } || (peers is null && ports is null) ? null : new Rule { Action = action, Peers = peers ?? [], Ports = ports ?? [] };
    }

    private static void Refuse(YamlField item, IEnumerable<string> fields)
    {
        if (fields.Select(item.Find).FirstOrDefault(field => field is not null) is { } foreign)
        {
            throw foreign.Fault("cannot be read: the model has no words for it");
        }
    }

    private static List<PortMatch> Ports(YamlField item)
    {
        var fields = item.Fields(["ports", "rules", .. Proxied]);
        Refuse(item, Proxied);
        if (fields.GetValueOrDefault("rules") is { } narrower && !LetsEveryNameThrough(narrower))
        {
            throw narrower.Fault("looks into the traffic, which connections do not show");
        }

        var ports = fields.GetValueOrDefault("ports") ?? throw item.Fault("has no ports");
        return ports.Items().Count is 0 or > PortsMax ? throw ports.Fault($"must have 1 to {PortsMax} items") : [.. ports.Each(Port).SelectMany(port => port)];
    }

    /// <summary>The rule that makes Cilium learn names from all DNS answers; it stops nothing.</summary>
    private static bool LetsEveryNameThrough(YamlField rules) => rules.Find("dns") is { IsList: true } dns && rules.Entries().Count == 1
        && dns.Items().Any(item => item.Find("matchPattern") is { IsText: true } pattern && pattern.Text() == "*");

    private static List<PortMatch> Port(YamlField item)
    {
        var fields = item.Fields("port", "endPort", "protocol");
        IReadOnlyList<byte> protocols = fields.GetValueOrDefault("protocol")?.Text() switch
        {
            null or "" or "ANY" => PortMatch.Transports,
            "TCP" => [IpProtocol.Tcp],
            "UDP" => [IpProtocol.Udp],
            "SCTP" => [IpProtocol.Sctp],
            var other => throw fields["protocol"].Fault($"'{other}' is not TCP, UDP, SCTP or ANY"),
        };
        var port = fields.GetValueOrDefault("port") ?? throw item.Fault("has no port");
        var end = fields.GetValueOrDefault("endPort");
        if (!ushort.TryParse(port.IsNumber ? throw port.Fault("must be text; put it in quotes") : port.Text(), NumberStyles.None, CultureInfo.InvariantCulture, out var first))
        {
            return end is null ? [.. protocols.Select(protocol => new PortMatch(protocol, Name: Name(port)))] : throw end.Fault("cannot follow a named port");
        }

        if (port.Text().Length > 1 && port.Text()[0] == '0')
        {
            throw port.Fault($"'{port.Text()}' begins with 0, which Cilium takes for another base");
        }

        var last = end is null || end.Number() == 0 ? first : PortFields.Number(end);
        return last < first ? throw end!.Fault($"{last} is less than the port {first}")
            : [.. protocols.Select(protocol => first == 0 ? new PortMatch(protocol) : new PortMatch(protocol, first, last))];
    }

    /// <summary>Names of ports are compared without case; a container's is of lower case.</summary>
    private static string Name(YamlField field)
    {
#pragma warning disable CA1308 // Kubernetes names are lower case.
        var name = field.Text().ToLowerInvariant();
#pragma warning restore CA1308
        return KubernetesGrammar.IsPortName(name) ? name : throw field.Fault($"'{field.Text()}' is neither a port number nor a port's name");
    }
}
