namespace Flows.Core.Policy;

/// <summary>Drops peers of a port that another peer covers. Looks up what may cover, since a monitor has as many peers as the cluster has workloads.</summary>
internal static class Covering
{
    // Two to that power of selectors are looked up; selectors of more labels, which no suggestion writes, are compared one by one.
    private const int RequirementsMost = 8;

    public static void Drop(Dictionary<string, Grant> grants)
    {
        if (grants.Count < 2)
        {
            return;
        }

        // Whoever covers pods asks for fewer labels; mostly all ask for equally many, and nobody covers anybody.
        var fewest = grants.Values.Min(grant => Conditions(grant.Peer.Segment));
        var ranges = grants.Values.Select(grant => grant.Peer.Segment).OfType<RangeSegment>().ToLookup(range => range.Range);
        foreach (var grant in grants.Values.Where(grant => grant.Peer.Segment is not PodSegment || Conditions(grant.Peer.Segment) > fewest)
            .OrderBy(grant => grant.Peer.Key, StringComparer.Ordinal).ToList())
        {
            var wider = Candidates(grant.Peer.Segment, grants, ranges)
                .Where(key => key != grant.Peer.Key && grants.TryGetValue(key, out var other) && other.Peer.Segment.Covers(grant.Peer.Segment))
                .Min(StringComparer.Ordinal);
            if (wider is not null)
            {
                grants[wider].Edges.AddRange(grant.Edges);
                grants.Remove(grant.Peer.Key);
            }
        }
    }

    private static IEnumerable<string> Candidates(Segment segment, Dictionary<string, Grant> grants, ILookup<NetBlock, RangeSegment> ranges) => segment switch
    {
        PodSegment pods when pods.Pods.Requirements.Count + pods.Namespaces.Requirements.Count <= RequirementsMost =>
            from namespaces in Subsets(pods.Namespaces)
            from labels in Subsets(pods.Pods)
            select new PodSegment(namespaces, labels).Key,
        RangeSegment range => Enumerable.Range(0, range.Range.PrefixLength + 1).SelectMany(length => ranges[new NetBlock(range.Range.First, (byte)length)]).Select(wider => wider.Key),
        _ => grants.Keys,
    };

    /// <summary>Conditions on labels; of what is no group of pods more than any has.</summary>
    private static int Conditions(Segment segment) => segment is PodSegment pods ? pods.Namespaces.Requirements.Count + pods.Pods.Requirements.Count : int.MaxValue;

    private static IEnumerable<LabelSelector> Subsets(LabelSelector selector)
    {
        var all = selector.Requirements;
        for (var bits = 0; bits < 1 << all.Count; bits++)
        {
            var chosen = bits;
            yield return new LabelSelector(all.Where((_, at) => (chosen >> at & 1) != 0));
        }
    }
}
