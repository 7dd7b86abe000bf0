using Flows.Core.Facts;
using Flows.Core.Map;

namespace Flows.Core.Policy;

/// <summary>What one segment gets.</summary>
/// <param name="Policy">Null where no labels pick it alone, which <paramref name="Review"/> says; <paramref name="Readiness"/> too.</param>
internal sealed record SegmentDraft(SegmentPolicy? Policy, SegmentReadiness? Readiness, IReadOnlyList<ReviewItem> Review);

/// <summary>Makes the policy of a segment from what it needs. Thread safe: of two segments at once, not of one twice.</summary>
/// <param name="edges">All edges; grants refer to them by number.</param>
/// <param name="ring">The fence that is put up; null: none.</param>
internal sealed class SegmentDrafter(PolicyInput input, IReadOnlyList<Edge> edges, Widening widening, RingFence? ring)
{
    // A port on which so many segments ask for names is the cluster's resolver, not something that one application keeps for itself.
    private const int ResolverClientsLeast = 3;

    private readonly ReadinessJudge judge = new(input, edges);

    /// <param name="subject">The segment.</param>
    /// <param name="finding">How to pick its pods; null for a host.</param>
    /// <param name="needs">What it was seen to need.</param>
    public SegmentDraft Draft(SegmentKey subject, SelectorFinding? finding, SegmentNeeds needs)
    {
        if (finding is { Exact: null })
        {
            var connections = needs.Ingress.Concat(needs.Egress).Select(need => need.Edge).Distinct().Sum(number => edges[number].Connections);
            return new(null, null, [ReviewItem.About(subject, ReviewReason.Selector, $"gets no policy: {finding.Fault}") with { Connections = connections }]);
        }

        List<ReviewItem> review = [];
        var (ingress, egress) = (Granted(needs, Direction.Ingress), Granted(needs, Direction.Egress));
        Widen(subject, Direction.Ingress, ingress, review);
        Widen(subject, Direction.Egress, egress, review);
        var ready = ReadinessOf(subject, [.. ((GrantTable?[])[ingress, egress]).OfType<GrantTable>()], needs.Inside);
        var policy = new SegmentPolicy
        {
            Subject = subject.ToString(),
            Namespace = subject.Namespace,
            Name = NameOf(subject),
            Target = finding is null ? HostSegment.Named(subject.Workload) : PodSegment.In(subject.Namespace, finding.Exact),
            Ingress = RulesOf(subject, Direction.Ingress, ingress, needs.Inside, ready, review),
            Egress = RulesOf(subject, Direction.Egress, egress, needs.Inside, ready, review),
        };
        return new(policy, ready, review);
    }

    /// <summary>The pieces of the rules of one direction; null where nothing is needed.</summary>
    private GrantTable? Granted(SegmentNeeds needs, Direction direction)
    {
        if (needs.Of(direction).Count == 0)
        {
            return null;
        }

        var table = new GrantTable();
        HashSet<(byte Protocol, ushort Port)> resolvers = [];
        foreach (var need in needs.Of(direction))
        {
            // Resolvers fall back from UDP to TCP for long answers (RFC 7766), rarely enough to be missed while watching.
            var edge = edges[need.Edge];
            var dns = Infrastructure.IsDns(edge);
            foreach (var protocol in dns ? (ReadOnlySpan<byte>)[IpProtocol.Tcp, IpProtocol.Udp] : [edge.Protocol])
            {
                foreach (var peer in need.Peers)
                {
                    table.Add(protocol, edge.DstPort, peer, Infrastructure.ReasonOf(edge, peer.Class) ?? (need.Metrics ? Infrastructure.Metrics : null), need.Edge);
                }

                if (dns && direction == Direction.Ingress)
                {
                    resolvers.Add((protocol, edge.DstPort));
                }
            }
        }

        foreach (var (protocol, port) in resolvers)
        {
            table.OpenToPods(protocol, port, ResolverClientsLeast);
        }

        return table;
    }

    private string NameOf(SegmentKey subject) => subject.IsNamespace
        ? KubernetesGrammar.NameOf(subject.Namespace, ring is null ? "namespace" : input.RingFence is null ? "boundary" : "ring-fence")
        : KubernetesGrammar.NameOf(subject.Workload, subject.Kind);

    private void Widen(SegmentKey subject, Direction direction, GrantTable? table, List<ReviewItem> review)
    {
        foreach (var (protocol, port, addresses) in table?.Widen(widening) ?? [])
        {
            review.Add(ReviewItem.About(subject, ReviewReason.ManyAddresses,
                $"{Word(direction)} lists {addresses} outside addresses, more than {input.ExternalPeersMax}; give the cluster's ranges to widen the rule to the world without them") with
            {
                Protocol = IpProtocol.NameOf(protocol),
                Port = port,
            });
        }
    }

    private SegmentReadiness ReadinessOf(SegmentKey subject, IReadOnlyList<GrantTable> own, IReadOnlyList<int> inside)
    {
        var grants = own.SelectMany(table => table.Grants).Select(grant => grant.Edges.Distinct().Select(number => edges[number]).ToList())
            .Concat(inside.GroupBy(number => (edges[number].DstPort, edges[number].Protocol)).Select(same => same.Select(number => edges[number]).ToList()))
            .ToList();
        var sightings = grants.Select(seen => new Sighting(
            seen.Sum(edge => edge.Connections), seen.Exists(edge => edge.Hours is null) ? null : HourSet.Union(seen.Select(edge => edge.Hours!)), seen.Min(edge => edge.FirstSeenUs))).ToList();
        return judge.Of(subject.ToString(), sightings, [.. grants.SelectMany(seen => seen).SelectMany(edge => edge.Nodes).Distinct()]);
    }

    private List<Rule>? RulesOf(SegmentKey subject, Direction direction, GrantTable? table, IReadOnlyList<int> inside, SegmentReadiness ready, List<ReviewItem> review)
    {
        List<Rule> rules = [.. table?.ToRules(edges) ?? []];
        if (ring is not null && ring.Holds(subject))
        {
            rules.Add(new Rule
            {
                Peers = ring.Inside,
                Purpose = RulePurpose.Baseline,
                Reason = $"inside the fence around {ring.Name}",
                Widened = "inside the fence everything may talk",
                Evidence = EvidenceOf.Edges([.. inside.Order().Select(number => edges[number])]),
            });
        }
        else if (table is null)
        {
            return Quiet(subject, direction, ready, review);
        }

        review.AddRange(rules.Where(rule => rule.Widened is not null).Select(rule => ReviewItem.About(subject, ReviewReason.Widened,
            $"{Word(direction)} on {(rule.Ports.Count == 0 ? "every port" : string.Join(", ", rule.Ports))}: {rule.Widened}") with { Connections = rule.Evidence?.Connections ?? 0 }));
        return rules;
    }

    /// <summary>A direction that nobody used: closed once the segment is known well enough for that to mean something.</summary>
    private static List<Rule>? Quiet(SegmentKey subject, Direction direction, SegmentReadiness ready, List<ReviewItem> review)
    {
        var word = Word(direction);
        if (ready.State == ReadinessState.Stable)
        {
            review.Add(ReviewItem.About(subject, ReviewReason.DirectionClosed, $"no {word} was seen though the segment is stable, so {word} is closed"));
            return [];
        }

        review.Add(ReviewItem.About(subject, ReviewReason.DirectionNotObserved, $"no {word} was seen, so {word} stays open; close it once you know that there is none"));
        return null;
    }

    private static string Word(Direction direction) => direction == Direction.Ingress ? "ingress" : "egress";
}
