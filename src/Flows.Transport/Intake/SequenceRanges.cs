namespace Flows.Transport.Intake;

/// <summary>A set of sequences as sorted ranges that neither touch nor overlap. Exact in any order of arrival.</summary>
internal sealed class SequenceRanges
{
    private readonly List<(ulong From, ulong To)> ranges;

    public SequenceRanges() => ranges = [];

    public SequenceRanges(IEnumerable<(ulong From, ulong To)> sorted) => ranges = [.. sorted];

    /// <summary>The ranges, both ends included.</summary>
    public IReadOnlyList<(ulong From, ulong To)> All => ranges;

    public bool Contains(ulong sequence) => IndexAtOrBefore(sequence) is >= 0 and var at && ranges[at].To >= sequence;

    /// <summary>Adds a sequence below the greatest number; false when it was in the set.</summary>
    public bool Add(ulong sequence)
    {
        var before = IndexAtOrBefore(sequence);
        if (before >= 0 && ranges[before].To >= sequence)
        {
            return false;
        }

        var joinsBefore = before >= 0 && ranges[before].To + 1 == sequence;
        var joinsAfter = before + 1 < ranges.Count && ranges[before + 1].From == sequence + 1;
        if (joinsBefore && joinsAfter)
        {
            ranges[before] = (ranges[before].From, ranges[before + 1].To);
            ranges.RemoveAt(before + 1);
        }
        else if (joinsBefore)
        {
            ranges[before] = (ranges[before].From, sequence);
        }
        else if (joinsAfter)
        {
            ranges[before + 1] = (sequence, ranges[before + 1].To);
        }
        else
        {
            ranges.Insert(before + 1, (sequence, sequence));
        }

        return true;
    }

    /// <summary>Index of the last range that begins at or before the sequence; -1 where none does.</summary>
    private int IndexAtOrBefore(ulong sequence)
    {
        var (low, high) = (0, ranges.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = ranges[middle].From <= sequence ? (middle + 1, high) : (low, middle);
        }

        return low - 1;
    }
}
