using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace Flows.Inventory.Kubernetes.Reading;

/// <summary>
/// Labels as one sorted array: a fifth of a tree's memory, and equal by content, so that pods of one owner can share one object.
/// </summary>
internal sealed class LabelMap : IReadOnlyDictionary<string, string>, IEquatable<LabelMap>
{
    private readonly KeyValuePair<string, string>[] pairs;
    private readonly int hash;

    private LabelMap(KeyValuePair<string, string>[] pairs)
    {
        this.pairs = pairs;
        var sum = default(HashCode);
        foreach (var (key, value) in pairs)
        {
            sum.Add(key, StringComparer.Ordinal);
            sum.Add(value, StringComparer.Ordinal);
        }

        hash = sum.ToHashCode();
    }

    public static LabelMap Empty { get; } = new([]);

    public int Count => pairs.Length;

    public IEnumerable<string> Keys => pairs.Select(pair => pair.Key);

    public IEnumerable<string> Values => pairs.Select(pair => pair.Value);

    public string this[string key] => TryGetValue(key, out var value) ? value : throw new KeyNotFoundException($"There is no label '{key}'.");

    /// <summary>These labels; where a key comes twice the last one holds, as JSON readers have it.</summary>
    public static LabelMap Of(IEnumerable<KeyValuePair<string, string>> labels)
    {
        if (labels is LabelMap already)
        {
            return already;
        }

        return Of(labels.ToList());
    }

    /// <summary>As the other; sorts what it is given.</summary>
    public static LabelMap Of(List<KeyValuePair<string, string>> labels)
    {
        // By insertion: a dozen labels at most, mostly sorted already, and equal keys keep their order.
        for (var i = 1; i < labels.Count; i++)
        {
            for (var at = i; at > 0 && string.CompareOrdinal(labels[at - 1].Key, labels[at].Key) > 0; at--)
            {
                (labels[at - 1], labels[at]) = (labels[at], labels[at - 1]);
            }
        }

        for (var i = labels.Count - 1; i > 0; i--)
        {
            if (labels[i - 1].Key == labels[i].Key)
            {
                labels.RemoveAt(i - 1);
            }
        }

        return labels.Count == 0 ? Empty : new([.. labels]);
    }

    public bool ContainsKey(string key) => TryGetValue(key, out _);

    public bool TryGetValue(string key, [MaybeNullWhen(false)] out string value)
    {
        // A dozen labels at most in practice: a straight walk is quicker than a search.
        foreach (var pair in pairs)
        {
            if (pair.Key == key)
            {
                value = pair.Value;
                return true;
            }
        }

        value = null;
        return false;
    }

    public bool Equals(LabelMap? other) => ReferenceEquals(this, other) || (other is not null && hash == other.hash && pairs.AsSpan().SequenceEqual(other.pairs));

    public override bool Equals(object? obj) => Equals(obj as LabelMap);

    public override int GetHashCode() => hash;

    public IEnumerator<KeyValuePair<string, string>> GetEnumerator() => ((IEnumerable<KeyValuePair<string, string>>)pairs).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => pairs.GetEnumerator();
}
