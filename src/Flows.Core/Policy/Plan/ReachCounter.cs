namespace Flows.Core.Policy;

/// <summary>
/// Counts what one end of a set lets through: clients that may come in to the ports where a workload answers, and ports of others that it may dial. Each
/// counts by what this end says, since the other may be enforced later.
/// </summary>
internal sealed class ReachCounter
{
    private readonly IReadOnlyList<FleetSegment> all;
    private readonly EdgeJudge judge;
    private readonly Governance governance;
    private readonly SegmentMembers members;
    private readonly long ports;

    public ReachCounter(FleetSegments fleet, EdgeJudge judge, Governance governance)
    {
        (all, this.judge, this.governance) = (fleet.All, judge, governance);
        members = new SegmentMembers(all, judge.Classes, governance);
        ports = all.Sum(segment => segment.Ports.Count);
    }

    public long In(FleetSegment segment)
    {
        var rules = Rules(segment, Direction.Ingress);
        return segment.Ports.Sum(port => rules is null
            ? all.Count - 1
            : Named(rules).Count(client => client != segment && Any(client, segment, port, decision => decision.Ingress.Allowed)));
    }

    public long Out(FleetSegment segment)
    {
        var rules = Rules(segment, Direction.Egress);
        return rules is null
            ? ports - segment.Ports.Count
            : Named(rules).Where(server => server != segment).Sum(server => (long)server.Ports.Count(port => Any(segment, server, port, decision => decision.Egress.Allowed)));
    }

    /// <summary>The rules of the policies that govern this direction; null where none closes it.</summary>
    private List<Rule>? Rules(FleetSegment segment, Direction direction)
    {
        var policies = segment.Classes.SelectMany(number => governance.Of(judge.Classes[number], direction)).Distinct().ToList();
        var open = segment.Classes.Any(number => !governance.Closing(judge.Classes[number], direction).Any());
        return open ? null : [.. policies.SelectMany(policy => policy.Rules(direction)!)];
    }

    private IEnumerable<FleetSegment> Named(List<Rule> rules) => rules.Exists(rule => rule.Peers.Count == 0) ? all : rules.SelectMany(members.Named).Distinct();

    private bool Any(FleetSegment client, FleetSegment server, (byte Protocol, ushort Port) port, Func<PolicyDecision, bool> says) =>
        client.Classes.Any(src => server.Classes.Any(dst => says(judge.Suppose(src, dst, port.Protocol, port.Port))));
}
