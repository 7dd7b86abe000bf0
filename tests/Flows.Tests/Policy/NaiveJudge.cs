using Flows.Core.Policy;

namespace Flows.Tests.Policy;

/// <summary>
/// The meaning of a set once more, as plainly as possible: nothing is prepared, indexed or remembered. It shares only the model with the engine,
/// not its matching of labels, ranges or ports.
/// </summary>
internal static class NaiveJudge
{
    public static (bool Egress, bool Ingress) Judge(PolicySet set, IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> namespaces, Connection c, Dialect dialect)
    {
        if (c.Src.Id == c.Dst.Id)
        {
            return (true, true);
        }

        var egress = (c.OwnNode && c.Dst.HostLabels != null && dialect.OwnNodeFromPod) || Allowed(Direction.Egress);
        var ingress = (c.OwnNode && c.Src.HostLabels != null && dialect.OwnNodeToPod) || Allowed(Direction.Ingress);
        return (egress, ingress);

        bool Allowed(Direction direction)
        {
            var me = direction == Direction.Egress ? c.Src : c.Dst;
            var you = direction == Direction.Egress ? c.Dst : c.Src;
            var port = c.Port;
            if (direction == Direction.Egress && dialect.EgressBeforeDnat && c.Dialled != null)
            {
                port = c.Dialled.Port;
                you = you with { Address = NetBlock.Of(c.Dialled.Address) };
            }

            foreach (var order in set.Policies.Select(p => p.Tier).Distinct().OrderBy(t => t.Order).ThenBy(t => t.Name, StringComparer.Ordinal))
            {
                var mine = set.Policies.Where(p => p.Tier == order && (direction == Direction.Egress ? p.Egress : p.Ingress) != null && In(p.Target, me, false)).ToList();
                var verdict = Tier(mine, direction, you, port);
                if (verdict is RuleAction.Allow or RuleAction.Deny)
                {
                    return verdict == RuleAction.Allow;
                }

                if (verdict == null && mine.Exists(p => direction == Direction.Egress ? p.ClosesEgress : p.ClosesIngress))
                {
                    return false;
                }
            }

            return true;
        }

        RuleAction? Tier(List<SegmentPolicy> mine, Direction direction, Party you, ushort port)
        {
            IEnumerable<Rule> RulesOf(SegmentPolicy p) => direction == Direction.Egress ? p.Egress! : p.Ingress!;
            RuleAction? Ordered(IEnumerable<SegmentPolicy> some)
            {
                foreach (var p in some.OrderBy(p => p.Order).ThenBy(p => p.Name, StringComparer.Ordinal).ThenBy(p => p.Namespace, StringComparer.Ordinal))
                {
                    foreach (var rule in RulesOf(p))
                    {
                        if (Hits(rule, you, port))
                        {
                            return rule.Action;
                        }
                    }
                }

                return null;
            }

            var early = Ordered(mine.Where(p => p.Order <= 1000));
            if (early != null)
            {
                return early;
            }

            var hits = mine.Where(p => p.Order == null).SelectMany(RulesOf).Where(rule => Hits(rule, you, port)).Select(rule => rule.Action).ToList();
            return hits.Contains(RuleAction.Deny) ? RuleAction.Deny
                : hits.Contains(RuleAction.Allow) ? RuleAction.Allow
                : hits.Count > 0 ? RuleAction.Pass
                : Ordered(mine.Where(p => p.Order > 1000));
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
            AnySegment any => any.Segments.Count(one => In(one, p, own)) > 0,
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

    private static bool Named(NameSegment segment, string name)
    {
        var labels = name.Split('.');
        if (!segment.Pattern.StartsWith('*'))
        {
            return name == segment.Pattern;
        }

        var rest = segment.Pattern.Split('.')[1..];
        return labels.Length > rest.Length && labels[^rest.Length..].SequenceEqual(rest) && (!segment.OneLabel || labels.Length == rest.Length + 1);
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
                LabelOperator.Contains or LabelOperator.NotContains => value != null && one.Values.Any(v => value.IndexOf(v, StringComparison.Ordinal) >= 0),
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
