using System.CommandLine;
using Flows.Core;
using Flows.Core.Identity;
using Flows.Core.Policy;
using Flows.Store;

namespace Flows.Verbs;

/// <summary>The options of verbs that judge what a store has seen.</summary>
internal sealed class PolicyStoreOptions
{
    public Option<DirectoryInfo> Store { get; } = CommonOptions.Store();

    public Option<string> Since { get; } = CommonOptions.Since();

    public Option<string> Until { get; } = CommonOptions.Until();

    public Option<string> Cluster { get; } = new("--cluster") { Description = "The cluster that is meant, where the store knows pods of several.", HelpName = "NAME" };

    public Option<string?> Dialect { get; } = PolicyOptions.Dialect();

    public void AddTo(Command command)
    {
        foreach (var option in (Option[])[Store, Since, Until, Cluster, Dialect])
        {
            command.Options.Add(option);
        }
    }

    /// <summary>What the store has seen in the span.</summary>
    public PolicyStore Read(ParseResult parse)
    {
        var (sinceUs, untilUs) = CommonOptions.Span(parse.GetValue(Since), parse.GetValue(Until), TimeProvider.System);
        return PolicyStore.Read(parse.GetValue(Store)!, sinceUs, untilUs, parse.GetValue(Cluster), PolicyOptions.DialectOf(parse.GetValue(Dialect)));
    }
}

/// <summary>What policies are judged by: edges with their ends as they were, the ledger, and what the cluster itself said. From files alone, so a copy will do.</summary>
/// <param name="Input">With the ends of edges as they were.</param>
/// <param name="History">Which entities were what at which time.</param>
/// <param name="Objects">Namespaces and policies of the cluster at the end of the span.</param>
internal sealed record PolicyStore(PolicyInput Input, LabelHistory History, JudgeOptions Options, IReadOnlyList<ClusterObject> Objects)
{
    /// <summary>With the ends of edges as last known, which is what a suggestion is for.</summary>
    public PolicyInput Observed => Input with { Edges = History.LastKnown(Input.Edges) };

    /// <summary>The policies that the cluster has; null where the store was never told of any cluster's.</summary>
    public PolicySet? ClusterPolicies => StoredObjects.Policies(Objects, Input.Cluster) is { Count: > 0 } policies ? PolicyReader.Read(policies) : null;

    public static PolicyStore Read(DirectoryInfo store, long sinceUs, long untilUs, string? cluster, Dialect? dialect)
    {
        using var reader = StoreReader.Open(store.FullName);
        var ledger = reader.Identities();
        var history = LabelHistory.Of(ledger);
        var input = Observation.Read(reader, sinceUs, untilUs, cluster, ledger, history);
        var objects = reader.ClusterObjects(Math.Min(untilUs, TimeProvider.System.NowUs()), StoredObjects.NamespaceKind, StoredObjects.PolicyKind);
        return new PolicyStore(input, history, new JudgeOptions { NamespaceLabels = StoredObjects.NamespaceLabels(objects, input.Cluster), Dialect = dialect }, objects);
    }
}
