namespace Flows.Core.Policy;

internal static class ModelJson
{
    public const string Version = "flows/v1";
    public const string Kind = "SegmentPolicy";

    public static IReadOnlyList<SegmentPolicy> Read(YamlField document) => throw document.Fault("later");
}
