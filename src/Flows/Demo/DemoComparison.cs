using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.Core.Map;

namespace Flows.Demo;

/// <summary>One named claim about the run, and what speaks for or against it.</summary>
internal sealed record DemoCheck(string Name, bool Ok, string Detail);

/// <summary>
/// The observed map held against the truth. An edge counts as equal only with the same number of connections and the same
/// outcomes; <see cref="Missing"/> and <see cref="Invented"/> say in one line each what is too few and too many.
/// </summary>
internal sealed record DemoComparison(int Expected, int Observed, IReadOnlyList<string> Missing, IReadOnlyList<string> Invented, IReadOnlyList<DemoCheck> Checks)
{
    public bool Ok => Missing.Count == 0 && Invented.Count == 0 && Checks.All(check => check.Ok);

    /// <param name="observed">The edges of the whole run at the level of single entities.</param>
    public static DemoComparison Compare(DemoTruth truth, IReadOnlyList<Edge> observed)
    {
        var pairs = Pair(truth, observed);
        var missing = new List<string>();
        var invented = new List<string>();
        foreach (var pair in pairs)
        {
            Count(pair, "connections", pair.True?.Connections.Count ?? 0, pair.Seen.Sum(edge => edge.Connections), missing, invented);
            if (pair.True is { } expected && pair.Seen.Count > 0 && pair.Seen.Sum(edge => edge.Connections) == expected.Connections.Count)
            {
                Count(pair, "answered", expected.Answered, pair.Seen.Sum(edge => edge.Answered), missing, invented);
                Count(pair, "refused", expected.Refused, pair.Seen.Sum(edge => edge.Refused), missing, invented);
                Count(pair, "unanswered", expected.Unanswered, pair.Seen.Sum(edge => edge.Unanswered), missing, invented);
            }
        }

        return new DemoComparison(
            pairs.Count(pair => pair.True is not null), pairs.Count(pair => pair.Seen.Count > 0), missing, invented, DemoChecks.Of(pairs));
    }

    /// <summary>
    /// How an observed entity is written in the truth's words. The truth's ends are needed because only they tell which names an
    /// ambiguous entity must list.
    /// </summary>
    internal static string TextOf(Entity entity, IEnumerable<TruthEnd> ends)
    {
        if (entity.Kind == EntityKind.Ambiguous)
        {
            var match = ends.FirstOrDefault(end => end.Candidates.Count > 0 && end.Candidates.All(name => entity.Name.Contains(name, StringComparison.Ordinal)));
            return match?.Text ?? $"ambiguous {entity.Name}";
        }

        return new TruthEnd(Entity.TextOf(entity.Kind), entity.Namespace, entity.Name, entity.Workload).Text;
    }

    private static List<EdgePair> Pair(DemoTruth truth, IReadOnlyList<Edge> observed)
    {
        var ends = truth.Connections.SelectMany(one => (TruthEnd[])[one.Src, one.Dst]).Where(end => end.Candidates.Count > 0).Distinct().ToList();
        var seen = observed.Where(edge => !IsKernelsOwn(edge))
            .GroupBy(edge => TruthEdge.TextOf(
                TextOf(edge.Src, ends), TextOf(edge.Dst, ends), edge.Service is null ? null : TextOf(edge.Service, ends), IpProtocol.NameOf(edge.Protocol), edge.DstPort, edge.ServicePort))
            .ToDictionary(group => group.Key, group => group.ToList(), StringComparer.Ordinal);
        var expected = truth.Edges.ToDictionary(edge => edge.Text, StringComparer.Ordinal);
        return
        [
            .. expected.Keys.Union(seen.Keys).Order(StringComparer.Ordinal)
                .Select(text => new EdgePair(text, expected.GetValueOrDefault(text), seen.GetValueOrDefault(text) ?? [])),
        ];
    }

    /// <summary>Kernels tell their routers which groups they listen to (RFC 3810), within ten seconds of getting an address: no program did that.</summary>
    private static bool IsKernelsOwn(Edge edge) => edge.Protocol == IpProtocol.IcmpV6 && edge.Dst.Name.StartsWith("ff02:", StringComparison.Ordinal);

    private static void Count(EdgePair pair, string what, long expected, long seen, List<string> missing, List<string> invented)
    {
        if (expected != seen)
        {
            (seen < expected ? missing : invented).Add($"{pair.Text}: {expected} {what} expected, {seen} observed");
        }
    }
}

/// <summary>An edge of the truth and what was observed of it; one of the two may be absent. Several edges may carry one text only by a fault.</summary>
internal sealed record EdgePair(string Text, TruthEdge? True, IReadOnlyList<Edge> Seen)
{
    /// <summary>Both are there and agree on the number of connections.</summary>
    public bool Agrees => True is not null && Seen.Count > 0 && Seen.Sum(edge => edge.Connections) == True.Connections.Count;
}
