using Flows.Core.Facts;

namespace Flows.Core.Policy;

using Map = QuotedYaml.Map;

/// <summary>Renders the admin and baseline tiers as policy.networking.k8s.io/v1alpha2 ClusterNetworkPolicies.</summary>
internal static class ClusterPolicyWriter
{
    private const int RulesMax = 25;
    private const int PeersMax = 25;
    private const int PriorityMax = 1000;

    public static Rendering Render(PolicySet set)
    {
        var log = new LossLog();
        List<RenderedFile> files = [];
        foreach (var policy in set.Policies)
        {
            if (FaultOf(policy) is { } fault)
            {
                log.LeftOut(policy, fault);
            }
            else
            {
                files.Add(new RenderedFile($"{policy.Name}.{policy.Tier}.yaml", QuotedYaml.Write(Document(policy, log)), policy.Id));
            }
        }

        return new Rendering(files, log.Losses);
    }

    private static string? FaultOf(SegmentPolicy policy) =>
        policy.Target is not PodSegment target ? $"a ClusterNetworkPolicy governs pods, and this one {policy.Target}"
        : (KubernetesRenderer.FaultOf(target.Namespaces) ?? KubernetesRenderer.FaultOf(target.Pods)) is { } selector ? selector
        : policy.Tier != Tier.Admin && policy.Tier != Tier.Baseline ? $"there is no tier '{policy.Tier}' in ClusterNetworkPolicy"
        : policy.Order is not (>= 0 and <= PriorityMax + 1) || policy.Order != Math.Floor(policy.Order.Value) ? $"its order is no whole number from 0 to {PriorityMax}"
        : !KubernetesGrammar.IsDnsSubdomain(policy.Name) ? $"'{policy.Name}' is no legal name"
        : (policy.Ingress is not null && policy.ClosesIngress) || (policy.Egress is not null && policy.ClosesEgress) ? "a ClusterNetworkPolicy leaves what no rule matches to the next tier"
        : null;

    private static Map Document(SegmentPolicy policy, LossLog log)
    {
        if (policy.Order > PriorityMax)
        {
            log.Note(policy, "", $"it has priority {PriorityMax}, the last there is, and should come after all others that have it");
        }

        var target = (PodSegment)policy.Target;
        return Map.Of(
            ("apiVersion", "policy.networking.k8s.io/v1alpha2"),
            ("kind", "ClusterNetworkPolicy"),
            ("metadata", Map.Of(("name", policy.Name))),
            ("spec", Map.Of(
                ("tier", policy.Tier == Tier.Admin ? "Admin" : "Baseline"),
                ("priority", (int)Math.Min(policy.Order!.Value, PriorityMax)),
                ("subject", Pods(target)),
                ("ingress", Rules(policy, Direction.Ingress, log)),
                ("egress", Rules(policy, Direction.Egress, log)))));
    }

    private static Map Pods(PodSegment pods) => pods.Pods.IsEverything
        ? Map.Of(("namespaces", KubernetesSelectors.Write(pods.Namespaces)))
        : Map.Of(("pods", Map.Of(("namespaceSelector", KubernetesSelectors.Write(pods.Namespaces)), ("podSelector", KubernetesSelectors.Write(pods.Pods)))));

