using Flows.Core.Identity;

namespace Flows.Core.Policy;

/// <summary>How to pick a segment's pods by labels.</summary>
/// <param name="Exact">Picks exactly the segment's pods of all times; null where no labels do.</param>
/// <param name="Widest">Picks all of them, and where <paramref name="Exact"/> is null, others too.</param>
/// <param name="Fault">Why there is no exact selector.</param>
internal sealed record SelectorFinding(LabelSelector? Exact, LabelSelector Widest, string? Fault);

/// <summary>
/// Finds the labels that pick a workload's pods and no others, and proves it on every pod of the namespace that is or was known, with the
/// labels of every time.
/// </summary>
internal sealed class WorkloadSelectors
{
    // Labels that change with a roll-out, a pod or a place. What differs between the pods that we know is found from the data; this list is
    // for workloads of which only one pod was ever seen.
    private static readonly string[] VolatileKeys =
    [
        "pod-template-hash", "rollouts-pod-template-hash", "controller-revision-hash", "pod-template-generation", "statefulset.kubernetes.io/pod-name",
        "apps.kubernetes.io/pod-index", "job-name", "controller-uid", "helm.sh/chart", "service.istio.io/canonical-revision",
    ];

    private static readonly string[] VolatilePrefixes = ["batch.kubernetes.io/", "topology.kubernetes.io/", "security.istio.io/"];

    private readonly Dictionary<string, List<(SegmentKey Key, Entity Pod)>> podsByNamespace;
    private readonly Dictionary<SegmentKey, SelectorFinding> found = [];

    /// <param name="pods">Every selectable pod, once for each set of labels that it had.</param>
    public WorkloadSelectors(IEnumerable<Entity> pods) => podsByNamespace = pods
        .Select(pod => (Key: SegmentKey.Of(pod, SegmentLevel.Workload), Pod: pod))
        .GroupBy(pod => pod.Key.Namespace)
        .ToDictionary(pods => pods.Key, pods => pods.ToList());

    public static bool IsVolatile(string key) => VolatileKeys.Contains(key, StringComparer.Ordinal)
        || VolatilePrefixes.Any(prefix => key.StartsWith(prefix, StringComparison.Ordinal))
        || key.Contains("version", StringComparison.OrdinalIgnoreCase);

    /// <summary>The workloads of which pods are known.</summary>
    public IEnumerable<SegmentKey> Workloads => podsByNamespace.Values.SelectMany(pods => pods).Select(pod => pod.Key).Distinct().Order();

    public SelectorFinding Find(SegmentKey key)
    {
        if (key.IsNamespace)
        {
            return new(LabelSelector.Everything, LabelSelector.Everything, null);
        }

        if (!found.TryGetValue(key, out var finding))
        {
            found[key] = finding = Search(key);
        }

        return finding;
    }

    private SelectorFinding Search(SegmentKey key)
    {
        var all = podsByNamespace[key.Namespace];
        var own = all.Where(pod => pod.Key == key).Select(pod => pod.Pod).ToList();
        var others = all.Where(pod => pod.Key != key).ToList();
        var common = Common(own);
        var chosen = OwnersSelector(own) ?? common;
        if (chosen.Count == 0)
        {
            return new(null, LabelSelector.Everything, "its pods share no label that lasts, and an empty selector would pick the whole namespace");
        }

        // The fewest further labels that keep the others out: each step takes the one that excludes most.
        var selector = LabelSelector.Of(chosen);
        var strangers = others.Where(pod => selector.Matches(pod.Pod.Labels)).ToList();
        while (strangers.Count > 0)
        {
            var best = common.Where(label => !chosen.ContainsKey(label.Key))
                .Select(label => (Label: label, Left: strangers.Where(pod => !Carries(pod.Pod, label)).Count()))
                .Where(candidate => candidate.Left > 0)
                .OrderByDescending(candidate => candidate.Left).ThenBy(candidate => candidate.Label.Key, StringComparer.Ordinal)
                .FirstOrDefault();
            if (best.Left == 0)
            {
                var names = string.Join(", ", strangers.Select(pod => pod.Key.ToString()).Distinct().Order(StringComparer.Ordinal).Take(5));
                return new(null, selector, $"its labels {selector} also pick {names}");
            }

            chosen = new SortedDictionary<string, string>(chosen, StringComparer.Ordinal) { [best.Label.Key] = best.Label.Value };
            selector = LabelSelector.Of(chosen);
            strangers = [.. strangers.Where(pod => selector.Matches(pod.Pod.Labels))];
        }

        return new(selector, selector, null);
    }

    /// <summary>The owner's own selector, where one is known, lasts, and holds for all of its pods. A Job's selector names its uid and does not last.</summary>
    private static SortedDictionary<string, string>? OwnersSelector(List<Entity> own)
    {
        var selectors = own.Where(pod => pod.Selector.Count > 0).Select(pod => pod.Selector).ToList();
        if (selectors.Count == 0 || selectors[0].Any(label => !Usable(label)))
        {
            return null;
        }

        var selector = LabelSelector.Of(selectors[0]);
        return selectors.All(other => LabelSelector.Of(other).Equals(selector)) && own.All(pod => selector.Matches(pod.Labels))
            ? new SortedDictionary<string, string>(selectors[0].ToDictionary(), StringComparer.Ordinal)
            : null;
    }

    private static SortedDictionary<string, string> Common(List<Entity> own) =>
        new(own[0].Labels.Where(label => Usable(label) && own.All(pod => Carries(pod, label))).ToDictionary(), StringComparer.Ordinal);

    private static bool Carries(Entity pod, KeyValuePair<string, string> label) => pod.Labels.TryGetValue(label.Key, out var value) && value == label.Value;

    private static bool Usable(KeyValuePair<string, string> label) =>
        KubernetesGrammar.IsLabelKey(label.Key) && KubernetesGrammar.IsLabelValue(label.Value) && !IsVolatile(label.Key);
}
