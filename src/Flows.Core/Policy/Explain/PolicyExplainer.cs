using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.Core.Map;

namespace Flows.Core.Policy;

/// <summary>Answers why a connection is allowed, denied, suggested or not suggested, and why there is no edge.</summary>
public sealed class PolicyExplainer
{
    private readonly PolicyInput input;
    private readonly JudgeOptions options;
    private readonly EdgeSieve sieve;
    private readonly EndFinder finder;
    private readonly IReadOnlyList<string> gaps;

    /// <param name="input">What was seen, and who is known.</param>
    /// <param name="options">As for a replay.</param>
    /// <param name="gaps">What sources did not see in the span, a sentence each.</param>
    public PolicyExplainer(PolicyInput input, JudgeOptions options, IReadOnlyList<string> gaps)
    {
        (this.input, this.options, this.gaps) = (input, options, gaps);
        sieve = new EdgeSieve(input);
        finder = new EndFinder(input);
    }

    /// <summary>The answer of each set, of the suggestion, and of what was seen.</summary>
    /// <exception cref="FlowsException">Nobody goes by a name.</exception>
    public Explanation Explain(ExplainQuestion question, IReadOnlyList<NamedSet> sets, Suggestion suggestion)
    {
        var (src, dst) = (finder.Find(question.Src), finder.Find(question.Dst));
        var edges = Between(src, dst).ToList();
        var exact = edges.Where(edge => edge.Protocol == question.Protocol && (edge.DstPort == question.Port || edge.ServicePort == question.Port)).ToList();
        var answers = sets.Append(new NamedSet("suggestion", suggestion.Set)).Select(set => Answer(set, src, dst, question)).ToList();
        return new Explanation(
            question.Src,
            question.Dst,
            $"{IpProtocol.NameOf(question.Protocol).ToUpperInvariant()} {question.Port}",
            answers,
            Seen(exact),
            Suggested(question, src, dst, exact, answers[^1], suggestion),
            WhyNoEdge(question, src, dst, edges, exact));
    }

    private SetAnswer Answer(NamedSet named, AskedEnd src, AskedEnd dst, ExplainQuestion question)
    {
        var classes = new PartyClasses(sieve, named.Set);
        var evaluator = new PolicyEvaluator(named.Set, options.NamespaceLabels, options.DialectFor(named.Set));
        var trace = new SideTrace(named.Set, new Governance(evaluator));
        List<(Connection Connection, PolicyDecision Decision)> all =
        [
            .. from a in src.Entities
               from b in dst.Entities
               where a.Id != b.Id
               from one in classes.Of(a)
               from other in classes.Of(b)
               where classes[one].Address is not { } x || classes[other].Address is not { } y || x.IsV4 == y.IsV4
               select (one, other, Own: EdgeSieve.OwnNode(a, b)) into pair
               group pair by pair into same
               let parties = classes.Between(same.Key.one, same.Key.other)
               let connection = new Connection(parties.Src, parties.Dst, question.Protocol, question.Port) { OwnNode = same.Key.Own }
               select (connection, evaluator.Evaluate(connection)),
        ];
        if (all.Count == 0)
        {
            return new SetAnswer(named.Name, "allowed", ["both ends are the same"], []);
        }

        var allowed = all.Count(one => one.Decision.Allowed);
        var verdict = allowed == all.Count ? "allowed" : allowed == 0 ? "denied" : "depends";

        // Where it depends, what is denied is what a person wants to hear of.
        var (shown, decision) = all.Find(one => !one.Decision.Allowed) is { Connection: not null } refused ? refused : all[0];
        return new SetAnswer(
            named.Name,
            verdict,
            shown.OwnNode && shown.Dst.IsHost ? ["allowed: a pod and its own node always talk"] : trace.Of(Direction.Egress, shown.Src, shown.Dst, shown, decision.Egress),
            shown.OwnNode && shown.Src.IsHost ? ["allowed: a pod and its own node always talk"] : trace.Of(Direction.Ingress, shown.Dst, shown.Src, shown, decision.Ingress));
    }

    private IEnumerable<Edge> Between(AskedEnd src, AskedEnd dst)
    {
        var from = src.Entities.Select(entity => entity.Id).ToHashSet();
        var to = dst.Entities.Select(entity => entity.Id).ToHashSet();
        return input.Edges.Where(edge => from.Contains(edge.Src.Id) && (to.Contains(edge.Dst.Id) || (edge.Service is { } service && to.Contains(service.Id))));
    }

    private static SeenAnswer Seen(List<Edge> edges) => new(
        edges.Sum(edge => edge.Connections),
        edges.Sum(edge => edge.Answered),
        edges.Sum(edge => edge.Refused),
        edges.Sum(edge => edge.Unanswered),
        edges.Count == 0 ? null : edges.Min(edge => edge.FirstSeenUs),
        edges.Count == 0 ? null : edges.Max(edge => edge.LastSeenUs),
        [.. edges.SelectMany(edge => edge.Nodes).Distinct().Order(StringComparer.Ordinal)],
        [.. edges.SelectMany(edge => (ResolvedBy[])[edge.SrcResolvedBy, edge.DstResolvedBy]).Distinct().Order().Select(EdgeOrder.TextOf)]);

