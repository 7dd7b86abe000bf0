using System.Collections.Concurrent;

namespace Flows.Core.Policy;

/// <summary>
/// Has equal parts of policies be one object. A workload stands in the rules of all that it talks to, and a large set consists of such repetitions: kept apart they
/// take several times the memory, and what is kept has to be gone through again and again while the rest is read.
/// </summary>
internal sealed class SharedParts
{
    private readonly ConcurrentDictionary<Segment, Segment> segments = new();
    private readonly ConcurrentDictionary<PortMatch, IReadOnlyList<PortMatch>> ports = new();

    /// <summary>The same policy, made of shared parts.</summary>
    public SegmentPolicy In(SegmentPolicy policy) => policy with { Ingress = In(policy.Ingress), Egress = In(policy.Egress) };

    private Rule[]? In(IReadOnlyList<Rule>? rules) => rules is null ? null : [.. rules.Select(rule => rule with
    {
        Peers = [.. rule.Peers.Select(peer => segments.GetOrAdd(peer, peer))],
        Ports = rule.Ports is [var one] ? ports.GetOrAdd(one, rule.Ports) : rule.Ports,
    })];
}
