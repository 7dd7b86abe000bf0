namespace Flows.Core.Policy;

internal static class CiliumReader
{
    public static IReadOnlyList<SegmentPolicy> Read(YamlField document, string kind, string defaultNamespace) => throw document.Fault($"is a {kind} {defaultNamespace}");
}
