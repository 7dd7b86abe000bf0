namespace Flows.Core.Policy;

/// <summary>Ports between which no rule tells a difference, so that one stands for all.</summary>
internal readonly record struct PortSlice(byte Protocol, ushort First, ushort Last)
{
    public override string ToString() => (First == 1 && Last == ushort.MaxValue ? new PortMatch(Protocol) : new PortMatch(Protocol, First, Last)).ToString();
}

/// <summary>Cuts the ports of each protocol where the rules of some policies do.</summary>
internal static class PortCuts
{
    public const string Everything = "all";

    /// <summary>Where rules begin to differ: per protocol, the first port of each slice.</summary>
    public static SortedSet<(byte Protocol, int Start)> Of(IEnumerable<Rule> rules)
    {
        SortedSet<(byte, int)> cuts = [.. PortMatch.Transports.Select(protocol => (protocol, 1))];
        foreach (var port in rules.SelectMany(rule => rule.Ports).Where(port => port.First is not null))
        {
            cuts.Add((port.Protocol, port.First!.Value));
            cuts.Add((port.Protocol, port.Last!.Value + 1));
        }

        return cuts;
    }

    public static List<PortSlice> Slices(IEnumerable<(byte Protocol, int Start)> cuts)
    {
        var ordered = cuts.Where(cut => cut.Start is > 0 and <= ushort.MaxValue && PortMatch.Transports.Contains(cut.Protocol)).Distinct().Order().ToList();
        return
        [
            .. ordered.Select((cut, index) => new PortSlice(
                cut.Protocol,
                (ushort)cut.Start,
                index + 1 < ordered.Count && ordered[index + 1].Protocol == cut.Protocol ? (ushort)(ordered[index + 1].Start - 1) : ushort.MaxValue)),
        ];
    }

    /// <summary>Such as <c>TCP 80, TCP 8000-8999</c>; neighbours are joined, and every port of every protocol is <see cref="Everything"/>.</summary>
    public static string Text(IReadOnlyList<PortSlice> slices)
    {
        List<PortSlice> joined = [];
        foreach (var slice in slices)
        {
            if (joined.Count > 0 && joined[^1].Protocol == slice.Protocol && joined[^1].Last + 1 == slice.First)
            {
                joined[^1] = joined[^1] with { Last = slice.Last };
            }
            else
            {
                joined.Add(slice);
            }
        }

        return joined.Count == PortMatch.Transports.Count && joined.TrueForAll(slice => slice is { First: 1, Last: ushort.MaxValue }) ? Everything : string.Join(", ", joined);
    }
}
