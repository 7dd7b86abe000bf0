using System.Globalization;
using Flows.Core.Facts;

namespace Flows.Core.Policy;

using Map = QuotedYaml.Map;

/// <summary>Renders a set as CiliumNetworkPolicies, and CiliumClusterwideNetworkPolicies where a policy is of no single namespace.</summary>
internal static class CiliumWriter
{
    // More ports in one list are refused by Cilium.
    private const int PortsMax = 40;

    public static Rendering Render(PolicySet set)
    {
        var log = new LossLog();
        List<RenderedFile> files = [];
        var denies = set.Policies.Where(policy => policy.Tier == Tier.Application).SelectMany(policy => policy.AllRules()).Any(rule => rule.Rule.Action == RuleAction.Deny);
        foreach (var policy in set.Policies)
        {
            if (FaultOf(policy) is { } fault)
            {
                log.LeftOut(policy, fault);
                continue;
            }

            if (policy.Order is not null)
            {
                log.Changed(policy, denies ? LossEffect.Closes : LossEffect.Note,
                    denies ? "its order is not written, so that every denial outweighs it" : "its order is not written; rules that only allow need none");
            }

            files.Add(new RenderedFile($"{(policy.Namespace.Length == 0 ? "" : $"{policy.Namespace}.")}{NameOf(policy)}.yaml", QuotedYaml.Write(Document(policy, log)), policy.Id));
        }

        return new Rendering(files, log.Losses);
    }

    private static string? FaultOf(SegmentPolicy policy) =>
        policy.Tier != Tier.Application ? $"there is no tier '{policy.Tier}' in Cilium"
        : policy.Order is not null && policy.AllRules().Any(rule => rule.Rule.Action != RuleAction.Allow) ? "Cilium's policies have no order, and its denials need one"
        : policy.Ingress is null && policy.Egress is null ? "it speaks of no direction"
        : AnySegment.PartsOf(policy.Target).Select(TargetFault).FirstOrDefault(fault => fault is not null);

    private static string? TargetFault(Segment target) => target switch
    {
        PodSegment pods => KubernetesRenderer.FaultOf(pods.Namespaces) ?? KubernetesRenderer.FaultOf(pods.Pods),
        HostSegment hosts => KubernetesRenderer.FaultOf(hosts.Labels),
        _ => $"Cilium governs pods and hosts, and this one {target}",
    };

    private static string NameOf(SegmentPolicy policy) => KubernetesGrammar.NameOf(policy.Name, "");

    /// <summary>The namespace that the object stands in; null for the whole cluster.</summary>
    private static string? NamespaceOf(SegmentPolicy policy) => policy.Namespace.Length > 0 && AnySegment.PartsOf(policy.Target).All(part =>
        part is PodSegment pods && KubernetesRenderer.NamespaceOf(pods) == policy.Namespace) ? policy.Namespace : null;

    private static Map Document(SegmentPolicy policy, LossLog log)
    {
        var inNamespace = NamespaceOf(policy);
        var specs = AnySegment.PartsOf(policy.Target).Select(target => (object)Spec(policy, target, inNamespace, log)).ToList();
        return Map.Of(
            ("apiVersion", "cilium.io/v2"),
            ("kind", inNamespace is null ? "CiliumClusterwideNetworkPolicy" : "CiliumNetworkPolicy"),
            ("metadata", Map.Of(("name", NameOf(policy)), ("namespace", inNamespace))),
            ("spec", specs.Count == 1 ? specs[0] : null),
            ("specs", specs.Count == 1 ? null : specs));
    }

    private static Map Spec(SegmentPolicy policy, Segment target, string? inNamespace, LossLog log) => Map.Of(
        ("endpointSelector", target is PodSegment pods ? Pods(pods, own: inNamespace is not null) : null),
        ("nodeSelector", target is HostSegment hosts ? KubernetesSelectors.Write(hosts.Labels) : null),
        ("enableDefaultDeny", Map.Of(
            ("ingress", policy.Ingress is not null && policy.ClosesIngress),
            ("egress", policy.Egress is not null && policy.ClosesEgress))),
        ("ingress", Rules(policy, Direction.Ingress, RuleAction.Allow, log)),
        ("ingressDeny", Rules(policy, Direction.Ingress, RuleAction.Deny, log)),
        ("egress", Rules(policy, Direction.Egress, RuleAction.Allow, log)),
        ("egressDeny", Rules(policy, Direction.Egress, RuleAction.Deny, log)));

