using Flows.Core.Identity;
using System.Text.Json;

namespace Flows.Inventory.Kubernetes.Reading;

/// <summary>
/// Makes equal texts, and equal sets of labels, one object over all resources of a cluster: a hundred thousand pods have a few thousand distinct ones. For
/// several threads.
/// </summary>
internal sealed class TextPool
{
    /// <summary>
    /// Namespaces, nodes, kinds, owners and label values of a cluster of 100,000 pods. When full it starts anew: texts in use stay where they are,
    /// only later ones are stored a second time.
    /// </summary>
    private const int TextsMax = 262_144;
    private const int SetsMax = 131_072;

    /// <summary>A DNS name has 253 characters at most; longer texts are rarely equal.</summary>
    private const int PooledCharsMax = 256;

    private readonly HashSet<string> texts = new(StringComparer.Ordinal);
    private readonly HashSet<string>.AlternateLookup<ReadOnlySpan<char>> find;
    private readonly HashSet<LabelDictionary> labels = [];
    private readonly HashSet<OwnerRef> owners = [];
    private readonly Lock gate = new();

    public TextPool() => find = texts.GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>The text value at the reader, shared; empty for null.</summary>
    /// <exception cref="FormatException">The value is no text.</exception>
    public string Text(ref Utf8JsonReader json)
    {
        if (json.TokenType is not (JsonTokenType.String or JsonTokenType.PropertyName) || json.ValueSpan.Length > PooledCharsMax)
        {
            return Cursor.Text(ref json);
        }

        Span<char> chars = stackalloc char[PooledCharsMax];
        chars = chars[..json.CopyString(chars)];
        return Text(chars, null);
    }

    /// <summary>An equal text, shared.</summary>
    public string Text(string text) => text.Length > PooledCharsMax ? text : Text(text, text);

    /// <summary>The object of texts that is the value of the property at the reader, shared; empty for null.</summary>
    public LabelDictionary Labels(ref Utf8JsonReader json)
    {
        var pairs = new List<KeyValuePair<string, string>>();
        if (Cursor.Enter(ref json))
        {
            while (Cursor.Next(ref json))
            {
                var key = Text(ref json);
                json.Read();
                pairs.Add(new(key, Text(ref json)));
            }
        }

        return Map(pairs);
    }

    /// <summary>These pairs as a map, shared; they may be sorted on the way.</summary>
    public LabelDictionary Map(List<KeyValuePair<string, string>> pairs) => Shared(labels, LabelDictionary.Of(pairs));

    public OwnerRef Owner(OwnerRef owner) => Shared(owners, owner);

    private string Text(ReadOnlySpan<char> chars, string? whole)
    {
        lock (gate)
        {
            if (find.TryGetValue(chars, out var known))
            {
                return known;
            }

            if (texts.Count >= TextsMax)
            {
                texts.Clear();
            }

            known = whole ?? chars.ToString();
            texts.Add(known);
            return known;
        }
    }

    private T Shared<T>(HashSet<T> pool, T one) where T : class
    {
        lock (gate)
        {
            if (pool.TryGetValue(one, out var known))
            {
                return known;
            }

            if (pool.Count >= SetsMax)
            {
                pool.Clear();
            }

            pool.Add(one);
            return one;
        }
    }
}
