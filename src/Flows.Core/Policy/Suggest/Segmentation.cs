using Flows.Core.Identity;
using Flows.Core.Map;

namespace Flows.Core.Policy;

/// <summary>
/// Puts every end into its segment at the level that the user chose, and steps up where none of that kind can be picked: pod, workload, group of
/// workloads, namespace. Each step is said.
/// </summary>
internal sealed class Segmentation
{
    private readonly PolicyInput input;
    private readonly WorkloadSelectors selectors;
    private readonly Dictionary<SegmentKey, SelectorFinding> own = [];
    private readonly Dictionary<SegmentKey, (SegmentKey Key, string? Why)> placed = [];
    private readonly Dictionary<SegmentKey, Entity?> services = [];
    private readonly SortedDictionary<SegmentKey, string> raised = [];
    private readonly HashSet<string> wholeNamespaces = new(StringComparer.Ordinal);

    /// <param name="needed">The edges that become rules; they tell which services workloads stand behind.</param>
    public Segmentation(PolicyInput input, WorkloadSelectors selectors, IReadOnlyList<Edge> needed)
    {
        (this.input, this.selectors) = (input, selectors);
        foreach (var edge in needed.Where(edge => edge.Service is { Kind: EntityKind.Service } && edge.Dst.Kind == EntityKind.Pod && edge.Service.Namespace == edge.Dst.Namespace))
        {
            var workload = SegmentKey.Of(edge.Dst, SegmentLevel.Workload);
            services[workload] = !services.TryGetValue(workload, out var there) || there?.Id == edge.Service!.Id ? edge.Service : null;
        }

        // In a namespace with a workload that no labels pick, a rule for it would be a rule for all: the namespace is the segment.
        if (input.Level == SegmentLevel.Auto || input.LevelOf.Values.Contains(SegmentLevel.Auto))
        {
            wholeNamespaces.UnionWith(selectors.Workloads
                .Where(workload => LevelOf(workload) == SegmentLevel.Auto && selectors.Find(workload).Widest.IsEverything).Select(workload => workload.Namespace));
        }
    }

    /// <summary>The segments that are coarser than wanted, with the reason.</summary>
    public IReadOnlyDictionary<SegmentKey, string> Raised => raised;

    /// <summary>The segment whose policy governs a selectable pod; null where pods get none.</summary>
    public SegmentKey? Governing(Entity pod) => LevelOf(SegmentKey.Of(pod, SegmentLevel.Workload)) == SegmentLevel.Host ? null : Naming(pod);

    /// <summary>The segment by which rules of others name a selectable pod.</summary>
    public SegmentKey Naming(Entity pod)
    {
        var workload = SegmentKey.Of(pod, SegmentLevel.Workload);
        if (LevelOf(workload) == SegmentLevel.Pod)
        {
            return PlacePod(pod, workload);
        }

        if (!placed.TryGetValue(workload, out var place))
        {
            placed[workload] = place = Place(workload);
            if (place.Why is not null)
            {
                raised[workload] = place.Why;
            }
        }

        return place.Key;
    }

    public SelectorFinding Find(SegmentKey key) => own.TryGetValue(key, out var finding) ? finding : selectors.Find(key);

    public SegmentLevel LevelOf(SegmentKey workload) =>
        input.LevelOf.Count > 0 && input.LevelOf.TryGetValue(workload.ToString(), out var level) ? level
        : input.LevelOf.Count > 0 && input.LevelOf.TryGetValue(workload.Namespace, out level) ? level
        : input.Level;

    private (SegmentKey Key, string? Why) Place(SegmentKey workload) => LevelOf(workload) switch
    {
        SegmentLevel.Namespace or SegmentLevel.Boundary => (SegmentKey.OfNamespace(workload.Namespace), null),
        SegmentLevel.Service => Service(workload),
        SegmentLevel.Auto => Auto(workload),
        _ => (workload, null),
    };

    private SegmentKey PlacePod(Entity pod, SegmentKey workload)
    {
        if (pod.Workload.Length == 0)
        {
            return workload;
        }

        if (pod.WorkloadKind == "StatefulSet" && pod.Labels.TryGetValue(LastingLabels.PodName, out var name) && name == pod.Name && KubernetesGrammar.IsLabelValue(name))
        {
            var key = SegmentKey.OfPod(pod);
            var selector = LabelSelector.Of([new(LastingLabels.PodName, name)]);
            own[key] = new(selector, selector, null);
            return key;
        }

        raised[workload] = "its pods have no names that last, so the workload is the segment";
        return workload;
    }

    /// <summary>Everything that answers behind the service, where its own selector picks exactly that.</summary>
    private (SegmentKey Key, string? Why) Service(SegmentKey workload)
    {
        if (!services.TryGetValue(workload, out var service))
        {
            return (workload, "no service was seen in front of it, so the workload is the segment");
        }

        if (service is null)
        {
            return (workload, "several services stand in front of it, so the workload is the segment");
        }

        var key = SegmentKey.OfService(service);
        var selector = LabelSelector.Of(service.Selector);
        if (service.Selector.Count == 0 || service.Selector.Any(label => !LastingLabels.Usable(label)))
        {
            return (workload, $"the selector of service {key} is not known or does not last, so the workload is the segment");
        }

        var picked = selectors.Picked(workload.Namespace, selector);
        if (picked.Any(one => !services.TryGetValue(one, out var its) || its?.Id != service.Id || !selectors.PicksAll(one, selector)))
        {
            return (workload, $"the selector of service {key} does not pick exactly the workloads that answered behind it, so the workload is the segment");
        }

        own[key] = new(selector, selector, null);
        return (key, null);
    }

    private (SegmentKey Key, string? Why) Auto(SegmentKey workload)
    {
        if (wholeNamespaces.Contains(workload.Namespace))
        {
            return (SegmentKey.OfNamespace(workload.Namespace), "a workload of its namespace has no label that lasts, so the namespace is the segment");
        }

        var finding = selectors.Find(workload);
        if (finding.Exact is not null)
        {
            return (workload, null);
        }

        // The labels pick others too; they are a segment together if each of them can only be picked by the same labels.
        var picked = selectors.Picked(workload.Namespace, finding.Widest);
        if (picked.Any(one => selectors.Find(one).Exact is not null || !selectors.Find(one).Widest.Equals(finding.Widest)))
        {
            return (workload, null);
        }

        var key = SegmentKey.OfGroup(workload.Namespace, finding.Widest);
        own[key] = new(finding.Widest, finding.Widest, null);
        return (key, $"{finding.Fault}, so they are one segment");
    }
}
