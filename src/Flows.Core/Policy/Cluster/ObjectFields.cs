using Flows.Core.Facts;

namespace Flows.Core.Policy;

/// <summary>What every object of a cluster has.</summary>
internal static class ObjectFields
{
    public static string NameOf(YamlField one)
    {
        var metadata = one.Find("metadata") ?? throw one.Fault("has no metadata");
        return (metadata.Find("name") ?? throw metadata.Fault("has no name")).Text();
    }

    public static string NamespaceOf(YamlField one) => one.Find("metadata")?.Find("namespace")?.Text() ?? "default";

    public static Dictionary<string, string> LabelsOf(YamlField one) => (one.Find("metadata")?.Find("labels")?.Entries() ?? new Dictionary<string, YamlField>())
        .ToDictionary(label => label.Key, label => label.Value.Text(), StringComparer.Ordinal);

    /// <summary>The items of a list that may be absent.</summary>
    public static IReadOnlyList<YamlField> Items(YamlField? of, string name) => of?.Find(name)?.Items() ?? [];

    public static NetAddress Address(YamlField field) => NetAddress.TryParse(field.Text(), out var address) ? address : throw field.Fault($"'{field.Text()}' is no address");
}