    private static List<object>? Rules(SegmentPolicy policy, Direction direction, LossLog log)
    {
        if (policy.Rules(direction) is not { } rules)
        {
            return null;
        }

        List<object> written = [];
        for (var i = 0; i < rules.Count; i++)
        {
            var fitting = log.Fit(policy, direction, i, rules[i], peer => PeerFault(peer, direction, rules[i]), port => PortFault(port, rules[i]));
            if (fitting is null)
            {
                continue;
            }

            if (direction == Direction.Ingress && fitting.Peers.Count == 0)
            {
                log.LeftOut(policy, LossLog.Place(direction, i), fitting, "the rule is left out: ingress rules can name pods only, not everybody");
                continue;
            }

            var peers = Peers(fitting);
            foreach (var chunk in peers.Chunk(PeersMax))
            {
                foreach (var ports in fitting.Ports.Count == 0 ? [[]] : Ports(fitting).Chunk(PeersMax))
                {
                    written.Add(Map.Of(
                        ("name", fitting.Name.Length is > 0 and <= 100 ? fitting.Name : null),
                        ("action", fitting.Action == RuleAction.Allow ? "Accept" : fitting.Action.ToString()),
                        (direction == Direction.Ingress ? "from" : "to", chunk.ToList()),
                        ("protocols", ports.Length == 0 ? null : ports.ToList())));
                }
            }
        }

        if (written.Count > RulesMax)
        {
            log.LeftOut(policy, direction == Direction.Ingress ? "ingress" : "egress", rules[^1], $"only the first {RulesMax} of {written.Count} rules are written");
        }

        return [.. written.Take(RulesMax)];
    }

    private static List<object> Peers(Rule rule)
    {
        if (rule.Peers.Count == 0)
        {
            return [Map.Of(("namespaces", Map.Of())), Map.Of(("networks", new List<object> { "0.0.0.0/0", "::/0" }))];
        }

        List<object> peers = [];
        foreach (var peer in rule.Peers)
        {
            switch (peer)
            {
                case PodSegment pods:
                    peers.Add(Pods(pods));
                    break;
                case HostSegment hosts:
                    peers.Add(Map.Of(("nodes", KubernetesSelectors.Write(hosts.Labels))));
                    break;
                case NameSegment name:
                    peers.Add(Map.Of(("domainNames", new List<object> { name.Pattern })));
                    break;
                case RangeSegment range:
                    peers.AddRange(Blocks.Of(range).Chunk(PeersMax).Select(chunk => Map.Of(("networks", chunk.Select(block => (object)block.ToString()).ToList()))));
                    break;
            }
        }

        return peers;
    }

    /// <summary>A named port is of whatever protocol there: it stands for all three.</summary>
    private static IEnumerable<object> Ports(Rule rule) => rule.Ports.Where(port => port.Name is null || port.Protocol == IpProtocol.Tcp).Select(port => (object)(port.Name is not null
        ? Map.Of(("destinationNamedPort", port.Name))
        : Map.Of((IpProtocol.NameOf(port.Protocol), Map.Of(("destinationPort", port.First == port.Last && port.First is not null
            ? Map.Of(("number", (int)port.First.Value))
            : Map.Of(("range", Map.Of(("start", (int)(port.First ?? 1)), ("end", (int)(port.Last ?? ushort.MaxValue)))))))))));

    private static string? PeerFault(Segment peer, Direction direction, Rule rule) => peer switch
    {
        PodSegment pods => KubernetesRenderer.FaultOf(pods.Namespaces) ?? KubernetesRenderer.FaultOf(pods.Pods),
        _ when direction == Direction.Ingress => "ingress rules can name pods only",
        HostSegment hosts => KubernetesRenderer.FaultOf(hosts.Labels),
        RangeSegment range => Blocks.Of(range).Count == 0 ? "its exceptions leave nothing of it" : null,
        NameSegment name => rule.Action != RuleAction.Allow ? "DNS names can only be allowed" : name.OneLabel ? "a wildcard for one label only cannot be said"
            : ClusterPolicyReader.IsDomainName(name.Pattern) ? null : "it is no DNS name",
        _ => "ClusterNetworkPolicy has no words for it",
    };

    private static string? PortFault(PortMatch port, Rule rule) =>
        port.Protocol is not (IpProtocol.Tcp or IpProtocol.Udp or IpProtocol.Sctp) ? "only TCP, UDP and SCTP have a name in ClusterNetworkPolicy"
        : port.First == 0 ? "ports begin at 1"
        : port.Name is null ? null
        : !PortMatch.Transports.All(protocol => rule.Ports.Contains(port with { Protocol = protocol })) ? "a named port cannot be confined to one protocol"
        : rule.Peers.Count == 0 || rule.Peers.Any(peer => peer is not PodSegment) ? "only pods have named ports"
        : null;
}
