using System.Globalization;
using System.Text;

namespace Flows.Core.Policy;

/// <summary>
/// Every range that a set speaks of, so that addresses which no rule can tell apart are found at once: a set of a large fleet names thousands of
/// ranges, and a fleet has more addresses still.
/// </summary>
internal sealed class RangeIndex
{
    private readonly SortedDictionary<byte, Dictionary<NetBlock, int>> byLength = [];
    private readonly Dictionary<NetBlock, string> known = [];
    private int count;

    public RangeIndex(PolicySet set)
    {
        foreach (var policy in set.Policies)
        {
            Add(policy.Target);
            foreach (var (_, _, rule) in policy.AllRules())
            {
                foreach (var peer in rule.Peers)
                {
                    Add(peer);
                }
            }
        }
    }

    /// <summary>Equal for two addresses that lie in the same ranges.</summary>
    public string PlaceOf(NetBlock address)
    {
        if (count == 0)
        {
            return "";
        }

        if (!known.TryGetValue(address, out var place))
        {
            known[address] = place = Find(address);
        }

        return place;
    }

    private string Find(NetBlock address)
    {
        // A range may be cut by those within it, so that it is like no other.
        if (address.PrefixLength < 128)
        {
            return address.ToString();
        }

        var text = new StringBuilder();
        foreach (var (length, ranges) in byLength)
        {
            var around = new NetBlock(address.First, length);
            if (around.IsV4 == address.IsV4 && ranges.TryGetValue(around, out var number))
            {
                text.Append(CultureInfo.InvariantCulture, $"{number} ");
            }
        }

        return text.ToString();
    }

    private void Add(Segment segment)
    {
        foreach (var part in AnySegment.PartsOf(segment))
        {
            if (part is RangeSegment range)
            {
                Add(range.Range);
                foreach (var except in range.Except)
                {
                    Add(except);
                }
            }
        }
    }

    private void Add(NetBlock range)
    {
        if (!byLength.TryGetValue(range.PrefixLength, out var ranges))
        {
            byLength[range.PrefixLength] = ranges = [];
        }

        if (ranges.TryAdd(range, count))
        {
            count++;
        }
    }
}
