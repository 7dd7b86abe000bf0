using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace Flows.Core.Identity;

/// <summary>
/// Labels in one array, sorted by key. Two of equal content are equal, so that the thousands of pods of one workload can share one
/// (<see cref="EntityPool"/>); a dictionary of six labels takes a kilobyte.
/// </summary>
public sealed class LabelDictionary : IReadOnlyDictionary<string, string>, IEquatable<LabelDictionary>
{
    private readonly KeyValuePair<string, string>[] labels;
    private readonly int hash;

    private LabelDictionary(KeyValuePair<string, string>[] labels)
    {
        this.labels = labels;
        var sum = default(HashCode);
        foreach (var (key, value) in labels)
        {
            sum.Add(key);
            sum.Add(value);
        }

        hash = sum.ToHashCode();
    }

    public static LabelDictionary Empty { get; } = new([]);

    public int Count => labels.Length;

    public IEnumerable<string> Keys => labels.Select(label => label.Key);

    public IEnumerable<string> Values => labels.Select(label => label.Value);

    public string this[string key] => TryGetValue(key, out var value) ? value : throw new KeyNotFoundException($"There is no label '{key}'.");

    /// <summary>The labels as a map of this kind; the same object where it is one. Where a key comes twice the last one holds, as JSON readers have it.</summary>
    public static LabelDictionary Of(IEnumerable<KeyValuePair<string, string>> labels) => labels as LabelDictionary ?? Of(labels.ToList());

    /// <summary>As the other; sorts what it is given.</summary>
    public static LabelDictionary Of(List<KeyValuePair<string, string>> labels)
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
        foreach (var label in labels)
        {
            if (label.Key == key)
            {
                value = label.Value;
                return true;
            }
        }

        value = null;
        return false;
    }

    public IEnumerator<KeyValuePair<string, string>> GetEnumerator() => ((IEnumerable<KeyValuePair<string, string>>)labels).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public bool Equals(LabelDictionary? other) => ReferenceEquals(this, other)
        || (other is not null && hash == other.hash && labels.AsSpan().SequenceEqual(other.labels));

    public override bool Equals(object? obj) => Equals(obj as LabelDictionary);

    public override int GetHashCode() => hash;

    /// <summary>The same labels in other string objects of the same text; this object where they are its own.</summary>
    internal LabelDictionary With(Func<string, string> text)
    {
        var same = Array.ConvertAll(labels, label => KeyValuePair.Create(text(label.Key), text(label.Value)));
        return same.Zip(labels).All(pair => ReferenceEquals(pair.First.Key, pair.Second.Key) && ReferenceEquals(pair.First.Value, pair.Second.Value)) ? this : new(same);
    }
}
