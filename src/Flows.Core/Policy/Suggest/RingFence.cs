using Flows.Core.Identity;

namespace Flows.Core.Policy;

/// <summary>
/// A fence around a group of pods: inside everything may talk, across only what was seen. The cluster's own border is such a fence around all of its
/// namespaces.
/// </summary>
internal sealed class RingFence
{
    private readonly HashSet<SegmentKey> members;
    private readonly Func<Entity, bool> holds;

    private RingFence(string name, HashSet<SegmentKey> members, IReadOnlyList<Segment> inside, Func<Entity, bool> holds) =>
        (Name, this.members, Inside, this.holds) = (name, members, inside, holds);

    /// <summary>As the user named it.</summary>
    public string Name { get; }

    /// <summary>The members as peers.</summary>
    public IReadOnlyList<Segment> Inside { get; }

    /// <summary>The fence that the input asks for; null: none.</summary>
    /// <exception cref="FlowsException">Nobody is inside.</exception>
    public static RingFence? Of(PolicyInput input, Segmentation segmentation, IReadOnlyList<Entity> pods)
    {
        if (input.RingFence is { } ring)
        {
            var inside = pods.Where(pod => ring.Holds(pod, input.LabelRules)).ToList();
            return inside.Count == 0
                ? throw new FlowsException(ExitCode.Usage, $"No pod is known in '{ring}'; there is nothing to put a fence around.")
                : Around(ring.Text, inside, segmentation, pod => ring.Holds(pod, input.LabelRules));
        }

        return input.Level == SegmentLevel.Boundary
            ? new RingFence("the cluster", [.. pods.Select(pod => SegmentKey.OfNamespace(pod.Namespace))], [PodSegment.All], _ => true)
            : null;
    }

    /// <summary>The level at which members are segments: a namespace is one, any other group consists of workloads.</summary>
    public static PolicyInput Levelled(PolicyInput input) => input.RingFence is not { } ring ? input
        : ring.IsNamespace ? input with { LevelOf = new Dictionary<string, SegmentLevel>(input.LevelOf) { [ring.Namespace] = SegmentLevel.Namespace } }
        : input;

    public bool Holds(SegmentKey segment) => members.Contains(segment);

    public bool Holds(Entity pod) => holds(pod);

    private static RingFence Around(string name, List<Entity> inside, Segmentation segmentation, Func<Entity, bool> holds)
    {
        var members = inside.Select(segmentation.Naming).ToHashSet();
        var segments = members.Order().Select(key => (Segment)PodSegment.In(key.Namespace, segmentation.Find(key) is var finding && finding.Exact is null ? finding.Widest : finding.Exact!));
        return new RingFence(name, members, [.. segments.Distinct()], holds);
    }
}
