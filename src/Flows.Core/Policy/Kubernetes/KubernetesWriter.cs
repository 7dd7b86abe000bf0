using Flows.Core.Facts;

namespace Flows.Core.Policy;

using Map = QuotedYaml.Map;

/// <summary>Renders a policy as a networking.k8s.io/v1 NetworkPolicy.</summary>
public static class KubernetesWriter
{
    /// <summary>The annotation that says where a policy's evidence stands: <c>evidence.json#namespace/name</c>.</summary>
    public const string EvidenceAnnotation = "flows/evidence";

    /// <summary>
    /// One YAML document, ending with a line break; the same bytes for the same policy. Directions that the policy leaves open are absent from
    /// policyTypes, which is always written: the API would otherwise isolate ingress by default.
    /// </summary>
    /// <param name="policy">The policy; every name and label is checked against the API's grammar.</param>
    /// <param name="evidence">The reference for the evidence annotation; null for none.</param>
    /// <exception cref="FlowsException">Something in the policy cannot be said in NetworkPolicy.</exception>
    public static string Write(SegmentPolicy policy, string? evidence = null)
    {
        Require(KubernetesGrammar.IsDnsLabel(policy.Namespace), policy, "that is not a namespace's name");
        Require(KubernetesGrammar.IsDnsSubdomain(policy.Name), policy, "that is not a policy's name");
        Require(policy.Ingress is not null || policy.Egress is not null, policy, "a policy that isolates neither direction would be read as isolating ingress");
        if (policy.Target is not PodSegment target || target.Namespaces.Text != PodSegment.In(policy.Namespace, LabelSelector.Everything).Namespaces.Text)
        {
            throw Cannot(policy, $"it selects {policy.Target}, and a NetworkPolicy pods of its own namespace");
        }

        Require(policy.Tier == Tier.Application && policy.Order is null, policy, "there are no tiers and no order in NetworkPolicy");
        Require(policy is { Ingress: null } or { ClosesIngress: true } && policy is { Egress: null } or { ClosesEgress: true }, policy, "a direction with rules is always closed to the rest");
        List<object> types = [];
        if (policy.Ingress is not null)
        {
            types.Add("Ingress");
        }

        if (policy.Egress is not null)
        {
            types.Add("Egress");
        }

        return QuotedYaml.Write(Map.Of(
            ("apiVersion", "networking.k8s.io/v1"),
            ("kind", "NetworkPolicy"),
            ("metadata", Map.Of(
                ("name", policy.Name),
                ("namespace", policy.Namespace),
                ("annotations", evidence is null ? null : new Map([(EvidenceAnnotation, evidence)], IsData: true)))),
            ("spec", Map.Of(
                ("podSelector", Selector(policy.Pods, policy)),
                ("policyTypes", types),
                ("ingress", Rules(policy, policy.Ingress, "from")),
                ("egress", Rules(policy, policy.Egress, "to"))))));
    }

    private static List<object>? Rules(SegmentPolicy policy, IReadOnlyList<Rule>? rules, string peers) => rules?.Select(rule => Allowing(rule, policy)).Select(rule => (object)Map.Of(
        (peers, rule.Peers.Count == 0 ? null : rule.Peers.Select(peer => (object)Peer(peer, policy)).ToList()),
        ("ports", rule.Ports.Count == 0 ? null : rule.Ports.Select(port => (object)Port(port, policy)).ToList()))).ToList();

    private static Rule Allowing(Rule rule, SegmentPolicy policy)
    {
        Require(rule.Action == RuleAction.Allow, policy, "a NetworkPolicy only allows");
        return rule;
    }

    private static Map Peer(Segment peer, SegmentPolicy policy) => peer switch
    {
        PodSegment pods => Map.Of(("namespaceSelector", Selector(pods.Namespaces, policy)), ("podSelector", Selector(pods.Pods, policy))),
        RangeSegment range => Map.Of(("ipBlock", Map.Of(
            ("cidr", range.Range.ToString()),
            ("except", range.Except.Count == 0 ? null : range.Except.Select(except => (object)except.ToString()).ToList())))),
        _ => throw Cannot(policy, $"NetworkPolicy has no words for {peer}"),
    };

    private static Map Port(PortMatch port, SegmentPolicy policy)
    {
        Require(port.Protocol is IpProtocol.Tcp or IpProtocol.Udp or IpProtocol.Sctp, policy, "a NetworkPolicy speaks of TCP, UDP and SCTP only");
        return Map.Of(
            ("protocol", IpProtocol.NameOf(port.Protocol).ToUpperInvariant()),
            ("port", port.Name ?? (object?)port.First),
            ("endPort", port.Last == port.First ? null : port.Last));
    }

    private static Map Selector(LabelSelector selector, SegmentPolicy policy)
    {
        if (selector.Requirements.FirstOrDefault(requirement => !KubernetesGrammar.IsLabelKey(requirement.Key) || !requirement.Values.All(KubernetesGrammar.IsLabelValue)) is { } wrong)
        {
            throw Cannot(policy, $"'{wrong}' has what is not a label's key or value");
        }

        return KubernetesSelectors.Write(selector);
    }

    private static void Require(bool holds, SegmentPolicy policy, string otherwise)
    {
        if (!holds)
        {
            throw Cannot(policy, otherwise);
        }
    }

    private static FlowsException Cannot(SegmentPolicy policy, string why) => new(ExitCode.Failed, $"Policy {policy.Id} cannot be written for Kubernetes: {why}.");
}
