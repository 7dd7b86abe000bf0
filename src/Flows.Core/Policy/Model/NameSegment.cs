namespace Flows.Core.Policy;

/// <summary>Whoever a DNS name stands for. With a leading <c>*.</c>: every name below, at any depth, not the name itself.</summary>
/// <param name="Pattern">Lower case, without the final dot.</param>
public sealed record NameSegment(string Pattern) : Segment
{
    private const string Wildcard = "*.";

    public override string Key => $"name {Pattern}";

    public bool Matches(string name)
    {
        var plain = name.AsSpan().TrimEnd('.');
        return Pattern.StartsWith(Wildcard, StringComparison.Ordinal)
            ? plain.Length >= Pattern.Length && plain.EndsWith(Pattern.AsSpan(1), StringComparison.OrdinalIgnoreCase)
            : plain.Equals(Pattern, StringComparison.OrdinalIgnoreCase);
    }

    public override bool Covers(Segment other) => other is NameSegment name && (name.Pattern == Pattern || (Pattern[0] == '*' && name.Pattern.EndsWith(Pattern[1..], StringComparison.Ordinal)));

    public bool Equals(NameSegment? other) => base.Equals(other);

    public override int GetHashCode() => base.GetHashCode();

    protected override string Shown => Pattern;
}
