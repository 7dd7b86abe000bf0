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
    // A port on which so many segments ask for names is the cluster's resolver, not something that one application keeps for itself.
    private const int ResolverClientsLeast = 3;

    private readonly PolicyInput input;
    private readonly EdgeSieve sieve;
    private readonly IReadOnlyList<Edge> edges;
    private readonly List<ReviewItem> review = [];
    private readonly List<int> needed = [];
    private readonly WorkloadSelectors selectors;
    private readonly Segmentation segmentation;
    private readonly PeerNamer namer;
    private readonly RingFence? ring;
    private readonly Widening widening;
    private readonly ReadinessJudge judge;
    private readonly Dictionary<ulong, SegmentKey?> subjects = [];
    private readonly Dictionary<ulong, bool> collectors = [];
    private readonly Dictionary<(SegmentKey Subject, Direction Direction), GrantTable> tables = [];
    private readonly HashSet<(SegmentKey Subject, Direction Direction, byte Protocol, ushort Port)> resolvers = [];
    private readonly Dictionary<SegmentKey, List<int>> inside = [];
    private readonly List<SegmentReadiness> readiness = [];

    private PolicySuggester(PolicyInput given)
    {
        input = RingFence.Levelled(given);
        sieve = new EdgeSieve(input);
        edges = EdgeOrder.Sorted(input.Edges);
        for (var number = 0; number < edges.Count; number++)
        {
            if (sieve.WhyNot(edges[number]) is { } reason)
            {
                review.Add(sieve.Item(edges[number], reason));
            }
            else
            {
                needed.Add(number);
            }
        }

        List<Edge> evidence = [.. needed.Select(number => edges[number])];
        List<Entity> pods = [.. Ends.Of(input).Where(sieve.Selectable)];
        selectors = new WorkloadSelectors(pods);
        segmentation = new Segmentation(input, selectors, evidence);
        ring = RingFence.Of(input, segmentation, pods);
        namer = new PeerNamer(input, sieve, segmentation, evidence);
        widening = Widening.Of(input, sieve);
        judge = new ReadinessJudge(input, edges);
    }

    /// <summary>Suggests a set at the input's level.</summary>
    public static Suggestion Suggest(PolicyInput input) => new PolicySuggester(input).Run();

    private Suggestion Run()
    {
        needed.ForEach(Grant);
        foreach (var (subject, direction, protocol, port) in resolvers)
        {
            tables[(subject, direction)].OpenToPods(protocol, port, ResolverClientsLeast);
        }

        var governed = tables.Keys.Select(key => key.Subject).Concat(inside.Keys).Distinct().Order().ToList();
        List<SegmentPolicy> policies = [.. governed.Select(PolicyOf).OfType<SegmentPolicy>()];
        policies.AddRange(DefaultDeny(policies));
        ReviewUnobserved(governed);
        review.AddRange(segmentation.Raised.Select(raised => About(raised.Key, ReviewReason.LevelRaised, raised.Value)));
        return new Suggestion(PolicySet.Of(policies), ReviewItem.Merge(review)) { Readiness = readiness, Warnings = sieve.Warnings };
    }

    private void Grant(int number)
    {
        var edge = edges[number];
        var (src, dst) = (SubjectOf(edge.Src), SubjectOf(edge.Dst));
        if (ring is not null && sieve.Selectable(edge.Src) && sieve.Selectable(edge.Dst) && ring.Holds(edge.Src) && ring.Holds(edge.Dst))
        {
            ((SegmentKey?[])[src, dst]).OfType<SegmentKey>().Distinct().ToList().ForEach(subject => Inside(subject).Add(number));
            return;
        }

        Grant(number, Direction.Egress, src, edge.Src);
        Grant(number, Direction.Ingress, dst, edge.Dst);
    }

    private List<int> Inside(SegmentKey subject) => inside.TryGetValue(subject, out var there) ? there : inside[subject] = [];

    private void Grant(int number, Direction direction, SegmentKey? subject, Entity end)
    {
        var edge = edges[number];
        if (subject is not { } key)
        {
            if (end.Kind == EntityKind.Pod && end.HostNetwork)
            {
                review.Add(sieve.Item(edge, ReviewReason.HostNetwork) with { Src = SegmentKey.TextOf(end, input.Level), Dst = "", Protocol = "", Port = null });
            }

            return;
        }

        if (!tables.TryGetValue((key, direction), out var table))
        {
            tables[(key, direction)] = table = new GrantTable();
        }

        // Resolvers fall back from UDP to TCP for long answers (RFC 7766), rarely enough to be missed while watching.
        var dns = Infrastructure.IsDns(edge);
        foreach (var protocol in dns ? (byte[])[IpProtocol.Tcp, IpProtocol.Udp] : [edge.Protocol])
        {
            foreach (var peer in namer.PeersOf(edge, direction))
            {
                table.Add(protocol, edge.DstPort, peer, Infrastructure.ReasonOf(edge, peer.Class) ?? (IsMetrics(edge.Src) ? Infrastructure.Metrics : null), number);
            }

            if (dns && direction == Direction.Ingress)
            {
                resolvers.Add((key, direction, protocol, edge.DstPort));
            }
        }
    }

    private bool IsMetrics(Entity client)
    {
        if (!collectors.TryGetValue(client.Id, out var isOne))
        {
            collectors[client.Id] = isOne = Infrastructure.CollectsMetrics(client);
        }

        return isOne;
    }

    /// <summary>Whose policy governs the entity; null where none of this suggestion does.</summary>
    private SegmentKey? SubjectOf(Entity entity)
    {
        if (!subjects.TryGetValue(entity.Id, out var subject))
        {
            subjects[entity.Id] = subject = FindSubject(entity);
        }

        return subject;
    }

    private SegmentKey? FindSubject(Entity entity)
    {
        if (sieve.Selectable(entity))
        {
            return (ring is null || ring.Holds(entity)) && input.Only?.Holds(entity, input.LabelRules) != false ? segmentation.Governing(entity) : null;
        }

        var governs = input.Target.Hosts && ring is null && input.Only is null && (input.Level == SegmentLevel.Host || (input.Level == SegmentLevel.Auto && input.Target == SuggestTarget.Nftables));
        var host = !governs ? null : PeerNamer.NodeOf(entity) ?? (entity.Kind is EntityKind.Vm or EntityKind.Host ? entity.Name : null);
        return host is not null && KubernetesGrammar.IsLabelValue(host) ? SegmentKey.OfHost(host) : null;
    }

    private SegmentPolicy? PolicyOf(SegmentKey subject)
    {
        var target = Target(subject);
        if (target is null)
        {
            return null;
        }

        var own = ((Direction[])[Direction.Ingress, Direction.Egress])
            .Select(direction => (Direction: direction, Table: tables.GetValueOrDefault((subject, direction)))).ToList();
        foreach (var (direction, table) in own)
        {
            Widen(subject, direction, table);
        }

        var ready = ReadinessOf(subject, [.. own.Select(one => one.Table).OfType<GrantTable>()]);
        readiness.Add(ready);
        return new SegmentPolicy
        {
            Subject = subject.ToString(),
            Namespace = subject.Namespace,
            Name = NameOf(subject),
            Target = target,
            Ingress = RulesOf(subject, Direction.Ingress, own[0].Table, ready),
            Egress = RulesOf(subject, Direction.Egress, own[1].Table, ready),
        };
    }

    private Segment? Target(SegmentKey subject)
    {
        if (subject.IsHost)
        {
            return HostSegment.Named(subject.Workload);
        }

        var finding = segmentation.Find(subject);
        if (finding.Exact is not null)
        {
            return PodSegment.In(subject.Namespace, finding.Exact);
        }

        var seen = ((Direction[])[Direction.Ingress, Direction.Egress]).SelectMany(direction => tables.GetValueOrDefault((subject, direction))?.Edges ?? []);
        review.Add(About(subject, ReviewReason.Selector, $"gets no policy: {finding.Fault}") with { Connections = seen.Distinct().Sum(number => edges[number].Connections) });
        return null;
    }

    private string NameOf(SegmentKey subject) => subject.IsNamespace
        ? KubernetesGrammar.NameOf(subject.Namespace, ring is null ? "namespace" : input.RingFence is null ? "boundary" : "ring-fence")
        : KubernetesGrammar.NameOf(subject.Workload, subject.Kind);

    private void Widen(SegmentKey subject, Direction direction, GrantTable? table)
    {
        foreach (var (protocol, port, addresses) in table?.Widen(widening) ?? [])
        {
            review.Add(About(subject, ReviewReason.ManyAddresses,
                $"{Word(direction)} lists {addresses} outside addresses, more than {input.ExternalPeersMax}; give the cluster's ranges to widen the rule to the world without them") with
            {
                Protocol = IpProtocol.NameOf(protocol),
                Port = port,
            });
        }
    }

    private SegmentReadiness ReadinessOf(SegmentKey subject, IReadOnlyList<GrantTable> own)
    {
        var grants = own.SelectMany(table => table.Grants).Select(grant => grant.Edges.Distinct().Select(number => edges[number]).ToList())
            .Concat((inside.GetValueOrDefault(subject) ?? []).GroupBy(number => (edges[number].DstPort, edges[number].Protocol)).Select(same => same.Select(number => edges[number]).ToList()))
            .ToList();
        var sightings = grants.Select(seen => new Sighting(
            seen.Sum(edge => edge.Connections), seen.Exists(edge => edge.Hours is null) ? null : HourSet.Union(seen.Select(edge => edge.Hours!)), seen.Min(edge => edge.FirstSeenUs))).ToList();
        return judge.Of(subject.ToString(), sightings, [.. grants.SelectMany(seen => seen).SelectMany(edge => edge.Nodes).Distinct()]);
    }

    private List<Rule>? RulesOf(SegmentKey subject, Direction direction, GrantTable? table, SegmentReadiness ready)
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
                Evidence = EvidenceOf.Edges([.. (inside.GetValueOrDefault(subject) ?? []).Order().Select(number => edges[number])]),
            });
        }
        else if (table is null)
        {
            return Quiet(subject, direction, ready);
        }

        review.AddRange(rules.Where(rule => rule.Widened is not null).Select(rule => About(subject, ReviewReason.Widened,
            $"{Word(direction)} on {(rule.Ports.Count == 0 ? "every port" : string.Join(", ", rule.Ports))}: {rule.Widened}") with { Connections = rule.Evidence?.Connections ?? 0 }));
        return rules;
    }

    /// <summary>A direction that nobody used: closed once the segment is known well enough for that to mean something.</summary>
    private List<Rule>? Quiet(SegmentKey subject, Direction direction, SegmentReadiness ready)
    {
        var word = Word(direction);
        if (ready.State == ReadinessState.Stable)
        {
            review.Add(About(subject, ReviewReason.DirectionClosed, $"no {word} was seen though the segment is stable, so {word} is closed"));
            return [];
        }

        review.Add(About(subject, ReviewReason.DirectionNotObserved, $"no {word} was seen, so {word} stays open; close it once you know that there is none"));
        return null;
    }

    /// <summary>One for each namespace of which every segment is stable and has a policy.</summary>
    private List<SegmentPolicy> DefaultDeny(IReadOnlyList<SegmentPolicy> policies)
    {
        if (ring is not null || input.Only is not null)
        {
            return [];
        }

        var unsettled = readiness.Where(ready => ready.State != ReadinessState.Stable).Select(ready => ready.Segment).ToHashSet(StringComparer.Ordinal);
        var unruled = review.Where(item => item.Reason == ReviewReason.Selector).Select(item => item.Src.Split('/')[0]).ToHashSet(StringComparer.Ordinal);
        return [.. policies.Where(policy => policy.Namespace.Length > 0).GroupBy(policy => policy.Namespace)
            .Where(own => !unruled.Contains(own.Key) && own.All(policy => !policy.Pods.IsEverything && !unsettled.Contains(policy.Subject)))
            .Select(own => new SegmentPolicy
            {
                Subject = own.Key,
                Namespace = own.Key,
                Name = "default-deny",
                Target = PodSegment.In(own.Key, LabelSelector.Everything),
                Ingress = [],
                Egress = [],
            })];
    }

    private void ReviewUnobserved(List<SegmentKey> governed)
    {
        if (input.Only is not null || ring is not null)
        {
            return;
        }

        var seen = Ends.Of(edges).Where(sieve.Selectable).Select(pod => SegmentKey.Of(pod, SegmentLevel.Workload)).ToHashSet();
        var whole = governed.Where(subject => subject.IsNamespace).ToHashSet();
        foreach (var workload in selectors.Workloads.Where(workload => !seen.Contains(workload)))
        {
            review.Add(About(workload, ReviewReason.NotObserved, whole.Contains(SegmentKey.OfNamespace(workload.Namespace))
                ? "nothing was seen of it, yet the policy of its namespace selects it"
                : "nothing was seen of it, so it gets no policy and stays open unless its namespace is closed"));
        }
    }

    private static string Word(Direction direction) => direction == Direction.Ingress ? "ingress" : "egress";

    private static ReviewItem About(SegmentKey segment, ReviewReason reason, string detail) => new() { Reason = reason, Src = segment.ToString(), Detail = detail };
}
