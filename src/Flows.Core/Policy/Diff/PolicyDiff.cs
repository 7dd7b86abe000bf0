using Flows.Core.Map;

namespace Flows.Core.Policy;

/// <summary>What may go from one group of ends to another by the second set and not by the first, or the other way round.</summary>
/// <param name="Change"><c>added</c>: nothing passed before. <c>removed</c>: nothing passes after. <c>changed</c>: some did, and other does.</param>
/// <param name="Added">Ports that the second lets through and the first does not.</param>
/// <param name="Removed">Ports that the first lets through and the second does not.</param>
/// <param name="Seen">Needed connections that were seen on the removed ports: they would be denied.</param>
public sealed record DiffEntry(string Change, string Src, string Dst, string Added, string Removed, long Seen);

/// <summary>All differences, in a stable order.</summary>
/// <param name="Complete">False where there was too much to look at.</param>
public sealed record DiffResult(IReadOnlyList<DiffEntry> Entries, bool Complete)
{
    public bool IsSame => Entries.Count == 0 && Complete;
}

/// <summary>
/// Compares what two sets let through, not what they say: a policy that is split, renamed or written otherwise is no difference. Only pairs of which an
/// end is governed by a policy that the other set has not are looked at, so that the work follows the change and not the fleet.
/// </summary>
public sealed class PolicyDiff
{
    // About a minute of evaluation on one core.
    private const long AskedMax = 20_000_000;

    private readonly PolicySet before;
    private readonly PolicySet after;
    private readonly IReadOnlyList<DiffEnd> ends;
    private readonly PolicyEvaluator judgeBefore;
    private readonly PolicyEvaluator judgeAfter;
    private readonly Governance governance;
    private readonly Dictionary<(string Src, string Dst), List<Edge>> seen;
    private readonly Dictionary<(DiffEnd End, Direction Direction), SortedSet<(byte Protocol, int Start)>> cuts = [];
    private long asked;

    private PolicyDiff(PolicySet before, PolicySet after, IReadOnlyList<DiffEnd> ends, IEnumerable<Edge> needed, JudgeOptions options)
    {
        (this.before, this.after, this.ends) = (before, after, ends);
        judgeBefore = new PolicyEvaluator(before, options.NamespaceLabels, options.DialectFor(before));
        judgeAfter = new PolicyEvaluator(after, options.NamespaceLabels, options.DialectFor(after));
        var both = new PolicySet([.. before.Policies, .. after.Policies]);
        governance = new Governance(new PolicyEvaluator(both, options.NamespaceLabels, options.DialectFor(both)));
        seen = needed.GroupBy(edge => (SegmentKey.TextOf(edge.Src, SegmentLevel.Workload), SegmentKey.TextOf(edge.Dst, SegmentLevel.Workload)))
            .ToDictionary(edges => edges.Key, edges => edges.ToList());
    }

    /// <param name="before">The first set.</param>
    /// <param name="after">The second.</param>
    /// <param name="ends">Between whom.</param>
    /// <param name="input">What was seen; null where nothing is known of it.</param>
    /// <param name="options">As for a replay.</param>
    public static DiffResult Between(PolicySet before, PolicySet after, IReadOnlyList<DiffEnd> ends, PolicyInput? input, JudgeOptions options)
    {
        var sieve = input is null ? null : new EdgeSieve(input);
        return new PolicyDiff(before, after, ends, input?.Edges.Where(edge => sieve!.WhyNot(edge) is null) ?? [], options).Run();
    }

    private DiffResult Run()
    {
        var touched = ends.Where(IsTouched()).ToHashSet();
        List<DiffEntry> entries = [];
        foreach (var src in touched.Count == 0 ? [] : ends)
        {
            foreach (var dst in touched.Contains(src) ? ends : ends.Where(touched.Contains))
            {
                if (src.Name != dst.Name && asked < AskedMax && Compare(src, dst) is { } entry)
                {
                    entries.Add(entry);
                }
            }
        }

        return new DiffResult(
            [.. entries.OrderBy(entry => entry.Change, StringComparer.Ordinal).ThenBy(entry => entry.Src, StringComparer.Ordinal).ThenBy(entry => entry.Dst, StringComparer.Ordinal)],
            asked < AskedMax);
    }

    /// <summary>The ends that a policy governs which only one of the sets has.</summary>
    private Func<DiffEnd, bool> IsTouched()
    {
        var (old, now) = (before.Policies.ToLookup(Meaning), after.Policies.ToLookup(Meaning));
        var changed = old.Where(same => !now.Contains(same.Key)).Concat(now.Where(same => !old.Contains(same.Key))).SelectMany(same => same)
            .ToHashSet<SegmentPolicy>(ReferenceEqualityComparer.Instance);
        return end => changed.Count > 0 && end.Parties.Any(party => ((Direction[])[Direction.Ingress, Direction.Egress])
            .Any(direction => governance.Of(party, direction).Any(changed.Contains)));
    }

    private static string Meaning(SegmentPolicy policy) => string.Create(System.Globalization.CultureInfo.InvariantCulture,
        $"{policy.Tier}|{policy.Tier.Order}|{policy.Order}|{policy.Id}|{policy.Target.Key}|{policy.Ingress is null}{policy.ClosesIngress}|{policy.Egress is null}{policy.ClosesEgress}|")
        + string.Join('\n', policy.AllRules().Select(rule => $"{rule.Direction} {rule.Rule.Key}"));

    private DiffEntry? Compare(DiffEnd src, DiffEnd dst)
    {
        List<PortSlice> added = [];
        List<PortSlice> removed = [];
        var (any, still) = (false, false);
        foreach (var slice in PortCuts.Slices(Cuts(src, Direction.Egress).Concat(Cuts(dst, Direction.Ingress))))
        {
            var (was, now) = (Passes(judgeBefore, src, dst, slice), Passes(judgeAfter, src, dst, slice));
            (any, still) = (any | was, still | now);
            if (was != now)
            {
                (now ? added : removed).Add(slice);
            }
        }

        return added.Count + removed.Count == 0 ? null : new DiffEntry(
            !any ? "added" : !still ? "removed" : "changed",
            src.Name,
            dst.Name,
            PortCuts.Text(added),
            PortCuts.Text(removed),
            seen.GetValueOrDefault((src.Name, dst.Name), [])
                .Where(edge => removed.Exists(slice => slice.Protocol == edge.Protocol && edge.DstPort >= slice.First && edge.DstPort <= slice.Last)).Sum(edge => edge.Connections));
    }

    /// <summary>Whether any of one end reaches any of the other.</summary>
    private bool Passes(PolicyEvaluator judge, DiffEnd src, DiffEnd dst, PortSlice slice)
    {
        foreach (var one in src.Parties)
        {
            foreach (var other in dst.Parties)
            {
                asked++;
                if (judge.Evaluate(new Connection(one, other, slice.Protocol, slice.First)).Allowed)
                {
                    return true;
                }
            }
        }

        return false;
    }

    private SortedSet<(byte Protocol, int Start)> Cuts(DiffEnd end, Direction direction)
    {
        if (!cuts.TryGetValue((end, direction), out var known))
        {
            cuts[(end, direction)] = known = PortCuts.Of(end.Parties.SelectMany(party => governance.Of(party, direction)).Distinct().SelectMany(policy => policy.Rules(direction)!));
        }

        return known;
    }
}
