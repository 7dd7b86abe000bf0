using Flows.Core.Identity;
using Flows.Core.Labels;
using Flows.Core.Map;

namespace Flows.Core.Policy;

/// <summary>Everything that a suggestion or a replay depends on; the same content in any order gives the same answer.</summary>
public sealed record PolicyInput
{
    public required IReadOnlyList<Edge> Edges { get; init; }

    /// <summary>Everything known, now and in the past; one entity may stand here several times with the labels of different times.</summary>
    public required IReadOnlyList<Entity> Entities { get; init; }

    /// <summary>The addresses that each entity (by id) held.</summary>
    public required IReadOnlyDictionary<ulong, IReadOnlyList<NetBlock>> Addresses { get; init; }

    public SegmentLevel Level { get; init; }

    /// <summary>The cluster whose policies are meant; null where the entities name only one.</summary>
    public string? Cluster { get; init; }

    /// <summary>The pod and service ranges of the cluster: taken out of every widened rule.</summary>
    public IReadOnlyList<NetBlock> ClusterRanges { get; init; } = [];

    /// <summary>Unknown addresses that one port of one segment may list before the rule is widened. Eight, as larger lists never settle.</summary>
    public int ExternalPeersMax { get; init; } = 8;

    /// <summary>Levels of single segments, by <c>namespace</c> or <c>namespace/workload</c>; all others have <see cref="Level"/>.</summary>
    public IReadOnlyDictionary<string, SegmentLevel> LevelOf { get; init; } = new Dictionary<string, SegmentLevel>();

    public SuggestTarget Target { get; init; } = SuggestTarget.Kubernetes;

    /// <summary>Only these segments get policies: <c>namespace</c>, <c>namespace/workload</c>, or labels such as <c>app=shop,env=prod</c>. Null: all do.</summary>
    public SegmentFilter? Only { get; init; }

    /// <summary>The group to put a fence around: inside everything may talk, across only what was seen. Only its members get policies. Null: no fence.</summary>
    public SegmentFilter? RingFence { get; init; }

    /// <summary>What makes business labels of names and labels, for filters that ask for them.</summary>
    public LabelRules LabelRules { get; init; } = LabelRules.Default;

    /// <summary>Begin of the observation, µs since the epoch; null: the first edge.</summary>
    public long? SinceUs { get; init; }

    /// <summary>End of the observation, exclusive; null: just after the last edge.</summary>
    public long? UntilUs { get; init; }

    /// <summary>The hours in which each node (by name) reported anything; a node that is missing is judged by the edges that it vouches for.</summary>
    public IReadOnlyDictionary<string, HourSet> Reports { get; init; } = new Dictionary<string, HourSet>();

    /// <summary>When nodes did not see everything.</summary>
    public IReadOnlyList<ObservationGap> Gaps { get; init; } = [];

    /// <summary>When the last address of an entity (by id) was given up; whoever holds one still is missing.</summary>
    public IReadOnlyDictionary<ulong, long> EndedUs { get; init; } = new Dictionary<ulong, long>();

    public ReadinessOptions Readiness { get; init; } = new();

    /// <summary>Takes entities and addresses from the ledger: the latest statement of each interval, without the withdrawn, that touches [since, until).</summary>
    /// <exception cref="FlowsException">The pods stand in several clusters and none was chosen, or one in which none stands.</exception>
    public static PolicyInput Of(IReadOnlyList<Edge> edges, IReadOnlyList<IdentityInterval> ledger, long sinceUs, long untilUs, string? cluster)
    {
        var latest = ledger.GroupBy(statement => statement.IntervalId)
            .Select(statements => statements.MaxBy(statement => (Math.Max(statement.LearnedAtUs, statement.RevokedAtUs ?? 0), statement.RevokedAtUs ?? 0))!)
            .Where(statement => statement.RevokedAtUs is null)
            .ToList();
        var addresses = latest
            .Where(statement => statement.ValidFromUs < untilUs && (statement.ValidToUs ?? long.MaxValue) > sinceUs)
            .GroupBy(statement => statement.Entity.Id)
            .ToDictionary(held => held.Key, held => (IReadOnlyList<NetBlock>)[.. held
                .Select(statement => new NetBlock(statement.Address, statement.PrefixLength)).Distinct().Order()]);

        // Selectors are proven on pods of all times, so entities are not cut to the span.
        return new PolicyInput
        {
            Edges = edges,
            Entities = [.. latest.Select(statement => statement.Entity)],
            Addresses = addresses,
            Cluster = ClusterMeant(latest.Select(statement => statement.Entity), cluster),
            EndedUs = latest.GroupBy(statement => statement.Entity.Id)
                .Where(held => held.All(statement => statement.ValidToUs is not null))
                .ToDictionary(held => held.Key, held => held.Max(statement => statement.ValidToUs!.Value)),
            SinceUs = sinceUs > 0 ? sinceUs : null,
            UntilUs = untilUs < long.MaxValue ? untilUs : null,
        };
    }

    /// <summary>True for pods that a policy of the cluster can select.</summary>
    internal bool Selectable(Entity entity) => entity.Kind == EntityKind.Pod && !entity.HostNetwork && InCluster(entity) && KubernetesGrammar.IsDnsLabel(entity.Namespace);

    internal bool InCluster(Entity entity) => Cluster is null || entity.Cluster == Cluster;

    private static string? ClusterMeant(IEnumerable<Entity> entities, string? chosen)
    {
        var clusters = entities.Where(entity => entity.Kind == EntityKind.Pod)
            .Select(entity => entity.Cluster).Distinct().Order(StringComparer.Ordinal).ToList();
        var listed = string.Join(", ", clusters.Select(name => $"'{name}'"));
        return chosen is not null && clusters.Count > 0 && !clusters.Contains(chosen)
                ? throw new FlowsException(ExitCode.Usage, $"The store knows no pod of the cluster '{chosen}'; it knows {listed}.")
            : chosen is not null || clusters.Count <= 1
                ? chosen ?? clusters.FirstOrDefault()
            : throw new FlowsException(ExitCode.Usage, $"The store knows pods of several clusters ({listed}); choose one with --cluster (cluster=NAME in the API).");
    }
}
