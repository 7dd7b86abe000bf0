using Flows.Core.Policy;

namespace Flows.Tests.Policy;

/// <summary>
/// The meaning of a set once more, as plainly as possible: nothing is prepared, indexed or remembered. It shares only the model with the engine,
/// not its matching of labels, ranges or ports.
/// </summary>
internal static class NaiveJudge
{
    /// <summary>The decision as one line: verdict, deciding rules, and what isolates, for egress and ingress.</summary>
    public static string Judge(PolicySet set, IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> namespaces, Connection c, Dialect dialect)
    {
        if (c.Src.Id == c.Dst.Id)
        {
            return "allowed by () isolated () | allowed by () isolated ()";
        }

        var egress = c.OwnNode && c.Dst.HostLabels != null && dialect.OwnNodeFromPod ? Text(true, [], []) : Side(Direction.Egress);
        var ingress = c.OwnNode && c.Src.HostLabels != null && dialect.OwnNodeToPod ? Text(true, [], []) : Side(Direction.Ingress);
        return $"{egress} | {ingress}";

        string Side(Direction direction)
        {
            var me = direction == Direction.Egress ? c.Src : c.Dst;
            var you = direction == Direction.Egress ? c.Dst : c.Src;
            var port = c.Port;
            if (direction == Direction.Egress && dialect.EgressBeforeDnat && c.Dialled != null)
            {
                port = c.Dialled.Port;
                you = you with { Address = NetBlock.Of(c.Dialled.Address) };
            }

            foreach (var tier in set.Policies.Select(p => (p.Tier.Order, p.Tier.Name)).Distinct().Order())
            {
                var mine = set.Policies.Where(p => (p.Tier.Order, p.Tier.Name) == tier && (direction == Direction.Egress ? p.Egress : p.Ingress) != null && In(p.Target, me, false)).ToList();
                mine.Sort((a, b) => Place(a).CompareTo(Place(b)));
                var closing = mine.Where(p => direction == Direction.Egress ? p.ClosesEgress : p.ClosesIngress).Select(p => p.Namespace == "" ? p.Name : p.Namespace + "/" + p.Name).ToList();
                var (verdict, by) = Tier(mine, direction, you, port);
                if (verdict is RuleAction.Allow or RuleAction.Deny)
                {
                    return Text(verdict == RuleAction.Allow, by, closing);
                }

                if (verdict == null && closing.Count > 0)
                {
                    return Text(false, [], closing);
                }
            }

            return Text(true, [], []);
        }

        (RuleAction? Verdict, List<string> By) Tier(List<SegmentPolicy> mine, Direction direction, Party you, ushort port)
        {
            List<(RuleAction Action, string Name)> RulesOf(SegmentPolicy p)
            {
                List<(RuleAction, string)> hits = [];
                var rules = direction == Direction.Egress ? p.Egress! : p.Ingress!;
                for (var i = 0; i < rules.Count; i++)
                {
                    if (Hits(rules[i], you, port))
                    {
                        hits.Add((rules[i].Action, $"{(p.Namespace == "" ? p.Name : p.Namespace + "/" + p.Name)}[{i}]"));
                    }
                }

                return hits;
            }

            var early = mine.Where(p => p.Order is <= 1000).SelectMany(RulesOf).ToList();
            if (early.Count > 0)
            {
                return (early[0].Action, [early[0].Name]);
            }

            var together = mine.Where(p => p.Order == null).SelectMany(RulesOf).ToList();
            foreach (var action in new[] { RuleAction.Deny, RuleAction.Allow, RuleAction.Pass })
            {
                if (together.Exists(hit => hit.Action == action))
                {
                    return (action, [.. together.Where(hit => hit.Action == action).Select(hit => hit.Name)]);
                }
            }

            var late = mine.Where(p => p.Order is > 1000).SelectMany(RulesOf).ToList();
            return late.Count > 0 ? (late[0].Action, [late[0].Name]) : (null, []);
        }

        bool Hits(Rule rule, Party you, ushort port)
        {
            var peer = rule.Peers.Count == 0;
            foreach (var segment in rule.Peers)
            {
                peer |= In(segment, you, c.OwnNode);
            }

            var ports = rule.Ports.Count == 0;
            foreach (var match in rule.Ports)
            {
                if (match.Protocol != c.Protocol)
                {
                    continue;
                }

                if (match.Name != null)
                {
                    foreach (var named in c.Dst.Ports)
                    {
                        ports |= named.Name == match.Name && named.Protocol == c.Protocol && named.Port == port;
                    }
                }
                else
                {
                    ports |= match.First == null || (match.First.Value <= port && port <= match.Last!.Value);
                }
            }

            return peer && ports;
        }

        bool In(Segment segment, Party p, bool own) => segment switch
        {
            AnySegment any => any.Segments.Any(one => In(one, p, own)),
            PodSegment pods => p.Selectable && All(pods.Pods, p.Labels) && All(pods.Namespaces, namespaces[p.Namespace]),
            HostSegment hosts => p.HostLabels != null && All(hosts.Labels, p.HostLabels),
            ServiceSegment service => p.Services.Any(s => s == service.Namespace + "/" + service.Name),
            NameSegment name => p.Names.Any(n => Named(name, n)),
            BoundarySegment { Side: Boundary.Outside } => !p.Selectable && p.HostLabels == null,
            BoundarySegment { Side: Boundary.Inside } => p.Selectable || p.HostLabels != null,
            BoundarySegment { Side: Boundary.OwnHost } => p.HostLabels != null && own,
            BoundarySegment => p.HostLabels != null && !own,
            RangeSegment range => p.Address is { } block && !(p.Selectable && !dialect.RangesHoldPods) && !(p.HostLabels != null && !dialect.RangesHoldHosts)
                && Within(block, range.Range) && range.Except.All(except => !Within(block, except) && !Within(except, block)),
            _ => throw new InvalidOperationException(),
        };
    }

