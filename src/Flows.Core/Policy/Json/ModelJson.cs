namespace Flows.Core.Policy;

/// <summary>The model as plain JSON, and back: the one form that loses nothing but the evidence.</summary>
public static class ModelJson
{
    public const string Version = "flows/v1";
    public const string Kind = "PolicySet";

    /// <summary>The set as one JSON document; the same bytes for the same set.</summary>
    public static string Write(PolicySet set) => ModelJsonWriter.Write(set);

    internal static IReadOnlyList<SegmentPolicy> Read(YamlField document)
    {
        var fields = document.Fields("apiVersion", "kind", "policies");
        return (fields.GetValueOrDefault("policies") ?? throw document.Fault("has no policies")).Each(item => ModelJsonReader.Policy(item, document.Document));
    }
}
