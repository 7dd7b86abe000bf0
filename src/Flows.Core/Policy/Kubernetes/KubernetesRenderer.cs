using Flows.Core.Facts;

namespace Flows.Core.Policy;

/// <summary>Fits a set into NetworkPolicies: allow rules for pods of one namespace.</summary>
internal static class KubernetesRenderer
{
    public static Rendering Render(PolicySet set)
    {
        var log = new LossLog();
        List<RenderedFile> files = [];
        foreach (var policy in set.Policies)
        {
            if (Fit(policy, log) is { } fitting)
            {
                files.Add(new RenderedFile($"{fitting.Namespace}.{fitting.Name}.yaml", KubernetesWriter.Write(fitting), policy.Id));
            }
        }

        return new Rendering(files, log.Losses);
    }

    /// <summary>Why a NetworkPolicy cannot say a selector; null where it can.</summary>
    public static string? FaultOf(LabelSelector selector) => selector.Requirements.FirstOrDefault(one => one.Operator > LabelOperator.DoesNotExist) is { } rich
        ? $"a Kubernetes selector cannot say '{rich}'"
        : selector.Requirements.FirstOrDefault(one => !KubernetesGrammar.IsLabelKey(one.Key) || !one.Values.All(KubernetesGrammar.IsLabelValue)) is { } odd ? $"'{odd}' is no legal label" : null;

    /// <summary>The single namespace that a segment of pods is confined to; null where it is not.</summary>
    public static string? NamespaceOf(PodSegment pods) =>
        pods.Namespaces.Requirements is [{ Key: PodSegment.NameLabel, Operator: LabelOperator.In, Values: [var name] }] ? name : null;

    private static SegmentPolicy? Fit(SegmentPolicy policy, LossLog log)
    {
        var fault = policy.Target is not PodSegment target || NamespaceOf(target) is not { } inNamespace ? $"a NetworkPolicy governs pods of one namespace, and this one {policy.Target}"
            : policy.Namespace.Length > 0 && policy.Namespace != inNamespace ? "it governs pods of another namespace"
            : FaultOf(target.Pods) is { } selector ? selector
            : policy.Tier != Tier.Application ? $"there is no tier '{policy.Tier}' in NetworkPolicy"
            : policy.Order is not null && policy.AllRules().Any(rule => rule.Rule.Action != RuleAction.Allow) ? "NetworkPolicies have no order, and its denials need one"
            : (policy.Ingress is not null && !policy.ClosesIngress) || (policy.Egress is not null && !policy.ClosesEgress) ? "a NetworkPolicy closes every direction that it speaks of"
            : policy.Ingress is null && policy.Egress is null ? "it speaks of no direction"
            : null;
        if (fault is not null)
        {
            log.LeftOut(policy, fault);
            return null;
        }

        if (policy.Order is not null)
        {
            log.Note(policy, "", "its order is not written; rules that only allow need none");
        }

        return policy with
        {
            Namespace = NamespaceOf((PodSegment)policy.Target)!,
            Order = null,
            Ingress = Fit(policy, Direction.Ingress, log),
            Egress = Fit(policy, Direction.Egress, log),
        };
    }

    private static List<Rule>? Fit(SegmentPolicy policy, Direction direction, LossLog log)
    {
        if (policy.Rules(direction) is not { } rules)
        {
            return null;
        }

        List<Rule> fitting = [];
        for (var i = 0; i < rules.Count; i++)
        {
            if (rules[i].Action != RuleAction.Allow)
            {
                log.LeftOut(policy, LossLog.Place(direction, i), rules[i], $"the rule is left out: a NetworkPolicy cannot {rules[i].Action}");
            }
            else if (log.Fit(policy, direction, i, rules[i], PeerFault, PortFault) is { } rule)
            {
                fitting.Add(rule with { Peers = [.. rule.Peers.Select(Plain)] });
            }
        }

        return fitting;
    }

    private static Segment Plain(Segment peer) => peer is RangeSegment range ? range with { Except = Blocks.Exceptions(range)! } : peer;

    private static string? PeerFault(Segment peer) => peer switch
    {
        PodSegment pods => FaultOf(pods.Namespaces) ?? FaultOf(pods.Pods),
        RangeSegment range => Blocks.Exceptions(range) is null ? "its exceptions leave nothing of it" : null,
        NameSegment => "there are no DNS names in NetworkPolicy",
        _ => "there are only pods and address ranges in NetworkPolicy",
    };

    private static string? PortFault(PortMatch port) =>
        port.Protocol is not (IpProtocol.Tcp or IpProtocol.Udp or IpProtocol.Sctp) ? "only TCP, UDP and SCTP have a name in NetworkPolicy"
        : port.First == 0 ? "ports begin at 1"
        : port.Name is not null && !KubernetesGrammar.IsPortName(port.Name) ? "it is no name of a port"
        : null;
}
