namespace Flows.Core.Policy;

/// <summary>Whoever is in one of several segments: what a policy governs where one selector cannot say it. None at all is nobody.</summary>
public sealed record AnySegment(IReadOnlyList<Segment> Segments) : Segment
{
    /// <summary>Where a rule's list of peers must not be empty, since that is everybody.</summary>
    public static AnySegment Nobody { get; } = new([]);

    public override string Key => $"any ({string.Join(") (", Segments.Select(segment => segment.Key))})";

    /// <summary>The segments one by one; a segment that is no union is its own only part.</summary>
    public static IReadOnlyList<Segment> PartsOf(Segment segment) => segment is AnySegment any ? [.. any.Segments.SelectMany(PartsOf)] : [segment];

    /// <summary>As the peers of a rule: these, or nobody where there are none.</summary>
    public static IReadOnlyList<Segment> PeersOf(IReadOnlyList<Segment> segments) => segments.Count == 0 ? [Nobody] : segments;

    /// <summary>The union of these; of exactly one, that one.</summary>
    public static Segment Of(IReadOnlyList<Segment> segments) => segments.Count == 1 ? segments[0] : new AnySegment(segments);

    public override bool Covers(Segment other) => PartsOf(other).All(its => Segments.Any(mine => mine.Covers(its)));

    public bool Equals(AnySegment? other) => base.Equals(other);

    public override int GetHashCode() => base.GetHashCode();

    protected override string Shown => Segments.Count == 0 ? "nobody" : string.Join(" or ", Segments);
}
