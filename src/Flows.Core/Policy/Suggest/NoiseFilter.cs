using Flows.Core.Identity;
using Flows.Core.Map;

namespace Flows.Core.Policy;

/// <summary>Tells what looked around from what works: scanners, pods that a person started for an hour, and workloads that are no more.</summary>
internal sealed class NoiseFilter
{
    // Shorter observations tell nothing about what was only once.
    private const long OneOffSpanUs = 24 * HourSet.HourUs;

    private const long GoneUs = 24 * HourSet.HourUs;

    private static readonly string[] RunToEnd = ["Job", "CronJob"];

    private readonly HashSet<ulong> scanners;
    private readonly HashSet<SegmentKey> scanningWorkloads;
    private readonly HashSet<SegmentKey> oneOffs = [];
    private readonly HashSet<SegmentKey> gone;

    /// <param name="edges">Those that are believed.</param>
    public NoiseFilter(PolicyInput input, IReadOnlyList<Edge> edges)
    {
        scanners = [.. Noise.Scanners(edges)];

        // A scanner that is restarted, or has several pods, is one all the same.
        var pods = edges.Where(edge => scanners.Contains(edge.Src.Id) && IsOwned(edge.Src)).Select(edge => SegmentKey.Of(edge.Src, SegmentLevel.Workload)).ToHashSet();
        scanningWorkloads = pods.Count == 0 ? [] : [.. edges
            .Where(edge => IsOwned(edge.Src)).GroupBy(edge => SegmentKey.Of(edge.Src, SegmentLevel.Workload)).Where(workload => pods.Contains(workload.Key))
            .Where(workload => workload.Sum(edge => edge.Answered) <= workload.Sum(edge => edge.Refused + edge.Unanswered)).Select(workload => workload.Key)];
        gone = GoneFrom(input, edges);
        if (edges.Count > 0)
        {
            var (since, until) = (input.SinceUs ?? edges.Min(edge => edge.FirstSeenUs), input.UntilUs ?? edges.Max(edge => edge.LastSeenUs));
            if (until - since >= OneOffSpanUs)
            {
                oneOffs = [.. edges.Where(edge => IsBare(edge.Src)).GroupBy(edge => SegmentKey.Of(edge.Src, SegmentLevel.Workload))
                    .Where(pod => pod.Max(edge => edge.LastSeenUs) - pod.Min(edge => edge.FirstSeenUs) <= HourSet.HourUs && until - pod.Max(edge => edge.LastSeenUs) > HourSet.HourUs)
                    .Select(pod => pod.Key)];
            }
        }
    }

    public bool IsScanner(Entity entity) => scanners.Contains(entity.Id)
        || (scanningWorkloads.Count > 0 && IsOwned(entity) && scanningWorkloads.Contains(SegmentKey.Of(entity, SegmentLevel.Workload)));

    public bool IsOneOff(Entity entity) => oneOffs.Count > 0 && IsBare(entity) && oneOffs.Contains(SegmentKey.Of(entity, SegmentLevel.Workload));

    public bool IsGone(Entity entity) => gone.Count > 0 && entity.Kind == EntityKind.Pod && gone.Contains(SegmentKey.Of(entity, SegmentLevel.Workload));

    private static bool IsOwned(Entity entity) => entity is { Kind: EntityKind.Pod, Workload.Length: > 0 };

    private static bool IsBare(Entity entity) => entity is { Kind: EntityKind.Pod, Workload.Length: 0 };

    private static HashSet<SegmentKey> GoneFrom(PolicyInput input, IReadOnlyList<Edge> edges)
    {
        if (input.EndedUs.Count == 0 || edges.Count == 0)
        {
            return [];
        }

        var until = input.UntilUs ?? edges.Max(edge => edge.LastSeenUs);
        return [.. input.Entities.Where(entity => IsOwned(entity) && !RunToEnd.Contains(entity.WorkloadKind, StringComparer.Ordinal))
            .GroupBy(pod => SegmentKey.Of(pod, SegmentLevel.Workload))
            .Where(workload => workload.All(pod => input.EndedUs.TryGetValue(pod.Id, out var ended) && ended < until - GoneUs))
            .Select(workload => workload.Key)];
    }
}
