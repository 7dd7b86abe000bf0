using Flows.Core.Identity;
using Flows.Core.Map;

namespace Flows.Core.Policy;

/// <summary>How coarse the segments of a suggestion are.</summary>
public enum SegmentLevel
{
    /// <summary>One policy for each Deployment, StatefulSet, DaemonSet, bare pod, ...</summary>
    Workload,

    /// <summary>One policy for each namespace.</summary>
    Namespace,
}

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

    /// <summary>Takes entities and addresses from the ledger: the latest statement of each interval, without the withdrawn, that touches [since, until).</summary>
    /// <exception cref="FlowsException">The pods stand in several clusters and none was chosen.</exception>
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
            Cluster = cluster ?? OnlyCluster(latest.Select(statement => statement.Entity)),
        };
    }

    private static string? OnlyCluster(IEnumerable<Entity> entities)
    {
        var clusters = entities.Where(entity => entity.Kind == EntityKind.Pod)
            .Select(entity => entity.Cluster).Distinct().Order(StringComparer.Ordinal).ToList();
        return clusters.Count <= 1
            ? clusters.FirstOrDefault()
            : throw new FlowsException(
                ExitCode.Usage,
                $"The store knows pods of several clusters ({string.Join(", ", clusters.Select(name => $"'{name}'"))}); choose one with --cluster.");
    }
}
