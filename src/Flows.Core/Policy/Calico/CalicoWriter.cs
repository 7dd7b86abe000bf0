using System.Globalization;
using Flows.Core.Facts;

namespace Flows.Core.Policy;

using Map = QuotedYaml.Map;

/// <summary>Renders a set as Calico's policies with the tiers that they need, or as staged policies that are watched before they hold.</summary>
internal static class CalicoWriter
{
    // Calico puts NetworkPolicies at 1000. What adds up has no order among itself but that denials outweigh: they stand just before.
    private const double Step = 0.001;

    // The CRD's limits on the items of one list.
    private const int RangesMax = 256;
    private const int PortsMax = 50;

    public static Rendering Render(PolicySet set, bool staged)
    {
        var log = new LossLog();
        var denies = set.Policies.GroupBy(policy => policy.Tier).ToDictionary(tier => tier.Key, tier => Denies(tier.Key, [.. tier]));
        List<RenderedFile> files = [.. denies.Where(tier => !IsBuiltIn(tier.Key)).OrderBy(tier => tier.Key)
            .Select(tier => new RenderedFile($"tier.{tier.Key.Name}.yaml", QuotedYaml.Write(TierDocument(tier.Key, tier.Value))))];
        foreach (var policy in set.Policies)
        {
            if (FaultOf(policy, denies[policy.Tier]) is { } fault)
            {
                log.LeftOut(policy, fault);
                continue;
            }

            foreach (var part in Parts(policy))
            {
                files.Add(new RenderedFile($"{(policy.Namespace.Length == 0 ? "" : $"{policy.Namespace}.")}{part.Name}.yaml", QuotedYaml.Write(Document(policy, part, staged, log)), policy.Id));
            }
        }

        return new Rendering(files, log.Losses);
    }

    private static bool IsBuiltIn(Tier tier) => tier == Tier.Application;

    private static string TierName(Tier tier) => IsBuiltIn(tier) ? CalicoTiers.Default : tier.Name;

    /// <summary>A tier denies or passes as a whole.</summary>
    private static bool Denies(Tier tier, IReadOnlyList<SegmentPolicy> policies) => IsBuiltIn(tier) || policies.Any(policy =>
        (policy.Ingress is not null && policy.ClosesIngress) || (policy.Egress is not null && policy.ClosesEgress));

    private static string? FaultOf(SegmentPolicy policy, bool denies) =>
        !KubernetesGrammar.IsDnsSubdomain(KubernetesGrammar.NameOf(policy.Name, "")) || !KubernetesGrammar.IsDnsLabel(TierName(policy.Tier)) ? "its name or tier is no legal name"
        : policy.Ingress is null && policy.Egress is null ? "it speaks of no direction"
        : denies && ((policy.Ingress is not null && !policy.ClosesIngress) || (policy.Egress is not null && !policy.ClosesEgress))
            ? $"tier '{TierName(policy.Tier)}' denies what its policies do not decide, and this one leaves it to the next"
        : AnySegment.PartsOf(policy.Target).Any(part => part is not PodSegment) ? $"Calico's policies govern pods, and this one {policy.Target}"
        : AnySegment.PartsOf(policy.Target).Select(part => ((PodSegment)part).Namespaces.Text).Distinct().Count() != 1 ? "one policy cannot govern different pods of different namespaces"
        : AnySegment.PartsOf(policy.Target).Select(PodFault).FirstOrDefault(fault => fault is not null);

    private static string? PodFault(Segment segment) => segment is PodSegment pods
        && pods.Namespaces.Requirements.Concat(pods.Pods.Requirements).FirstOrDefault(one => !KubernetesGrammar.IsLabelKey(one.Key) || !one.Values.All(KubernetesGrammar.IsLabelValue)) is { } odd
        ? $"'{odd}' is no legal label" : null;

    private sealed record Part(string Name, double Order, RuleAction? Only);

