using System.Globalization;
using Flows.Core.Facts;

namespace Flows.Core.Policy;

/// <summary>
/// Reads cilium.io/v2 CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy as far as they speak of addresses and ports. What looks into the traffic
/// (HTTP, DNS, TLS, authentication) narrows a rule in a way that connections do not show, so it is a fault.
/// </summary>
internal static class CiliumReader
{
    private const string Clusterwide = "CiliumClusterwideNetworkPolicy";
    private const int PortsMax = 40;

    private static readonly string[] SpecFields =
        ["endpointSelector", "nodeSelector", "ingress", "ingressDeny", "egress", "egressDeny", "enableDefaultDeny", "description", "labels", "log"];

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

    /// <summary>Allowances and denials; null where neither list is there.</summary>
    private static List<Rule>? Rules(IReadOnlyDictionary<string, YamlField> fields, string allow, string deny, string side, string? inNamespace)
    {
        var allowing = fields.GetValueOrDefault(allow)?.Each(item => Rule(item, side, RuleAction.Allow, inNamespace));
        var denying = fields.GetValueOrDefault(deny)?.Each(item => Rule(item, side, RuleAction.Deny, inNamespace));
        return allowing is null && denying is null ? null : [.. (allowing ?? []).Concat(denying ?? []).OfType<Rule>()];
    }

    /// <summary>A rule that names neither peers nor ports matches nothing; that it is there closes the direction.</summary>
    private static Rule? Rule(YamlField item, string side, RuleAction action, string? inNamespace)
    {
        _ = item.Fields([.. CiliumPeers.Fields(side), "toPorts"]);
        var peers = CiliumPeers.Read(item, side, inNamespace);
        var ports = item.Find("toPorts")?.Each(Ports).SelectMany(port => port).ToList();
        return peers is null && ports is null ? null : new Rule { Action = action, Peers = peers ?? [], Ports = ports ?? [] };
    }

    private static List<PortMatch> Ports(YamlField item)
    {
        if (item.Find("rules") is { } narrower)
        {
            throw narrower.Fault("looks into the traffic, which connections do not show");
        }

        var ports = item.Fields("ports").GetValueOrDefault("ports") ?? throw item.Fault("has no ports");
        return ports.Items().Count is 0 or > PortsMax ? throw ports.Fault($"must have 1 to {PortsMax} items") : [.. ports.Each(Port).SelectMany(port => port)];
    }

    private static List<PortMatch> Port(YamlField item)
    {
        var fields = item.Fields("port", "endPort", "protocol");
        IReadOnlyList<byte> protocols = fields.GetValueOrDefault("protocol")?.Text() switch
        {
            null or "ANY" => PortMatch.Transports,
            "TCP" => [IpProtocol.Tcp],
            "UDP" => [IpProtocol.Udp],
            "SCTP" => [IpProtocol.Sctp],
            var other => throw fields["protocol"].Fault($"'{other}' is not TCP, UDP, SCTP or ANY"),
        };
        var port = fields.GetValueOrDefault("port") ?? throw item.Fault("has no port");
        var end = fields.GetValueOrDefault("endPort");
        if (!ushort.TryParse(port.IsNumber ? throw port.Fault("must be text; put it in quotes") : port.Text(), NumberStyles.None, CultureInfo.InvariantCulture, out var first))
        {
            return end is null ? [.. protocols.Select(protocol => new PortMatch(protocol, Name: PortFields.Name(port)))] : throw end.Fault("cannot follow a named port");
        }

        var last = end is null || end.Number() == 0 ? first : PortFields.Number(end);
        return last < first ? throw end!.Fault($"{last} is less than the port {first}")
            : [.. protocols.Select(protocol => first == 0 ? new PortMatch(protocol) : new PortMatch(protocol, first, last))];
    }
}
