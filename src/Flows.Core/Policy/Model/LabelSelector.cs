namespace Flows.Core.Policy;

/// <summary>A conjunction of requirements; none at all selects everything. Equal when the same conditions are written, in any order.</summary>
public sealed class LabelSelector : IEquatable<LabelSelector>
{
    public LabelSelector(IEnumerable<LabelRequirement> requirements)
    {
        LabelRequirement[] all = [.. requirements.Select(Sorted)];
        if (all.Length > 1)
        {
            all = [.. all.OrderBy(requirement => requirement.ToString(), StringComparer.Ordinal)];
        }

        Requirements = all;
        Text = string.Join(',', Requirements);
    }

    /// <summary>Selects everything.</summary>
    public static LabelSelector Everything { get; } = new([]);

    public IReadOnlyList<LabelRequirement> Requirements { get; }

    /// <summary>The selector as kubectl prints it; empty for everything.</summary>
    public string Text { get; }

    public bool IsEverything => Requirements.Count == 0;

    /// <summary>Selects what carries all of these labels.</summary>
    public static LabelSelector Of(IEnumerable<KeyValuePair<string, string>> labels) =>
        new(labels.Select(label => new LabelRequirement(label.Key, LabelOperator.In, [label.Value])));

    public bool Matches(IReadOnlyDictionary<string, string> labels) => Requirements.All(requirement => requirement.Matches(labels));

    /// <summary>True where every set of labels that <paramref name="other"/> matches is matched here too, as far as the text shows: ours is a subset of its conditions.</summary>
    public bool Covers(LabelSelector other) => Requirements.All(mine => other.Requirements.Any(its => its.ToString() == mine.ToString()));

    public bool Equals(LabelSelector? other) => other is not null && Text == other.Text;

    public override bool Equals(object? obj) => Equals(obj as LabelSelector);

    public override int GetHashCode() => Text.GetHashCode(StringComparison.Ordinal);

    public override string ToString() => Text;

    private static LabelRequirement Sorted(LabelRequirement requirement) => requirement.Values.Count < 2 ? requirement
        : requirement with { Values = [.. requirement.Values.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)] };
}
