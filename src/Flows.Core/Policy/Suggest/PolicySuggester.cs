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
    private readonly PolicyInput input;
    private readonly EdgeSieve sieve;
    private readonly IReadOnlyList<Edge> edges;
    private readonly List<ReviewItem> review = [];
    private readonly List<int> needed = [];
    private readonly WorkloadSelectors selectors;
    private readonly Segmentation segmentation;
    private readonly PeerNamer namer;
    private readonly RingFence? ring;
    private readonly SegmentDrafter drafter;
    private readonly Dictionary<ulong, SegmentKey?> subjects = [];
    private readonly Dictionary<ulong, bool> collectors = [];
    private readonly Dictionary<SegmentKey, SegmentNeeds> needs = [];

    private PolicySuggester(PolicyInput given)
    {
        input = RingFence.Levelled(given);

        // None of them needs another.
        EdgeSieve? sieving = null;
        IReadOnlyList<Edge> sorted = [];
        List<Entity> pods = [];
        WorkloadSelectors? selecting = null;
        Parallel.Invoke(
            () => sieving = new EdgeSieve(input),
            () => sorted = EdgeOrder.Sorted(input.Edges),
            () => selecting = new WorkloadSelectors(pods = [.. Ends.Of(input).Where(input.Selectable)]));
        (sieve, edges, selectors) = (sieving!, sorted, selecting!);
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
        segmentation = new Segmentation(input, selectors, evidence);
        ring = RingFence.Of(input, segmentation, pods);
        namer = new PeerNamer(input, sieve, segmentation, evidence);
        drafter = new SegmentDrafter(input, edges, Widening.Of(input, sieve), ring);
    }

    /// <summary>Suggests a set at the input's level.</summary>
    public static Suggestion Suggest(PolicyInput input) => new PolicySuggester(input).Run();

    private Suggestion Run()
    {
        needed.ForEach(Assign);

        // What a segment gets follows from its own needs alone, so that each processor takes its share; selectors are found, and remembered, before.
        var drafts = needs.OrderBy(need => need.Key).Select(need => (Subject: need.Key, Finding: need.Key.IsHost ? null : segmentation.Find(need.Key), Needs: need.Value)).ToList()
            .AsParallel().AsOrdered().Select(one => drafter.Draft(one.Subject, one.Finding, one.Needs)).ToList();
        review.AddRange(drafts.SelectMany(draft => draft.Review));
        List<SegmentReadiness> readiness = [.. drafts.Select(draft => draft.Readiness).OfType<SegmentReadiness>()];
        List<SegmentPolicy> policies = [.. drafts.Select(draft => draft.Policy).OfType<SegmentPolicy>()];
        policies.AddRange(DefaultDeny(policies, readiness));
        ReviewUnobserved();
        review.AddRange(segmentation.Raised.Select(raised => ReviewItem.About(raised.Key, ReviewReason.LevelRaised, raised.Value)));
        return new Suggestion(PolicySet.Of(policies), ReviewItem.Merge(review)) { Readiness = readiness, Warnings = sieve.Warnings, Sieve = sieve };
    }

    /// <summary>Tells both ends of an edge that they need it.</summary>
    private void Assign(int number)
    {
        var edge = edges[number];
        var (src, dst) = (SubjectOf(edge.Src), SubjectOf(edge.Dst));
        if (ring is not null && sieve.Selectable(edge.Src) && sieve.Selectable(edge.Dst) && ring.Holds(edge.Src) && ring.Holds(edge.Dst))
        {
            ((SegmentKey?[])[src, dst]).OfType<SegmentKey>().Distinct().ToList().ForEach(subject => NeedsOf(subject).Inside.Add(number));
            return;
        }

        Assign(number, Direction.Egress, src, edge.Src);
        Assign(number, Direction.Ingress, dst, edge.Dst);
    }

    private void Assign(int number, Direction direction, SegmentKey? subject, Entity end)
    {
        var edge = edges[number];
        if (subject is { } key)
        {
            NeedsOf(key).Of(direction).Add(new Need(number, namer.PeersOf(edge, direction), IsMetrics(edge.Src)));
        }
        else if (end.Kind == EntityKind.Pod && end.HostNetwork)
        {
            review.Add(sieve.Item(edge, ReviewReason.HostNetwork) with { Src = SegmentKey.TextOf(end, input.Level), Dst = "", Protocol = "", Port = null });
        }
    }

    private SegmentNeeds NeedsOf(SegmentKey subject) => needs.TryGetValue(subject, out var there) ? there : needs[subject] = new SegmentNeeds();

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

    /// <summary>One for each namespace of which every segment is stable and has a policy.</summary>
    private List<SegmentPolicy> DefaultDeny(IReadOnlyList<SegmentPolicy> policies, IReadOnlyList<SegmentReadiness> readiness)
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

    private void ReviewUnobserved()
    {
        if (input.Only is not null || ring is not null)
        {
            return;
        }

        var seen = Ends.Of(edges).Where(sieve.Selectable).Select(pod => SegmentKey.Of(pod, SegmentLevel.Workload)).ToHashSet();
        var whole = needs.Keys.Where(subject => subject.IsNamespace).ToHashSet();
        foreach (var workload in selectors.Workloads.Where(workload => !seen.Contains(workload)))
        {
            review.Add(ReviewItem.About(workload, ReviewReason.NotObserved, whole.Contains(SegmentKey.OfNamespace(workload.Namespace))
                ? "nothing was seen of it, yet the policy of its namespace selects it"
                : "nothing was seen of it, so it gets no policy and stays open unless its namespace is closed"));
        }
    }
}
