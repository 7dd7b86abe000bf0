namespace Flows.Core.Policy;

/// <summary>For what a suggestion is written, and what may stand in it.</summary>
/// <param name="Writer">The name that <see cref="PolicyRenderer"/> knows.</param>
/// <param name="Names">Whether rules may name destinations by DNS name.</param>
/// <param name="Hosts">Whether rules may name and govern hosts by their labels.</param>
public sealed record SuggestTarget(string Name, string Writer, bool Names, bool Hosts)
{
    public static SuggestTarget Kubernetes { get; } = new("kubernetes", "kubernetes", Names: false, Hosts: false);

    /// <summary>A set for each host.</summary>
    public static SuggestTarget Nftables { get; } = new("nftables", "nftables", Names: false, Hosts: true);

    public static IReadOnlyList<SuggestTarget> All { get; } =
    [
        Kubernetes,
        new("cilium", "cilium", Names: true, Hosts: true),
        new("calico", "calico", Names: true, Hosts: false),
        new("calico-staged", "calico-staged", Names: true, Hosts: false),
        new("cluster-policy", "cluster", Names: true, Hosts: true),
        Nftables,
        new("json", "json", Names: true, Hosts: true),
    ];

    /// <summary>The target of this name.</summary>
    /// <exception cref="FlowsException">There is none.</exception>
    public static SuggestTarget Named(string name) => All.FirstOrDefault(target => target.Name == name)
        ?? throw new FlowsException(ExitCode.Usage, $"'{name}' is not a target; there are {string.Join(", ", All.Select(target => target.Name))}.");
}
