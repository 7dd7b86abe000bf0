using System.Text;
using System.Text.Json;

namespace Flows.Inventory.Kubernetes.Reading;

/// <summary>Reads objects that are kept as JSON.</summary>
internal static class DocumentReader
{
    public static KubeObject ReadNamespace(ReadOnlySpan<byte> utf8, TextPool pool) => Read(utf8, pool, "v1", "Namespace");

    public static KubeObject ReadNetworkPolicy(ReadOnlySpan<byte> utf8, TextPool pool) => Read(utf8, pool, "networking.k8s.io/v1", "NetworkPolicy");

    /// <summary>
    /// The object without its status and without what changes without meaning (managedFields, resourceVersion, what kubectl last applied);
    /// with apiVersion and kind, which objects of a list lack.
    /// </summary>
    public static string Trim(ReadOnlySpan<byte> utf8, string apiVersion, string kind)
    {
        using var trimmed = new MemoryStream(utf8.Length);
        using (var writer = new Utf8JsonWriter(trimmed))
        {
            writer.WriteStartObject();
            writer.WriteString("apiVersion"u8, apiVersion);
            writer.WriteString("kind"u8, kind);
            var json = new Utf8JsonReader(utf8);
            Cursor.Enter(ref json);
            Copy(ref json, writer, depth: 0);
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(trimmed.GetBuffer().AsSpan(0, (int)trimmed.Length));
    }

    private static DocumentObject Read(ReadOnlySpan<byte> utf8, TextPool pool, string apiVersion, string kind)
    {
        var json = new Utf8JsonReader(utf8);
        ObjectMeta? meta = null;
        Cursor.Enter(ref json);
        while (Cursor.Next(ref json))
        {
            if (json.ValueTextEquals("metadata"u8))
            {
                meta = MetaReader.Read(ref json, pool);
            }
            else
            {
                json.Skip();
            }
        }

        return new(meta ?? throw new FormatException("the object has no metadata"), $"{apiVersion}/{kind}", Trim(utf8, apiVersion, kind));
    }

    /// <summary>Copies the properties of an object: of the whole at depth 0, of metadata at 1, of annotations at 2.</summary>
    private static void Copy(ref Utf8JsonReader json, Utf8JsonWriter writer, int depth)
    {
        while (Cursor.Next(ref json))
        {
            if (IsNoise(ref json, depth))
            {
                json.Skip();
                continue;
            }

            var deeper = (depth == 0 && json.ValueTextEquals("metadata"u8)) || (depth == 1 && json.ValueTextEquals("annotations"u8));
            writer.WritePropertyName(json.GetString()!);
            json.Read();
            if (deeper && json.TokenType == JsonTokenType.StartObject)
            {
                writer.WriteStartObject();
                Copy(ref json, writer, depth + 1);
                writer.WriteEndObject();
            }
            else
            {
                using var value = JsonDocument.ParseValue(ref json);
                value.RootElement.WriteTo(writer);
            }
        }
    }

    private static bool IsNoise(ref Utf8JsonReader json, int depth) => depth switch
    {
        0 => json.ValueTextEquals("status"u8) || json.ValueTextEquals("apiVersion"u8) || json.ValueTextEquals("kind"u8),
        1 => json.ValueTextEquals("managedFields"u8) || json.ValueTextEquals("resourceVersion"u8) || json.ValueTextEquals("generation"u8)
            || json.ValueTextEquals("selfLink"u8),
        _ => json.ValueTextEquals("kubectl.kubernetes.io/last-applied-configuration"u8),
    };
}
