using System.CommandLine;
using Flows.Core.Policy;
using Flows.Store;

namespace Flows.Verbs;

/// <summary><c>flows policy</c>: suggests policies from what a store has seen, and tests policies against it.</summary>
internal static class PolicyVerb
{
    public static Command Create() => new("policy", "Suggest policies from what was seen, test policies against it, or judge what policies mean.")
    {
        PolicySuggestVerb.Create(),
        PolicyTestVerb.Create(),
        PolicyExplainVerb.Create(),
        PolicyDiffVerb.Create(),
        PolicyPlanVerb.Create(),
        PolicyEvaluateVerb.Create(),
        PolicyValidateVerb.Create(),
        PolicyConnectivityVerb.Create(),
        PolicyRenderVerb.Create(),
    };

    public static Option<string> Cluster() => new("--cluster") { Description = "The cluster that is meant, where the store knows pods of several.", HelpName = "NAME" };

    public static Option<string[]> ClusterRanges() => new("--cluster-range")
    {
        Description = "A pod or service range of the cluster, such as 10.0.0.0/8; may be given several times. Taken out of rules that are widened to the world.",
        HelpName = "CIDR",
        DefaultValueFactory = _ => [],
        AllowMultipleArgumentsPerToken = true,
    };

    public static PolicyInput Read(DirectoryInfo store, string? since, string? until, string? cluster, string[] ranges)
    {
        var clusterRanges = ranges.Select(NetBlock.Parse).ToList();
        var (sinceUs, untilUs) = CommonOptions.Span(since, until, TimeProvider.System);
        using var reader = StoreReader.Open(store.FullName);
        return Observation.Read(reader, sinceUs, untilUs, cluster) with { ClusterRanges = clusterRanges };
    }
}