    /// <summary>A direction that is closed is always written, if only as a rule without anything, which is Cilium's way to close it.</summary>
    private static List<object>? Rules(SegmentPolicy policy, Direction direction, RuleAction action, LossLog log)
    {
        if (policy.Rules(direction) is not { } rules)
        {
            return null;
        }

        List<object> written = [];
        for (var i = 0; i < rules.Count; i++)
        {
            if (rules[i].Action == RuleAction.Pass && action == RuleAction.Allow)
            {
                log.LeftOut(policy, LossLog.Place(direction, i), rules[i], "the rule is left out: there is nothing to pass to in Cilium");
            }
            else if (rules[i].Action == action && log.Fit(policy, direction, i, rules[i], peer => PeerFault(peer, direction, rules[i]), PortFault) is { } rule)
            {
                if (rule.Peers.Any(peer => peer is NameSegment))
                {
                    log.Note(policy, LossLog.Place(direction, i), "Cilium learns names from DNS answers only: a rule of the same policy must send DNS through its proxy");
                }

                written.AddRange(Rule(rule, direction == Direction.Ingress ? "from" : "to"));
            }
        }

        return written.Count > 0 ? written : action == RuleAction.Allow ? [Map.Of()] : null;
    }

    private static IEnumerable<Map> Rule(Rule rule, string side)
    {
        var ports = rule.Ports.Count == 0 ? null : rule.Ports.Chunk(PortsMax).Select(chunk => (object)Map.Of(("ports", chunk.Select(port => (object)Port(port)).ToList()))).ToList();
        if (rule.Peers.Count == 0)
        {
            yield return Map.Of(("toPorts", ports), (side + "Entities", ports is null ? new List<object> { "all" } : null));
        }

        foreach (var alike in rule.Peers.GroupBy(peer => FieldOf(peer)))
        {
            yield return Map.Of((side + alike.Key, alike.Select(Peer).ToList()), ("toPorts", ports));
        }
    }

    private static string FieldOf(Segment peer) => peer switch
    {
        PodSegment => "Endpoints",
        RangeSegment => "CIDRSet",
        HostSegment => "Nodes",
        ServiceSegment => "Services",
        NameSegment => "FQDNs",
        _ => "Entities",
    };

    private static object Peer(Segment peer) => peer switch
    {
        PodSegment pods => Pods(pods, own: false),
        RangeSegment range => Map.Of(
            ("cidr", range.Range.ToString()),
            ("except", Blocks.Exceptions(range) is { Count: > 0 } except ? except.Select(block => (object)block.ToString()).ToList() : null)),
        HostSegment hosts => KubernetesSelectors.Write(hosts.Labels),
        ServiceSegment service => Map.Of(("k8sService", Map.Of(("serviceName", service.Name), ("namespace", service.Namespace)))),
        NameSegment { OneLabel: true } name => Map.Of(("matchPattern", name.Pattern)),
        NameSegment name => name.Pattern[0] == '*' ? Map.Of(("matchPattern", $"*{name.Pattern}")) : Map.Of(("matchName", name.Pattern)),
        _ => ((BoundarySegment)peer).Side switch
        {
            Boundary.Outside => "world",
            Boundary.Inside => "cluster",
            Boundary.OwnHost => "host",
            _ => "remote-node",
        },
    };

    /// <param name="own">The object's own namespace is meant and need not be said.</param>
    private static Map Pods(PodSegment pods, bool own)
    {
        var keyed = pods.Pods.Requirements.Select(one => one with { Key = CiliumLabels.OfPod(one.Key) });
        var spaces = own ? [] : pods.Namespaces.IsEverything
            ? [new LabelRequirement(CiliumLabels.OfNamespace(PodSegment.NameLabel), LabelOperator.Exists, [])]
            : pods.Namespaces.Requirements.Select(one => one with { Key = CiliumLabels.OfNamespace(one.Key) });
        return KubernetesSelectors.Write(new LabelSelector(keyed.Concat(spaces)));
    }

    private static Map Port(PortMatch port) => Map.Of(
        ("port", port.Name ?? (port.First ?? 0).ToString(CultureInfo.InvariantCulture)),
        ("endPort", port.Last == port.First ? null : (int?)port.Last),
        ("protocol", IpProtocol.NameOf(port.Protocol).ToUpperInvariant()));

    private static string? PeerFault(Segment peer, Direction direction, Rule rule) => peer switch
    {
        PodSegment or HostSegment => TargetFault(peer),
        RangeSegment range => Blocks.Exceptions(range) is null ? "its exceptions leave nothing of it" : null,
        ServiceSegment or NameSegment when direction == Direction.Ingress => "Cilium knows it as a destination only",
        NameSegment name => rule.Action == RuleAction.Deny ? "DNS names can only be allowed" : NameSegment.IsPattern(name.Pattern, name.OneLabel) ? null : "it is no DNS name",
        _ => null,
    };

    private static string? PortFault(PortMatch port) =>
        port.Protocol is not (IpProtocol.Tcp or IpProtocol.Udp or IpProtocol.Sctp) ? "Cilium has ports of TCP, UDP and SCTP; ICMP needs types, which the model does not have"
        : port.First == 0 ? "port 0 means every port there"
        : port.Name is not null && !KubernetesGrammar.IsPortName(port.Name) ? "it is no name of a port" : null;
}
