using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Flows.Inventory;

/// <summary>
/// Writes a row of CSV or an item of YAML as the object that JSON Lines would have, so that one reader judges all three formats. Used again for
/// every entry.
/// </summary>
internal sealed class EntryWriter : IDisposable
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly ArrayBufferWriter<byte> buffer = new();
    private readonly Utf8JsonWriter json;
    private readonly HashSet<string> keys = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, SortedDictionary<string, string>> maps = new(StringComparer.Ordinal);

    public EntryWriter() => json = new Utf8JsonWriter(buffer);

    public void Begin()
    {
        buffer.ResetWrittenCount();
        json.Reset();
        keys.Clear();
        maps.Clear();
        json.WriteStartObject();
    }

    /// <summary>A key and its text, as written. Of the keys that are no text, only <c>host_network</c> can be told by a word.</summary>
    /// <exception cref="InventoryFaultException">The key was there before, or the text cannot be.</exception>
    public void Value(string key, string text)
    {
        Once(key);
        if (key == "host_network" && text is "true" or "false")
        {
            json.WriteBoolean(key, text == "true");
            return;
        }

        json.WriteString(Bytes(key), Bytes(text));
    }

    /// <summary>Says that the key holds labels, even where none follow.</summary>
    public void Map(string key)
    {
        Once(key);
        maps.TryAdd(key, new(StringComparer.Ordinal));
    }

    /// <summary>One label of <c>labels</c> or <c>selector</c>.</summary>
    public void Label(string key, string name, string text)
    {
        if (!maps.TryGetValue(key, out var map))
        {
            maps.Add(key, map = new(StringComparer.Ordinal));
        }

        if (!map.TryAdd(name, text))
        {
            throw new InventoryFaultException($"{key} gives '{InventoryLine.Shown(name)}' twice", "keep one of them");
        }
    }

    /// <summary>The object; good until <see cref="Begin"/>.</summary>
    public ReadOnlyMemory<byte> End()
    {
        foreach (var (key, labels) in maps)
        {
            json.WriteStartObject(key);
            foreach (var (name, text) in labels)
            {
                json.WriteString(Bytes(name), Bytes(text));
            }

            json.WriteEndObject();
        }

        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenMemory;
    }

    public void Dispose() => json.Dispose();

    private void Once(string key)
    {
        if (!keys.Add(key))
        {
            throw new InventoryFaultException($"the key '{InventoryLine.Shown(key)}' stands twice", "keep one of them");
        }
    }

    private static byte[] Bytes(string text)
    {
        try
        {
            return Strict.GetBytes(text);
        }
        catch (EncoderFallbackException)
        {
            throw new InventoryFaultException("a text holds half of a surrogate pair", "remove the lone \\ud... escape");
        }
    }
}
