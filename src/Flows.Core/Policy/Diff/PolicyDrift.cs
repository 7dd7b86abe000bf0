namespace Flows.Core.Policy;

/// <summary>Compares a set with the traffic: what is needed and not allowed, and what is allowed by a rule and never seen.</summary>
public static class PolicyDrift
{
    /// <summary>From the set to the traffic: <c>added</c> is what only the traffic has, <c>removed</c> what only the set has.</summary>
    public static DiffResult Of(ReplayResult replay)
    {
        var added = replay.Denied
            .Select(finding => (Src: Called(finding.Edge.Src), Dst: Called(finding.Edge.Dst), Port: new PortSlice(finding.Edge.Protocol, finding.Edge.DstPort, finding.Edge.DstPort),
                finding.Edge.Connections, IsAdded: true));
        var removed = replay.Surplus.Edges.Select(edge => (edge.Src, edge.Dst, Port: new PortSlice(edge.Protocol, edge.Port, edge.Port), Connections: 0L, IsAdded: false));
        var entries = added.Concat(removed).GroupBy(one => (one.Src, one.Dst)).Select(pair => new DiffEntry(
            pair.All(one => one.IsAdded) ? "added" : pair.Any(one => one.IsAdded) ? "changed" : "removed",
            pair.Key.Src,
            pair.Key.Dst,
            Ports(pair.Where(one => one.IsAdded).Select(one => one.Port)),
            Ports(pair.Where(one => !one.IsAdded).Select(one => one.Port)),
            pair.Sum(one => one.Connections)));
        return new DiffResult(
            [.. entries.OrderBy(entry => entry.Change, StringComparer.Ordinal).ThenBy(entry => entry.Src, StringComparer.Ordinal).ThenBy(entry => entry.Dst, StringComparer.Ordinal)],
            replay.Surplus.Complete && replay.Surplus.Count == replay.Surplus.Edges.Count);
    }

    /// <summary>The same from the traffic to the set.</summary>
    public static DiffResult Reversed(DiffResult drift) => drift with
    {
        Entries =
        [
            .. drift.Entries.Select(entry => entry with
            {
                Change = entry.Change switch { "added" => "removed", "removed" => "added", var other => other },
                Added = entry.Removed,
                Removed = entry.Added,
            }).OrderBy(entry => entry.Change, StringComparer.Ordinal).ThenBy(entry => entry.Src, StringComparer.Ordinal).ThenBy(entry => entry.Dst, StringComparer.Ordinal),
        ],
    };

    private static string Called(Identity.Entity entity) => SegmentKey.TextOf(entity, SegmentLevel.Workload);

    private static string Ports(IEnumerable<PortSlice> ports) => PortCuts.Text([.. ports.Distinct().OrderBy(port => port.Protocol).ThenBy(port => port.First)]);
}
