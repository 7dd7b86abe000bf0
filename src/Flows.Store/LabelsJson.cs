using System.Text.Json;
using System.Text.Json.Serialization;

namespace Flows.Store;

/// <summary>Labels as one JSON object in a column of text.</summary>
[JsonSerializable(typeof(IReadOnlyDictionary<string, string>), TypeInfoPropertyName = "Labels")]
internal sealed partial class LabelsJson : JsonSerializerContext
{
    public static string Write(IReadOnlyDictionary<string, string> labels) => JsonSerializer.Serialize(labels, Default.Labels);

    /// <summary>The labels, sorted by key.</summary>
    public static SortedDictionary<string, string> Read(string json) => new(JsonSerializer.Deserialize(json, Default.Labels)?.ToDictionary() ?? [], StringComparer.Ordinal);
}
