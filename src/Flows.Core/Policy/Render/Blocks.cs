namespace Flows.Core.Policy;

/// <summary>Ranges without exceptions, for targets that have none.</summary>
internal static class Blocks
{
    /// <summary>The fewest ranges that hold exactly what the segment holds, sorted.</summary>
    public static IReadOnlyList<NetBlock> Of(RangeSegment segment)
    {
        List<NetBlock> blocks = [];
        Split(segment.Range, [.. segment.Except.Where(except => except.Contains(segment.Range) || segment.Range.Contains(except))], blocks);
        blocks.Sort();
        return blocks;
    }

    /// <summary>The exceptions that take something away, each strictly within the range; null where they take everything.</summary>
    public static IReadOnlyList<NetBlock>? Exceptions(RangeSegment segment) => segment.Except.Any(except => except.Contains(segment.Range))
        ? null
        : [.. segment.Except.Where(segment.Range.Contains).Distinct().Order()];

    private static void Split(NetBlock block, List<NetBlock> except, List<NetBlock> into)
    {
        if (except.Exists(one => one.Contains(block)))
        {
            return;
        }

        if (!except.Exists(block.Contains))
        {
            into.Add(block);
            return;
        }

        var (low, high) = block.Halves();
        Split(low, except, into);
        Split(high, except, into);
    }
}
