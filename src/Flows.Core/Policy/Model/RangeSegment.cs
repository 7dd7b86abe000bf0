namespace Flows.Core.Policy;

/// <summary>The addresses of a range, without the excepted ones.</summary>
public sealed record RangeSegment(NetBlock Range, IReadOnlyList<NetBlock> Except) : Segment
{
    public override string Key => $"range {Range}|{string.Join(',', Except)}";

    public static RangeSegment Of(string range, params string[] except) => new(NetBlock.Parse(range), [.. except.Select(NetBlock.Parse)]);

    public bool Contains(Facts.NetAddress address) => Range.Contains(address) && !Except.Any(except => except.Contains(address));

    /// <summary>True where every address of the block is here.</summary>
    public bool Contains(NetBlock block) => Range.Contains(block) && Except.All(except => !except.Contains(block) && !block.Contains(except));

    public override bool Covers(Segment other) => other is RangeSegment range && Range.Contains(range.Range)
        && Except.All(except => !except.Contains(range.Range) && (!range.Range.Contains(except) || range.Except.Any(its => its.Contains(except))));

    public bool Equals(RangeSegment? other) => base.Equals(other);

    public override int GetHashCode() => base.GetHashCode();

    protected override string Shown => Except.Count == 0 ? Range.ToString() : $"{Range} except {string.Join(' ', Except)}";
}