    private List<string> Suggested(ExplainQuestion question, AskedEnd src, AskedEnd dst, List<Edge> exact, SetAnswer answer, Suggestion suggestion)
    {
        List<string> lines = [];
        var mine = exact.Select(KeyOf).ToHashSet();
        foreach (var policy in suggestion.Set.Policies)
        {
            foreach (var (direction, index, rule) in policy.AllRules().Where(rule => rule.Rule.Evidence?.Edges.Any(edge => mine.Contains(KeyOf(edge))) == true))
            {
                var evidence = rule.Evidence!;
                lines.Add($"suggested by {RuleText.Place(policy.Id, direction, index)}, which {RuleText.Of(direction, rule)}: {evidence.Connections} connections"
                    + $" from {UnixTime.Text(evidence.FirstSeenUs)} to {UnixTime.Text(evidence.LastSeenUs)}, seen by {string.Join(", ", evidence.Nodes)}"
                    + (rule.Widened is { } widened ? $"; wider than seen: {widened}" : ""));
            }
        }

        // The sieve knows for each edge why it is no evidence; the review knows it for whole segments.
        lines.AddRange(exact.Select(edge => sieve.WhyNot(edge) is { } reason ? $"not suggested: {sieve.Item(edge, reason).Detail}" : null).OfType<string>().Distinct());
        var names = src.Entities.Concat(dst.Entities).Select(entity => SegmentKey.TextOf(entity, input.Level)).ToHashSet(StringComparer.Ordinal);
        lines.AddRange(suggestion.Review
            .Where(item => names.Contains(item.Src) && item.Dst.Length == 0 && (item.Port is null || item.Port == question.Port))
            .Select(item => $"for review, {item.Src}: {item.Detail}").Distinct());
        if (exact.Count == 0)
        {
            lines.Insert(0, answer.Verdict == "allowed" ? "not needed: nothing of the kind was seen, though the suggestion lets it through" : "not suggested: nothing of the kind was seen");
        }

        return lines;
    }

    private List<string> WhyNoEdge(ExplainQuestion question, AskedEnd src, AskedEnd dst, List<Edge> edges, List<Edge> exact)
    {
        if (exact.Exists(edge => sieve.WhyNot(edge) is null))
        {
            return [];
        }

        List<string> lines = [];
        if (exact.Count > 0)
        {
            lines.Add(exact.TrueForAll(edge => edge.Answered == 0)
                ? $"there were {exact.Sum(edge => edge.Connections)} attempts, and nobody answered: {exact.Sum(edge => edge.Refused)} refused, {exact.Sum(edge => edge.Unanswered)} without an answer"
                : "what was seen does not count as need, for the reasons above");
        }
        else if (edges.Count > 0)
        {
            var ports = edges.Select(edge => $"{IpProtocol.NameOf(edge.Protocol).ToUpperInvariant()} {edge.DstPort}").Distinct().Order(StringComparer.Ordinal).Take(8);
            lines.Add($"never seen on this port; the two were seen on {string.Join(", ", ports)}");
        }
        else
        {
            lines.Add("never seen in the span");
        }

        lines.AddRange(Unresolved(question, src, dst));
        lines.AddRange(gaps.Select(gap => $"not everything was watched: {gap}"));
        return lines;
    }

    /// <summary>The connection may hide behind an address that nobody claims, or that several do.</summary>
    private IEnumerable<string> Unresolved(ExplainQuestion question, AskedEnd src, AskedEnd dst)
    {
        var from = src.Entities.Select(entity => entity.Id).ToHashSet();
        var to = dst.Entities.Select(entity => entity.Id).ToHashSet();
        var port = input.Edges.Where(edge => edge.Protocol == question.Protocol && edge.DstPort == question.Port).ToList();
        var strangers = port.Where(edge => (from.Contains(edge.Src.Id) && IsDoubtful(edge.Dst)) || (to.Contains(edge.Dst.Id) && IsDoubtful(edge.Src))).ToList();
        foreach (var (name, connections) in strangers.GroupBy(edge => IsDoubtful(edge.Dst) ? edge.Dst.Name : edge.Src.Name).Select(same => (same.Key, same.Sum(edge => edge.Connections))).Take(5))
        {
            yield return $"on this port {connections} connections were seen with {name}, whom the ledger cannot tell: it may be the one asked about";
        }
    }

    /// <summary>A suggestion may rest on the edge with its ends as last known.</summary>
    private static (ulong Src, ulong Dst, byte Protocol, ushort Port) KeyOf(Edge edge) => (edge.Src.Id, edge.Dst.Id, edge.Protocol, edge.DstPort);

    private static bool IsDoubtful(Entity entity) => entity.Kind is EntityKind.Unknown or EntityKind.Ambiguous;
}
