namespace Flows.Core.Identity;

/// <summary>
/// An object of a cluster that holds no address but decides about those that do, such as a namespace or a policy, as it was over
/// [<see cref="ValidFromUs"/>, <see cref="ValidToUs"/>). Append-only as <see cref="IdentityInterval"/>.
/// </summary>
public sealed record ClusterObject
{
    /// <summary>Stable hash of cluster, kind, uid and valid_from.</summary>
    public required ulong IntervalId { get; init; }

    public required string Cluster { get; init; }

    /// <summary><c>apiVersion/kind</c>, such as <c>v1/Namespace</c> or <c>networking.k8s.io/v1/NetworkPolicy</c>.</summary>
    public required string Kind { get; init; }

    public string Namespace { get; init; } = "";

    public required string Name { get; init; }

    public required string Uid { get; init; }

    /// <summary>The object as JSON, without status and managedFields.</summary>
    public required string Json { get; init; }

    public required long ValidFromUs { get; init; }

    public long? ValidToUs { get; init; }

    public required long LearnedAtUs { get; init; }

    public static ulong IdOf(string cluster, string kind, string uid, long validFromUs) =>
        StableId.Of("object", cluster, $"{kind}/{uid}", StableId.Part((ulong)validFromUs));
}