    /// <summary>What adds up becomes up to three policies: denials, allowances, passes.</summary>
    private static List<Part> Parts(SegmentPolicy policy)
    {
        // A dot parts the tier from the name, so that none is left for the name itself.
        var plain = policy.Name.Replace('.', '_');
        var name = KubernetesGrammar.NameOf(plain, "");
        if (policy.Order is { } order)
        {
            return [new Part(name, order, null)];
        }

        var actions = policy.AllRules().Select(rule => rule.Rule.Action).ToHashSet();
        List<Part> parts = [];
        if (actions.Contains(RuleAction.Deny))
        {
            parts.Add(new Part(KubernetesGrammar.NameOf(plain, "denials"), SegmentPolicy.OrderOfUnordered - Step, RuleAction.Deny));
        }

        parts.Add(new Part(name, SegmentPolicy.OrderOfUnordered, RuleAction.Allow));
        if (actions.Contains(RuleAction.Pass))
        {
            parts.Add(new Part(KubernetesGrammar.NameOf(plain, "passes"), SegmentPolicy.OrderOfUnordered + Step, RuleAction.Pass));
        }

        return parts;
    }

    private static Map TierDocument(Tier tier, bool denies) => Map.Of(
        ("apiVersion", CalicoReader.Version),
        ("kind", "Tier"),
        ("metadata", Map.Of(("name", tier.Name))),
        ("spec", Map.Of(("order", tier.Order), ("defaultAction", denies ? "Deny" : "Pass"))));

    private static Map Document(SegmentPolicy policy, Part part, bool staged, LossLog log)
    {
        var targets = AnySegment.PartsOf(policy.Target).Cast<PodSegment>().ToList();
        var inNamespace = policy.Namespace.Length > 0 && KubernetesRenderer.NamespaceOf(targets[0]) == policy.Namespace ? policy.Namespace : null;
        var tier = TierName(policy.Tier);
        List<object> types = [];
        types.AddRange(policy.Ingress is null ? [] : ["Ingress"]);
        types.AddRange(policy.Egress is null ? [] : ["Egress"]);
        return Map.Of(
            ("apiVersion", CalicoReader.Version),
            ("kind", (staged ? "Staged" : "") + (inNamespace is null ? "GlobalNetworkPolicy" : "NetworkPolicy")),
            ("metadata", Map.Of(("name", $"{tier}.{part.Name}"), ("namespace", inNamespace))),
            ("spec", Map.Of(
                ("tier", tier),
                ("order", double.IsPositiveInfinity(part.Order) ? null : part.Order),
                ("selector", string.Join(" || ", targets.Select(target => targets.Count == 1 ? CalicoSelector.Write(target.Pods) : $"({CalicoSelector.Write(target.Pods)})"))),
                ("namespaceSelector", inNamespace is not null || targets[0].Namespaces.IsEverything ? null : Namespaces(targets[0].Namespaces)),
                ("types", types),
                ("ingress", Rules(policy, part, Direction.Ingress, log)),
                ("egress", Rules(policy, part, Direction.Egress, log)))));
    }

    private static string Namespaces(LabelSelector selector) => CalicoSelector.Write(new LabelSelector(selector.Requirements
        .Select(one => one.Key == PodSegment.NameLabel ? one with { Key = CalicoPeers.NamespaceName } : one)));

    private static List<object>? Rules(SegmentPolicy policy, Part part, Direction direction, LossLog log)
    {
        if (policy.Rules(direction) is not { } rules)
        {
            return null;
        }

        List<object> written = [];
        for (var i = 0; i < rules.Count; i++)
        {
            if ((part.Only ?? rules[i].Action) == rules[i].Action && log.Fit(policy, direction, i, rules[i], peer => PeerFault(peer, direction), PortFault) is { } rule)
            {
                written.AddRange(Rule(rule, direction));
            }
        }

        return written;
    }

