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
    private readonly Dictionary<string, NamespacePods> namespaces;
    private readonly Dictionary<SegmentKey, SelectorFinding> found = [];

    /// <param name="pods">Every selectable pod, once for each set of labels that it had.</param>
    public WorkloadSelectors(IEnumerable<Entity> pods) => namespaces = pods.GroupBy(pod => pod.Namespace)
        .AsParallel().Select(own => (own.Key, Pods: new NamespacePods(own))).ToDictionary(own => own.Key, own => own.Pods);

    /// <summary>The workloads of which pods are known.</summary>
    public IEnumerable<SegmentKey> Workloads => namespaces.Values.SelectMany(pods => pods.Workloads).Order();

    public SelectorFinding Find(SegmentKey key)
    {
        if (key.IsNamespace)
        {
            return new(LabelSelector.Everything, LabelSelector.Everything, null);
        }

        if (!found.TryGetValue(key, out var finding))
        {
            found[key] = finding = Search(namespaces[key.Namespace], key);
        }

        return finding;
    }

    /// <summary>The workloads of the namespace of which the labels pick a pod of any time.</summary>
    public IReadOnlySet<SegmentKey> Picked(string inNamespace, LabelSelector selector) => namespaces.TryGetValue(inNamespace, out var pods)
        ? pods.Matching(selector).Select(variant => variant.Key).ToHashSet()
        : [];

    /// <summary>Whether the labels pick every pod of the workload of all times.</summary>
    public bool PicksAll(SegmentKey key, LabelSelector selector) => namespaces[key.Namespace].Of(key).All(pod => selector.Matches(pod.Labels));

    private static SelectorFinding Search(NamespacePods pods, SegmentKey key)
    {
        var common = pods.Common(key);
        var owners = OwnersSelector(pods, key);
        if (owners is null && common.Count == 0)
        {
            return new(null, LabelSelector.Everything, "its pods share no label that lasts, and an empty selector would pick the whole namespace");
        }

        // The owner's labels first; then the fewest further ones that keep the others out: each step takes the one that excludes most.
        SortedDictionary<string, string> chosen = owners ?? new(StringComparer.Ordinal);
        var strangers = chosen.Count > 0 ? pods.Strangers(key, chosen) : null;
        while (strangers is null || strangers.Count > 0)
        {
            var best = common.Where(label => !chosen.ContainsKey(label.Key))
                .Select(label => (Label: label, Left: strangers?.Count(pod => NamespacePods.Carries(pod.Labels, label)) ?? pods.Carrying(label) - pods.Of(key).Count))
                .Where(candidate => strangers is null || candidate.Left < strangers.Count)
                .OrderBy(candidate => candidate.Left).ThenBy(candidate => LastingLabels.Rank(candidate.Label.Key)).ThenBy(candidate => candidate.Label.Key, StringComparer.Ordinal)
                .FirstOrDefault();
            if (best.Label.Key is null)
            {
                common.Where(label => !chosen.ContainsKey(label.Key)).ToList().ForEach(label => chosen[label.Key] = label.Value);
                var names = string.Join(", ", strangers!.Select(pod => pod.Key.ToString()).Distinct().Order(StringComparer.Ordinal).Take(5));
                var widest = LabelSelector.Of(chosen);
                return new(null, widest, $"its labels {widest} also pick {names}");
            }

            chosen[best.Label.Key] = best.Label.Value;
            strangers = pods.Strangers(key, chosen);
        }

        var selector = LabelSelector.Of(chosen);
        return new(selector, selector, null);
    }

    /// <summary>The owner's own selector, where one is known, lasts, and holds for all of its pods. A Job's selector names its uid and does not last.</summary>
    private static SortedDictionary<string, string>? OwnersSelector(NamespacePods pods, SegmentKey key)
    {
        if (pods.OwnersSelectorOf(key) is not { } only || only.Any(label => !LastingLabels.Usable(label)))
        {
            return null;
        }

        return pods.Of(key).All(pod => only.All(label => NamespacePods.Carries(pod.Labels, label))) ? new(only.ToDictionary(), StringComparer.Ordinal) : null;
    }
}
