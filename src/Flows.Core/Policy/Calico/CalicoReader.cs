namespace Flows.Core.Policy;

internal static class CalicoReader
{
    public static bool Knows(string kind) => kind.Length == 0;

    public static IReadOnlyList<SegmentPolicy> Read(YamlField document, string kind, string defaultNamespace, CalicoTiers tiers) => throw document.Fault($"is a {kind} {defaultNamespace} {tiers}");
}

internal sealed record CalicoTiers
{
    public static CalicoTiers Of(IEnumerable<YamlField> documents) => new();
}
