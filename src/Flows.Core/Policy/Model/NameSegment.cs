namespace Flows.Core.Policy;

/// <summary>Whoever a DNS name stands for. With a leading <c>*.</c>: every name below, at any depth, not the name itself.</summary>
/// <param name="Pattern">Lower case, without the final dot.</param>
/// <param name="OneLabel">The wildcard stands for exactly one label.</param>
public sealed record NameSegment(string Pattern, bool OneLabel = false) : Segment
{
    private const string Wildcard = "*.";

    public override string Key => $"name {(IsWildcard && OneLabel ? "one " : "")}{Pattern}";

    private bool IsWildcard => Pattern.StartsWith(Wildcard, StringComparison.Ordinal);

    public bool Matches(string name)
    {
        var plain = name.AsSpan().TrimEnd('.');
        return IsWildcard
            ? plain.Length >= Pattern.Length && plain.EndsWith(Pattern.AsSpan(1), StringComparison.OrdinalIgnoreCase)
                && (!OneLabel || !plain[..^(Pattern.Length - 1)].Contains('.'))
            : plain.Equals(Pattern, StringComparison.OrdinalIgnoreCase);
    }

    public override bool Covers(Segment other) => other is NameSegment name
        && (Equals(name) || (IsWildcard && !OneLabel && name.Pattern.EndsWith(Pattern[1..], StringComparison.Ordinal)));

    public bool Equals(NameSegment? other) => base.Equals(other);

    public override int GetHashCode() => base.GetHashCode();

    protected override string Shown => Pattern;
}
