using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.Core.Map;

namespace Flows.Core.Policy;

/// <summary>
/// Derives the fewest rules that let through what was seen and needed, at both ends, and lists everything it left out. A pure function:
/// the same edges and entities in any order give the same bytes.
/// </summary>
public sealed class PolicySuggester
{
    private const ushort DnsPort = 53;

    private readonly PolicyInput input;
    private readonly EdgeSieve sieve;
    private readonly WorkloadSelectors selectors;
    private readonly Dictionary<(SegmentKey Subject, Direction Direction), GrantTable> tables = [];
    private readonly List<ReviewItem> review = [];

    private PolicySuggester(PolicyInput input)
    {
        this.input = input;
        sieve = new EdgeSieve(input);
        selectors = new WorkloadSelectors(input.Entities.Concat(input.Edges.SelectMany(edge => (Entity[])[edge.Src, edge.Dst])).Where(sieve.Selectable));
    }

    /// <summary>Suggests a set at the input's level.</summary>
    public static Suggestion Suggest(PolicyInput input) => new PolicySuggester(input).Run();

    private Suggestion Run()
    {
        foreach (var edge in EdgeOrder.Sorted(input.Edges))
        {
            if (sieve.WhyNot(edge) is { } reason)
            {
                review.Add(sieve.Item(edge, reason));
            }
            else
            {
                Grant(edge, Direction.Egress, edge.Src, edge.Dst);
                Grant(edge, Direction.Ingress, edge.Dst, edge.Src);
            }
        }

        var subjects = tables.Keys.Select(key => key.Subject).Distinct().Order().ToList();
        var set = PolicySet.Of(subjects.Select(PolicyOf).OfType<SegmentPolicy>());
        ReviewUnobserved(subjects);
        return new Suggestion(set, ReviewItem.Merge(review));
    }

    private void Grant(Edge edge, Direction direction, Entity subject, Entity peer)
    {
        if (!sieve.Selectable(subject))
        {
            if (subject.Kind == EntityKind.Pod)
            {
                review.Add(sieve.Item(edge, ReviewReason.HostNetwork) with { Src = SegmentKey.TextOf(subject, input.Level), Dst = "", Protocol = "", Port = null });
            }

            return;
        }

        var key = (SegmentKey.Of(subject, input.Level), direction);
        if (!tables.TryGetValue(key, out var table))
        {
            tables[key] = table = new GrantTable();
        }

        // Resolvers fall back from UDP to TCP for long answers (RFC 7766), rarely enough to be missed while watching.
        var dns = edge.Protocol != IpProtocol.Sctp && (edge.DstPort == DnsPort || edge.ServicePort == DnsPort);
        foreach (var grant in PeersOf(edge, peer, dns))
        {
            foreach (var protocol in dns ? (byte[])[IpProtocol.Tcp, IpProtocol.Udp] : [edge.Protocol])
            {
                table.Add(protocol, edge.DstPort, grant);
            }
        }
    }

    private IEnumerable<Grant> PeersOf(Edge edge, Entity peer, bool baseline)
    {
        if (!sieve.Selectable(peer))
        {
            return sieve.AddressesOf(peer).Select(range => new Grant(new RangeSegment(range, []), peer.Kind == EntityKind.Unknown, baseline, null, [edge]));
        }

        var key = SegmentKey.Of(peer, input.Level);
        var finding = selectors.Find(key);
        var widened = finding.Fault is null ? null : $"{key} cannot be picked alone: {finding.Fault}";
        return [new Grant(PodSegment.In(peer.Namespace, finding.Widest), Unknown: false, baseline, widened, [edge])];
    }

    private SegmentPolicy? PolicyOf(SegmentKey subject)
    {
        var finding = selectors.Find(subject);
        if (finding.Exact is null)
        {
            var edges = ((Direction[])[Direction.Ingress, Direction.Egress]).SelectMany(direction => tables.GetValueOrDefault((subject, direction))?.Edges ?? []);
            review.Add(About(subject, ReviewReason.Selector, $"gets no policy: {finding.Fault}") with
            {
                Connections = edges.Distinct<Edge>(ReferenceEqualityComparer.Instance).Sum(edge => edge.Connections),
            });
            return null;
        }

        return new SegmentPolicy
        {
            Subject = subject.ToString(),
            Namespace = subject.Namespace,
            Name = subject.IsNamespace ? KubernetesGrammar.NameOf(subject.Namespace, "namespace") : KubernetesGrammar.NameOf(subject.Workload, subject.Kind),
            Target = PodSegment.In(subject.Namespace, finding.Exact),
            Ingress = RulesOf(subject, Direction.Ingress),
            Egress = RulesOf(subject, Direction.Egress),
        };
    }

    private IReadOnlyList<Rule>? RulesOf(SegmentKey subject, Direction direction)
    {
        var word = direction == Direction.Ingress ? "ingress" : "egress";
        if (!tables.TryGetValue((subject, direction), out var table))
        {
            review.Add(About(subject, ReviewReason.DirectionNotObserved, $"no {word} was seen, so {word} stays open; close it once you know that there is none"));
            return null;
        }

        foreach (var (protocol, port, addresses) in table.Widen(input.ExternalPeersMax, input.ClusterRanges))
        {
            review.Add(About(subject, ReviewReason.ManyAddresses,
                $"{word} lists {addresses} unknown addresses, more than {input.ExternalPeersMax}; give the cluster's ranges to widen the rule to the world without them") with
            {
                Protocol = IpProtocol.NameOf(protocol),
                Port = port,
            });
        }

        var rules = table.ToRules();
        review.AddRange(rules.Where(rule => rule.Widened is not null)
            .Select(rule => About(subject, ReviewReason.Widened, $"{word} on {string.Join(", ", rule.Ports)}: {rule.Widened}") with { Connections = rule.Evidence!.Connections }));
        return rules;
    }

    private void ReviewUnobserved(List<SegmentKey> subjects)
    {
        var seen = input.Edges.SelectMany(edge => (Entity[])[edge.Src, edge.Dst]).Where(sieve.Selectable)
            .Select(pod => SegmentKey.Of(pod, SegmentLevel.Workload)).ToHashSet();
        foreach (var workload in selectors.Workloads.Where(workload => !seen.Contains(workload)))
        {
            var governed = input.Level == SegmentLevel.Namespace && subjects.Contains(new SegmentKey(workload.Namespace, "", ""));
            review.Add(About(workload, ReviewReason.NotObserved, governed
                ? "nothing was seen of it, yet the policy of its namespace selects it"
                : "nothing was seen of it, so it gets no policy and stays open"));
        }
    }

    private static ReviewItem About(SegmentKey segment, ReviewReason reason, string detail) => new() { Reason = reason, Src = segment.ToString(), Detail = detail };
}
