using System.Text.Json;
using Flows.Inventory.Kubernetes.Reading;

namespace Flows.Inventory.Kubernetes.Watching;

/// <summary>One event of a watch, taken apart: its type, and where in it the object stands.</summary>
internal readonly ref struct WatchEvent
{
    private WatchEvent(string type, ReadOnlySpan<byte> body)
    {
        Type = type;
        Object = body;
    }

    /// <summary>ADDED, MODIFIED, DELETED, BOOKMARK, ERROR, or what a newer server invents.</summary>
    public string Type { get; }

    /// <summary>The object as JSON; empty where there is none.</summary>
    public ReadOnlySpan<byte> Object { get; }

    /// <exception cref="FormatException">It is no event.</exception>
    public static WatchEvent Read(ReadOnlySpan<byte> utf8)
    {
        var type = "";
        var body = ReadOnlySpan<byte>.Empty;
        var json = new Utf8JsonReader(utf8);
        Cursor.Enter(ref json);
        while (Cursor.Next(ref json))
        {
            if (json.ValueTextEquals("type"u8))
            {
                type = Cursor.ReadText(ref json);
            }
            else if (json.ValueTextEquals("object"u8))
            {
                json.Read();
                var start = (int)json.TokenStartIndex;
                json.Skip();
                body = utf8[start..(int)json.BytesConsumed];
            }
            else
            {
                json.Skip();
            }
        }

        return new(type, body);
    }
}
