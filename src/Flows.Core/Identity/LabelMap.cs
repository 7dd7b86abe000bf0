using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace Flows.Core.Identity;

/// <summary>
/// Labels in one array, sorted by key. Two of equal content are equal, so that the thousands of pods of one workload can share one
/// (<see cref="EntityPool"/>); a dictionary of six labels takes a kilobyte.
/// </summary>
public sealed class LabelMap : IReadOnlyDictionary<string, string>, IEquatable<LabelMap>
{
    private readonly KeyValuePair<string, string>[] labels;

    private LabelMap(KeyValuePair<string, string>[] labels) => this.labels = labels;

    public static LabelMap Empty { get; } = new([]);

    public int Count => labels.Length;

    public IEnumerable<string> Keys => labels.Select(label => label.Key);

    public IEnumerable<string> Values => labels.Select(label => label.Value);

    public string this[string key] => TryGetValue(key, out var value) ? value : throw new KeyNotFoundException($"There is no label '{key}'.");

    /// <summary>The labels as a map of this kind; the same object where it is one.</summary>
    public static LabelMap Of(IReadOnlyDictionary<string, string> labels) =>
        labels as LabelMap ?? (labels.Count == 0 ? Empty : new([.. labels.OrderBy(label => label.Key, StringComparer.Ordinal)]));

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

    public bool Equals(LabelMap? other) => ReferenceEquals(this, other)
        || (other is not null && labels.AsSpan().SequenceEqual(other.labels));

    public override bool Equals(object? obj) => Equals(obj as LabelMap);

    public override int GetHashCode()
    {
        var hash = default(HashCode);
        foreach (var (key, value) in labels)
        {
            hash.Add(key);
            hash.Add(value);
        }

        return hash.ToHashCode();
    }

    /// <summary>The same labels in other string objects of the same text; this object where they are its own.</summary>
    internal LabelMap With(Func<string, string> text)
    {
        var same = Array.ConvertAll(labels, label => KeyValuePair.Create(text(label.Key), text(label.Value)));
        return same.Zip(labels).All(pair => ReferenceEquals(pair.First.Key, pair.Second.Key) && ReferenceEquals(pair.First.Value, pair.Second.Value)) ? this : new(same);
    }
}
