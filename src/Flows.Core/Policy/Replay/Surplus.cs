namespace Flows.Core.Policy;

/// <summary>Something that rules let through and that nobody did in the span.</summary>
/// <param name="By">The rules that let it through, as <c>shop/api ingress[0]</c>; an end that nothing closes is not among them.</param>
public sealed record SurplusEdge(string Src, string Dst, byte Protocol, ushort Port, IReadOnlyList<string> By);

/// <summary>What rules let through beyond what was seen.</summary>
/// <param name="Count">All of them; the list ends at a limit.</param>
/// <param name="Complete">False where there was too much to look at, so that there may be more.</param>
public sealed record SurplusReport(IReadOnlyList<SurplusEdge> Edges, long Count, bool Complete);

/// <summary>
/// Lists the connections between known workloads, to ports on which these were seen to answer, that pass by a rule and never were. What passes because
/// neither end is governed is no fault of a rule: <see cref="UncoveredSegment"/> tells of it.
/// </summary>
internal sealed class Surplus(FleetSegments fleet, EdgeJudge judge, ReplayLimits limits)
{
    private readonly SegmentMembers members = new(fleet.All, judge.Classes, judge.Governance);
    private readonly Dictionary<FleetSegment, List<SegmentPolicy>[]> governing = [];
    private readonly List<SurplusEdge> found = [];
    private long count;
    private long asked;

    public SurplusReport Find()
    {
        List<FleetSegment> open = [];
        foreach (var server in fleet.All.Where(segment => segment.Ports.Count > 0))
        {
            var policies = Governing(server, Direction.Ingress);
            if (policies.Count == 0)
            {
                open.Add(server);
                continue;
            }

            foreach (var (protocol, port) in server.Ports)
            {
                var rules = policies.SelectMany(policy => policy.Ingress!).Where(rule => MaySpeakOf(rule, protocol, port)).ToList();
                foreach (var client in policies.Exists(policy => policy.ClosesIngress) ? Named(rules) : fleet.All)
                {
                    Try(client, server, protocol, port);
                }
            }
        }

        // A server that is open takes what its clients' own rules let out.
        var openServers = open.ToHashSet();
        foreach (var client in openServers.Count == 0 ? [] : fleet.All)
        {
            var policies = Governing(client, Direction.Egress);
            var rules = policies.SelectMany(policy => policy.Egress!).ToList();
            var reached = policies.Count == 0 ? [] : policies.Exists(policy => policy.ClosesEgress) ? Named(rules) : open;
            foreach (var server in reached.Where(openServers.Contains))
            {
                foreach (var (protocol, port) in server.Ports)
                {
                    Try(client, server, protocol, port);
                }
            }
        }

        return new SurplusReport(
            [.. found.OrderBy(edge => edge.Src, StringComparer.Ordinal).ThenBy(edge => edge.Dst, StringComparer.Ordinal).ThenBy(edge => edge.Protocol).ThenBy(edge => edge.Port)],
            count,
            asked < limits.PairsMax);
    }

    private IEnumerable<FleetSegment> Named(List<Rule> rules) => rules.Exists(rule => rule.Peers.Count == 0) ? fleet.All
        : rules.Count == 1 ? members.Named(rules[0])
        : rules.SelectMany(members.Named).Distinct();

    private void Try(FleetSegment client, FleetSegment server, byte protocol, ushort port)
    {
        if (client == server || fleet.Met(client, server, protocol, port) || asked >= limits.PairsMax)
        {
            return;
        }

        asked++;
        SortedSet<string> by = new(StringComparer.Ordinal);
        foreach (var src in client.Classes)
        {
            foreach (var dst in server.Classes)
            {
                var decision = judge.Suppose(src, dst, protocol, port);
                if (decision.Allowed)
                {
                    by.UnionWith(decision.Egress.By.Select(rule => RuleText.Place(rule.Policy, Direction.Egress, rule.Rule)));
                    by.UnionWith(decision.Ingress.By.Select(rule => RuleText.Place(rule.Policy, Direction.Ingress, rule.Rule)));
                }
            }
        }

        if (by.Count > 0)
        {
            count++;
            if (found.Count < limits.SurplusMost)
            {
                found.Add(new SurplusEdge(client.Name, server.Name, protocol, port, [.. by]));
            }
        }
    }

    private List<SegmentPolicy> Governing(FleetSegment segment, Direction direction)
    {
        if (!governing.TryGetValue(segment, out var both))
        {
            governing[segment] = both =
            [
                [.. segment.Classes.SelectMany(number => judge.Governance.Of(judge.Classes[number], Direction.Ingress)).Distinct()],
                [.. segment.Classes.SelectMany(number => judge.Governance.Of(judge.Classes[number], Direction.Egress)).Distinct()],
            ];
        }

        return both[(int)direction];
    }

    private static bool MaySpeakOf(Rule rule, byte protocol, ushort port) => rule.Ports.Count == 0
        || rule.Ports.Any(one => one.Protocol == protocol && (one.Name is not null || one.First is null || (port >= one.First && port <= one.Last)));
}
