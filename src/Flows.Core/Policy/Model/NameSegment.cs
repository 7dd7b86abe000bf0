using System.IO.Enumeration;

namespace Flows.Core.Policy;

/// <summary>
/// Whoever a DNS name stands for. With a leading <c>*.</c>: every name below, at any depth, not the name itself. A star alone: whatever has a name.
/// </summary>
/// <param name="Pattern">Lower case, without the final dot.</param>
/// <param name="OneLabel">Stars may stand anywhere, each for some characters of one label or none, so that names have as many labels as the pattern.</param>
public sealed record NameSegment(string Pattern, bool OneLabel = false) : Segment
{
    private const string Every = "*";
    private const string Wildcard = "*.";
    private const int LengthMax = 255;

    public override string Key => $"name {(HasStar && OneLabel ? "one " : "")}{Pattern}";

    private bool HasStar => Pattern.Contains('*', StringComparison.Ordinal);

    private bool IsWildcard => Pattern.StartsWith(Wildcard, StringComparison.Ordinal);

    /// <summary>Whether a text can be a pattern: labels of letters, digits, dashes, underscores and stars with dots between them, at most 255 characters.</summary>
    /// <param name="oneLabel">Stars may stand anywhere, and not only as all of the pattern or of its first label.</param>
    public static bool IsPattern(string text, bool oneLabel) => text.Length <= LengthMax
        && text.Split('.').All(label => label.Length > 0 && label.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '*'))
        && (oneLabel || text == Every || text.LastIndexOf('*') == (text.StartsWith(Wildcard, StringComparison.Ordinal) ? 0 : -1));

    public bool Matches(string name)
    {
        var plain = name.AsSpan().TrimEnd('.');
        return OneLabel ? FitsLabels(plain.ToString())
            : IsWildcard ? plain.Length >= Pattern.Length && plain.EndsWith(Pattern.AsSpan(1), StringComparison.OrdinalIgnoreCase)
            : Pattern == Every || plain.Equals(Pattern, StringComparison.OrdinalIgnoreCase);
    }

    public override bool Covers(Segment other) => other is NameSegment name
        && (Equals(name) || (!OneLabel && (Pattern == Every || (IsWildcard && name.Pattern.EndsWith(Pattern[1..], StringComparison.Ordinal)))));

    public bool Equals(NameSegment? other) => base.Equals(other);

    public override int GetHashCode() => base.GetHashCode();

    protected override string Shown => Pattern;

    private bool FitsLabels(string name)
    {
        var (patterns, labels) = (Pattern.Split('.'), name.Split('.'));
        return patterns.Length == labels.Length && patterns.Zip(labels).All(pair => FileSystemName.MatchesSimpleExpression(pair.First, pair.Second));
    }
}