    /// <summary>One end and one protocol for each rule there.</summary>
    private static IEnumerable<object> Rule(Rule rule, Direction direction)
    {
        var ends = rule.Peers.Count == 0 ? [null] : Ends(rule.Peers).ToList();
        var protocols = rule.Ports.Count == 0 ? [null] : rule.Ports.GroupBy(port => port.Protocol).SelectMany(Lists).ToList<IReadOnlyList<PortMatch>?>();
        foreach (var end in ends)
        {
            foreach (var ports in protocols)
            {
                var listed = ports is null || ports.Any(IsWhole) ? null : ports.Select(Port).ToList();
                var destination = (direction == Direction.Egress ? end?.Fields ?? [] : []).Concat(listed is null ? [] : [("ports", (object)listed)]).ToList();
                yield return Map.Of(
                    ("action", rule.Action.ToString()),
                    ("protocol", ports is null ? null : Protocol(ports[0].Protocol)),
                    ("source", direction == Direction.Ingress ? end : null),
                    ("destination", destination.Count == 0 ? null : new Map(destination)));
            }
        }
    }

    /// <summary>The ports of one protocol in lists of a legal length; all of them at once where every port is meant.</summary>
    private static IEnumerable<IReadOnlyList<PortMatch>> Lists(IEnumerable<PortMatch> ports) => ports.FirstOrDefault(IsWhole) is { } whole ? [[whole]] : ports.Chunk(PortsMax);

    private static bool IsWhole(PortMatch port) => port.First is null && port.Name is null;

    private static IEnumerable<Map?> Ends(IReadOnlyList<Segment> peers)
    {
        // All ranges of a rule must be of one family, and none may stand there twice.
        foreach (var plain in peers.OfType<RangeSegment>().Where(range => range.Except.Count == 0).Select(range => range.Range).Distinct()
            .GroupBy(range => range.IsV4).SelectMany(family => family.Chunk(RangesMax)))
        {
            yield return Map.Of(("nets", plain.Select(range => (object)range.ToString()).ToList()));
        }

        foreach (var peer in peers)
        {
            switch (peer)
            {
                case RangeSegment { Except.Count: > 0 } range:
                    yield return Map.Of(
                        ("nets", new List<object> { range.Range.ToString() }),
                        ("notNets", Blocks.Exceptions(range) is { Count: > 0 } except ? except.Select(block => (object)block.ToString()).ToList() : null));
                    break;
                case PodSegment pods:
                    yield return Map.Of(("selector", CalicoSelector.Write(pods.Pods)), ("namespaceSelector", Namespaces(pods.Namespaces)));
                    break;
                case NameSegment name:
                    yield return Map.Of(("domains", new List<object> { name.Pattern }));
                    break;
            }
        }
    }

    private static object Port(PortMatch port) => port.Name ?? (port.First == port.Last
        ? (object)(int)port.First!.Value
        : string.Create(CultureInfo.InvariantCulture, $"{Math.Max((int)port.First!.Value, 1)}:{port.Last}"));

    private static object Protocol(byte protocol) => protocol switch
    {
        IpProtocol.Tcp => "TCP",
        IpProtocol.Udp => "UDP",
        IpProtocol.Sctp => "SCTP",
        IpProtocol.Icmp => "ICMP",
        IpProtocol.IcmpV6 => "ICMPv6",
        _ => (int)protocol,
    };

    private static string? PeerFault(Segment peer, Direction direction) => peer switch
    {
        PodSegment => PodFault(peer),
        RangeSegment range => Blocks.Exceptions(range) is not { } except ? "its exceptions leave nothing of it" : except.Count > RangesMax ? $"it has more than {RangesMax} exceptions" : null,
        NameSegment name when direction == Direction.Egress => name.OneLabel ? "a wildcard for one label only cannot be said"
            : ClusterPolicyReader.IsDomainName(name.Pattern) ? null : "it is no DNS name",
        _ => "Calico's rules have no words for it",
    };

    private static string? PortFault(PortMatch port) => port.First == 0 && port.Last == 0 ? "ports begin at 1"
        : !IsWhole(port) && !PortMatch.Transports.Contains(port.Protocol) ? "only TCP, UDP and SCTP have ports there"
        : port.Name is not null && !KubernetesGrammar.IsPortName(port.Name) ? "it is no name of a port" : null;
}
