using Flows.Core;
using Flows.Core.Accounting;
using Flows.Core.Identity;
using Flows.Core.Map;
using Flows.Core.Policy;
using Flows.Store;

namespace Flows.Demo;

/// <summary>What was asked of <c>flows demo</c>.</summary>
internal sealed record DemoOptions
{
    /// <summary>Where the store goes; new or empty.</summary>
    public required string StoreDirectory { get; init; }

    /// <summary>Where sockets, spools and recordings of the run go.</summary>
    public required string ScratchDirectory { get; init; }

    /// <summary>Write the run to this file, so that it can be replayed without root.</summary>
    public string? RecordTo { get; init; }
}

/// <summary>What a run left behind besides its store: the truth, and the books of every process.</summary>
/// <param name="RowsMade">Flow rows that left the sources, by the sources' own count.</param>
internal sealed record DemoEvidence(string Kind, DemoTruth Truth, IReadOnlyList<HopReport> Conservation, long RowsMade);

/// <summary>What the demo says in the end.</summary>
internal sealed record DemoResult(
    DemoEvidence Evidence, DemoComparison Comparison, IReadOnlyList<DemoCheck> Checks, IReadOnlyList<Edge> Edges, Suggestion Suggestion, Core.Policy.ReplayResult Replay)
{
    public bool Ok => Comparison.Missing.Count == 0 && Comparison.Invented.Count == 0 && Checks.All(check => check.Ok);

    /// <summary>Judges a sealed store against the truth.</summary>
    public static DemoResult Of(string storeDirectory, DemoEvidence evidence)
    {
        using var reader = StoreReader.Open(storeDirectory);

        // What `flows policy suggest` reads from the same store.
        var input = Observation.Read(reader, 0, long.MaxValue, cluster: null);
        var edges = input.Edges;
        var comparison = DemoComparison.Compare(evidence.Truth, edges);

        var suggestion = PolicySuggester.Suggest(input);
        var texts = suggestion.Set.Policies.Select(policy => new PolicyDocument(policy.Id, KubernetesWriter.Write(policy, evidence: null)));
        var replay = PolicyReplay.Run(input, KubernetesReader.Read(texts));

        var stored = reader.Run(NamedQuery.Of("summary")!, 0, long.MaxValue, 1).Rows[0][0] is long rows ? rows : -1;
        return new DemoResult(
            evidence, comparison, [.. comparison.Checks, .. ChecksOf(evidence, stored, edges, suggestion, replay)], edges, suggestion, replay);
    }

    private static IEnumerable<DemoCheck> ChecksOf(DemoEvidence evidence, long stored, IReadOnlyList<Edge> edges, Suggestion suggestion, Core.Policy.ReplayResult replay)
    {
        var broken = evidence.Conservation.Where(hop => !hop.Holds).Select(hop => hop.Hop).ToList();
        yield return new("conservation_at_every_hop", broken.Count == 0 && evidence.Conservation.Count > 0,
            broken.Count == 0 ? $"{evidence.Conservation.Count} equations hold" : $"seen is not forwarded + dropped + in flight at {string.Join(", ", broken)}");
        yield return new("every_row_stored", stored == evidence.RowsMade, $"{evidence.RowsMade} rows left the sources, {stored} are in the store");

        var scanners = Noise.Scanners(edges);
        var ruled = suggestion.Set.Policies.SelectMany(policy => policy.AllRules()).SelectMany(rule => rule.Rule.Evidence?.Edges ?? []).ToList();
        var scanned = ruled.Count(edge => scanners.Contains(edge.Src.Id));
        yield return new("scanner_kept_out_of_rules", scanners.Count == 1 && edges.Any(edge => scanners.Contains(edge.Src.Id) && edge.Src.Name == FleetPlan.Toolbox) && scanned == 0,
            $"{scanners.Count} scanner found, {scanned} of its edges in rules");
        var failed = ruled.Count(edge => edge.Answered == 0);
        yield return new("failed_attempts_kept_out_of_rules", failed == 0, $"{failed} of {ruled.Count} edges behind rules were never answered");
        yield return new("suggested_policies_deny_nothing_needed", replay.Denied.Count == 0 && replay.Unsure.Count == 0 && replay.Needed > 0,
            $"{suggestion.Set.Policies.Count} policies over {replay.Needed} needed edges: {replay.Denied.Count} denied, {replay.Unsure.Count} unsure");
    }
}
