namespace Flows.Core.Policy;

/// <summary>Writes a set for a target.</summary>
public static class PolicyRenderer
{
    /// <summary>The targets that hold any set; nftables is written for one host by <see cref="NftablesWriter"/>.</summary>
    public static IReadOnlyList<string> Targets { get; } = ["kubernetes", "cluster", "cilium", "calico", "calico-staged", "json"];

    /// <summary>The set in the words of the target, and what the target cannot say.</summary>
    /// <exception cref="FlowsException">There is no such target.</exception>
    public static Rendering Render(PolicySet set, string target) => target switch
    {
        "kubernetes" => KubernetesRenderer.Render(DistinctNames.In(set)),
        "cluster" => ClusterPolicyWriter.Render(DistinctNames.In(set)),
        "cilium" => CiliumWriter.Render(DistinctNames.In(set)),
        "calico" => CalicoWriter.Render(DistinctNames.In(set), staged: false),
        "calico-staged" => CalicoWriter.Render(DistinctNames.In(set), staged: true),
        "json" => new Rendering([new RenderedFile("policies.json", ModelJson.Write(set))], []),
        _ => throw new FlowsException(ExitCode.Usage, $"'{target}' is not a target; there are {string.Join(", ", Targets)}, and nftables for hosts."),
    };
}
