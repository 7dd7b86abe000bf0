using Flows.Core.Identity;

namespace Flows.Core.Policy;

/// <summary>One set of labels that pods of a workload had.</summary>
internal sealed record PodVariant(SegmentKey Key, LabelDictionary Labels);

/// <summary>The pods of a namespace of all times, as their distinct sets of labels with an index by label, so that proofs cost as much as the workload is big, not as the namespace.</summary>
internal sealed class NamespacePods
{
    // A label whose value differs within so many of the owners that carry it changes with roll-outs, whatever it is called.
    private const double VolatileShare = 0.5;

    private static readonly IReadOnlyList<PodVariant> None = [];

    private readonly List<PodVariant> all;
    private readonly Dictionary<SegmentKey, List<PodVariant>> byWorkload;
    private readonly Dictionary<(string Key, string Value), List<PodVariant>> byLabel = [];
    private readonly Dictionary<SegmentKey, LabelDictionary?> owners = [];
    private readonly HashSet<string> varying;

    public NamespacePods(IEnumerable<Entity> pods)
    {
        HashSet<PodVariant> variants = [];
        foreach (var pod in pods)
        {
            var key = SegmentKey.Of(pod, SegmentLevel.Workload);
            variants.Add(new PodVariant(key, LabelDictionary.Of(pod.Labels)));
            if (pod.Selector.Count > 0)
            {
                // Two opinions of one owner's selector are none.
                var selector = LabelDictionary.Of(pod.Selector);
                owners[key] = !owners.TryGetValue(key, out var there) || selector.Equals(there) ? selector : null;
            }
        }

        all = [.. variants];
        byWorkload = all.GroupBy(variant => variant.Key).ToDictionary(same => same.Key, same => same.ToList());
        foreach (var variant in all)
        {
            foreach (var (key, value) in variant.Labels)
            {
                if (!byLabel.TryGetValue((key, value), out var carriers))
                {
                    byLabel[(key, value)] = carriers = [];
                }

                carriers.Add(variant);
            }
        }

        varying = Varying();
    }

    public IEnumerable<SegmentKey> Workloads => byWorkload.Keys;

    public static bool Carries(LabelDictionary labels, KeyValuePair<string, string> label) => labels.TryGetValue(label.Key, out var value) && value == label.Value;

    public IReadOnlyList<PodVariant> Of(SegmentKey key) => byWorkload.TryGetValue(key, out var own) ? own : None;

    public LabelDictionary? OwnersSelectorOf(SegmentKey key) => owners.GetValueOrDefault(key);

    /// <summary>How many sets of labels hold this one.</summary>
    public int Carrying(KeyValuePair<string, string> label) => byLabel.TryGetValue((label.Key, label.Value), out var carriers) ? carriers.Count : 0;

    /// <summary>The labels that all pods of the workload of all times share and that last, by key.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Common(SegmentKey key)
    {
        var own = Of(key);
        return [.. own[0].Labels.Where(label => LastingLabels.Usable(label) && !varying.Contains(label.Key) && own.All(pod => Carries(pod.Labels, label)))];
    }

    /// <summary>Pods of other workloads that carry all of these labels.</summary>
    public IReadOnlyList<PodVariant> Strangers(SegmentKey key, IReadOnlyDictionary<string, string> labels) =>
        [.. Rarest(labels).Where(pod => pod.Key != key && labels.All(label => Carries(pod.Labels, label)))];

    /// <summary>Pods that the selector picks.</summary>
    public IEnumerable<PodVariant> Matching(LabelSelector selector) => all.Where(pod => selector.Matches(pod.Labels));

    private List<PodVariant> Rarest(IReadOnlyDictionary<string, string> labels)
    {
        var least = all;
        foreach (var (key, value) in labels)
        {
            var carriers = byLabel.TryGetValue((key, value), out var some) ? some : [];
            least = carriers.Count < least.Count ? carriers : least;
        }

        return least;
    }

    private HashSet<string> Varying()
    {
        Dictionary<string, (int Owners, int Varying)> counts = new(StringComparer.Ordinal);
        foreach (var variants in byWorkload.Values.Where(variants => variants.Count > 1))
        {
            foreach (var values in variants.SelectMany(variant => variant.Labels).GroupBy(label => label.Key).Where(values => values.Skip(1).Any()))
            {
                var (owners, varies) = counts.GetValueOrDefault(values.Key);
                counts[values.Key] = (owners + 1, varies + (values.Select(label => label.Value).Distinct().Skip(1).Any() ? 1 : 0));
            }
        }

        return [.. counts.Where(count => count.Value.Varying > 0 && count.Value.Varying >= VolatileShare * count.Value.Owners).Select(count => count.Key)];
    }
}