    /// <summary>A decision of the engine in the same words.</summary>
    public static string Text(PolicyDecision decision) => $"{Text(decision.Egress)} | {Text(decision.Ingress)}";

    private static string Text(SideDecision side) => Text(side.Allowed, side.By.Select(rule => $"{rule.Policy}[{rule.Rule}]"), side.IsolatedBy);

    private static string Text(bool allowed, IEnumerable<string> by, IEnumerable<string> isolated) =>
        $"{(allowed ? "allowed" : "denied")} by ({string.Join(' ', by)}) isolated ({string.Join(' ', isolated)})";

    private static (double, bool, Ordinal, Ordinal, Ordinal) Place(SegmentPolicy p) => (p.Order ?? 1000, p.Order == null, new(p.Name), new(p.Namespace), new(p.Kind));

    private readonly record struct Ordinal(string Text) : IComparable<Ordinal>
    {
        public int CompareTo(Ordinal other) => string.CompareOrdinal(Text, other.Text);
    }

    private static bool Named(NameSegment segment, string name)
    {
        var labels = name.Split('.');
        if (!segment.Pattern.StartsWith('*'))
        {
            return name == segment.Pattern;
        }

        var rest = segment.Pattern.Split('.').Skip(1).ToArray();
        return labels.Length > rest.Length && labels.TakeLast(rest.Length).SequenceEqual(rest) && (!segment.OneLabel || labels.Length == rest.Length + 1);
    }

    /// <summary>Bit by bit.</summary>
    private static bool Within(NetBlock inner, NetBlock outer)
    {
        if (inner.IsV4 != outer.IsV4 || inner.PrefixLength < outer.PrefixLength)
        {
            return false;
        }

        var (a, b) = (inner.First.ToBytes(), outer.First.ToBytes());
        for (var bit = 0; bit < outer.PrefixLength; bit++)
        {
            if (((a[bit / 8] ^ b[bit / 8]) >> (7 - (bit % 8)) & 1) != 0)
            {
                return false;
            }
        }

        return true;
    }

    private static bool All(LabelSelector selector, IReadOnlyDictionary<string, string> labels)
    {
        foreach (var one in selector.Requirements)
        {
            var value = labels.TryGetValue(one.Key, out var there) ? there : null;
            var holds = one.Operator switch
            {
                LabelOperator.Exists or LabelOperator.DoesNotExist => value != null,
                LabelOperator.In or LabelOperator.NotIn => value != null && one.Values.Any(v => v == value),
                LabelOperator.Contains or LabelOperator.NotContains => value != null && one.Values.Any(v => value.Contains(v, StringComparison.Ordinal)),
                LabelOperator.StartsWith or LabelOperator.NotStartsWith => value != null && one.Values.Any(v => value.Length >= v.Length && value[..v.Length] == v),
                _ => value != null && one.Values.Any(v => value.Length >= v.Length && value[^v.Length..] == v),
            };
            var negative = one.Operator is LabelOperator.NotIn or LabelOperator.DoesNotExist or LabelOperator.NotContains or LabelOperator.NotStartsWith or LabelOperator.NotEndsWith;
            if (holds == negative)
            {
                return false;
            }
        }

        return true;
    }
}
