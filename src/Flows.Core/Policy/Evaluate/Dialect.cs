namespace Flows.Core.Policy;

/// <summary>
/// What the API leaves to whoever enforces it, or what implementations do differently. The default is what the Kubernetes documentation and its
/// end-to-end tests say.
/// </summary>
public sealed record Dialect
{
    /// <summary>Ports and addresses after DNAT; ranges match pods and hosts by their addresses; a pod and its own node always talk.</summary>
    public static Dialect Kubernetes { get; } = new() { Name = "kubernetes", Description = "as the API's documentation and end-to-end tests say" };

    /// <summary>Every dialect by name.</summary>
    public static IReadOnlyList<Dialect> All { get; } =
    [
        Kubernetes,
        new() { Name = "ranges-outside", Description = "ranges match neither pods nor hosts", RangesHoldPods = false, RangesHoldHosts = false },
        new() { Name = "cilium", Description = "ranges match neither pods nor hosts; a pod's own host reaches it", RangesHoldPods = false, RangesHoldHosts = false, OwnNodeFromPod = false },
        new() { Name = "calico", Description = "a pod's own host reaches it, not the other way", OwnNodeFromPod = false },
        new() { Name = "pre-dnat", Description = "egress is judged by the address and port that the client dialled", EgressBeforeDnat = true },
        new() { Name = "aws-vpc-cni", Description = "as pre-dnat; a pod's own host reaches it", EgressBeforeDnat = true, OwnNodeFromPod = false },
        new() { Name = "no-own-node", Description = "nodes get no exception for their own pods", OwnNodeToPod = false, OwnNodeFromPod = false },
    ];

    public required string Name { get; init; }

    public required string Description { get; init; }

    /// <summary>Whether a range matches pods by their addresses.</summary>
    public bool RangesHoldPods { get; init; } = true;

    /// <summary>Whether a range matches the fleet's hosts by their addresses.</summary>
    public bool RangesHoldHosts { get; init; } = true;

    /// <summary>Whether egress is judged by what was dialled instead of by what answers.</summary>
    public bool EgressBeforeDnat { get; init; }

    /// <summary>Whether a pod's own node always reaches it.</summary>
    public bool OwnNodeToPod { get; init; } = true;

    /// <summary>Whether a pod always reaches its own node.</summary>
    public bool OwnNodeFromPod { get; init; } = true;

    /// <summary>
    /// The dialect that holds where nobody names one: policies that only one implementation knows are judged as it does, and all others of the set with them,
    /// since it is there to enforce them too.
    /// </summary>
    public static Dialect Of(PolicySet set)
    {
        var kinds = set.Policies.Select(policy => policy.Kind).ToHashSet(StringComparer.Ordinal);
        var (cilium, calico) = (kinds.Any(kind => kind.StartsWith("Cilium", StringComparison.Ordinal)), kinds.Overlaps(CalicoReader.PolicyKinds));
        return cilium == calico ? Kubernetes : Named(cilium ? "cilium" : "calico");
    }

    /// <summary>The dialect of this name.</summary>
    /// <exception cref="FlowsException">There is none.</exception>
    public static Dialect Named(string name) => All.FirstOrDefault(dialect => dialect.Name == name)
        ?? throw new FlowsException(ExitCode.Usage, $"'{name}' is not a dialect; there are {string.Join(", ", All.Select(dialect => dialect.Name))}.");
}
