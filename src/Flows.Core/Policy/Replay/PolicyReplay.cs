using System.Globalization;
using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.Core.Map;

namespace Flows.Core.Policy;

/// <summary>A needed edge that the set does not let through.</summary>
/// <param name="Sentence">Which end refuses, what isolates it, and which rule is missing.</param>
public sealed record ReplayFinding(Edge Edge, PolicyDecision Decision, string Sentence);

/// <summary>What a set would have done to the recorded edges.</summary>
public sealed record ReplayResult
{
    /// <summary>Edges that were judged: answered, of trusted direction, between ends that are known.</summary>
    public required int Needed { get; init; }

    public required long NeededConnections { get; init; }

    /// <summary>Needed and denied, in a stable order.</summary>
    public required IReadOnlyList<ReplayFinding> Denied { get; init; }

    /// <summary>Needed, and denied for some of an end's addresses; the edge does not say which of them it used.</summary>
    public required IReadOnlyList<ReplayFinding> Unsure { get; init; }

    /// <summary>Edges that nobody is known to need, or that cannot be judged, with the reason.</summary>
    public required IReadOnlyList<ReviewItem> KeptOut { get; init; }

    /// <summary>Rules that could not be judged fully with what the ledger knows.</summary>
    public required IReadOnlyList<string> Notes { get; init; }

    public ExitCode ExitCode => Denied.Count > 0 ? ExitCode.No : ExitCode.Ok;
}

/// <summary>Judges recorded edges by a set.</summary>
public static class PolicyReplay
{
    /// <summary>Replays every edge of the input; its level only decides how workloads are called in <see cref="ReplayResult.KeptOut"/>.</summary>
    public static ReplayResult Run(PolicyInput input, PolicySet set)
    {
        var sieve = new EdgeSieve(input);
        var evaluator = new PolicyEvaluator(set);
        List<ReviewItem> keptOut = [];
        List<ReplayFinding> denied = [];
        List<ReplayFinding> unsure = [];
        var needed = 0;
        var connections = 0L;
        foreach (var edge in EdgeOrder.Sorted(input.Edges))
        {
            if (sieve.WhyNot(edge) is { } reason)
            {
                keptOut.Add(sieve.Item(edge, reason));
                continue;
            }

            needed++;
            connections += edge.Connections;
            var decisions = Connections(sieve, edge).Select(evaluator.Evaluate).ToList();
            if (decisions.Find(decision => !decision.Allowed) is { } refusal)
            {
                (decisions.Exists(decision => decision.Allowed) ? unsure : denied).Add(new ReplayFinding(edge, refusal, Sentence(edge, refusal)));
            }
        }

        return new ReplayResult
        {
            Needed = needed,
            NeededConnections = connections,
            Denied = denied,
            Unsure = unsure,
            KeptOut = ReviewItem.Merge(keptOut),
            Notes = [.. set.Policies.SelectMany(Notes).Distinct().Order(StringComparer.Ordinal)],
        };
    }

    /// <summary>One connection for each pair of addresses of the same family that the ends may have used.</summary>
    private static IEnumerable<Connection> Connections(EdgeSieve sieve, Edge edge)
    {
        var pairs = from src in Parties(sieve, edge.Src)
                    from dst in Parties(sieve, edge.Dst)
                    where src.Address is null || dst.Address is null || src.Address.Value.IsV4 == dst.Address.Value.IsV4
                    select (Src: src, Dst: dst);
        var ends = pairs.ToList();

        // Ends without a family in common met through a translator: judge each pair rather than none.
        var met = ends.Count > 0 ? ends : [(Parties(sieve, edge.Src)[0], Parties(sieve, edge.Dst)[0])];
        return met.Select(pair => new Connection(pair.Src, pair.Dst, edge.Protocol, edge.DstPort));
    }

    private static IReadOnlyList<Party> Parties(EdgeSieve sieve, Entity entity)
    {
        var party = new Party
        {
            Id = entity.Id.ToString(CultureInfo.InvariantCulture),
            Selectable = sieve.Selectable(entity),
            Namespace = entity.Namespace,
            Labels = entity.Labels,
            HostLabels = HostLabels(entity),
            Names = entity.Kind == EntityKind.External ? [entity.Name] : [],
        };
        var addresses = sieve.AddressesOf(entity);
        return addresses.Count == 0 ? [party] : [.. addresses.Select(address => party with { Address = address })];
    }

    /// <summary>The labels of a machine; of a pod in a node's network, what is known of the node: its name.</summary>
    private static Dictionary<string, string>? HostLabels(Entity entity) => entity switch
    {
        { Kind: EntityKind.Node or EntityKind.Vm or EntityKind.Host } => new(entity.Labels, StringComparer.Ordinal) { [HostSegment.NameLabel] = entity.Name },
        { Kind: EntityKind.Pod, HostNetwork: true } => new(StringComparer.Ordinal) { [HostSegment.NameLabel] = entity.Node },
        _ => null,
    };

    private static string Sentence(Edge edge, PolicyDecision decision)
    {
        var src = Called(edge.Src);
        var dst = Called(edge.Dst);
        var port = $"{IpProtocol.NameOf(edge.Protocol).ToUpperInvariant()} {edge.DstPort}";
        var egress = decision.Egress.Allowed ? null : $"no rule of {src} allows egress to {dst} on {port} ({By(decision.Egress)})";
        var ingress = decision.Ingress.Allowed ? null : $"no rule of {dst} allows ingress from {src} on {port} ({By(decision.Ingress)})";
        return string.Join("; ", ((string?[])[egress, ingress]).OfType<string>());
    }

    private static string By(SideDecision side) => $"isolated by {string.Join(", ", side.IsolatedBy)}";

    private static string Called(Entity entity) => SegmentKey.TextOf(entity, SegmentLevel.Workload);

    private static IEnumerable<string> Notes(SegmentPolicy policy)
    {
        foreach (var (direction, index, rule) in policy.AllRules())
        {
#pragma warning disable CA1308 // Written as in the policy.
            var place = $"{policy.Id} {direction.ToString().ToLowerInvariant()}[{index}]";
#pragma warning restore CA1308
            foreach (var port in rule.Ports.Where(port => port.Name is not null))
            {
                yield return $"{place}: the named port '{port.Name}' needs the ports of containers, which the ledger does not know; it was taken to match nothing.";
            }

            foreach (var key in rule.Peers.OfType<PodSegment>().SelectMany(peer => peer.Namespaces.Requirements).Select(requirement => requirement.Key)
                .Where(key => key != PodSegment.NameLabel))
            {
                yield return $"{place}: the namespace label '{key}' is not in the ledger, which knows namespaces by name only; no namespace was taken to carry it.";
            }
        }
    }
}
