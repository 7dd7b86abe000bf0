namespace Flows.Core.Policy;

/// <summary>Collects what a writer cannot say, and keeps rules honest: a rule that loses all its peers or ports goes, it never comes to mean everybody.</summary>
internal sealed class LossLog
{
    private readonly List<Loss> losses = [];

    public IReadOnlyList<Loss> Losses => losses;

    public static string Place(Direction direction, int index) => $"{(direction == Direction.Ingress ? "ingress" : "egress")}[{index}]";

    public void Note(SegmentPolicy policy, string place, string what) => losses.Add(new Loss(policy.Id, place, LossEffect.Note, what));

    /// <summary>A whole policy is left out.</summary>
    public void LeftOut(SegmentPolicy policy, string why)
    {
        var closes = (policy.Ingress is not null && policy.ClosesIngress) || (policy.Egress is not null && policy.ClosesEgress);
        var effect = policy.AllRules().Aggregate(closes ? LossEffect.Opens : LossEffect.Note, (effect, rule) => effect | EffectOf(rule.Rule));
        losses.Add(new Loss(policy.Id, "", effect, $"the policy is left out: {why}"));
    }

    /// <summary>A rule, or a part of it, is left out.</summary>
    public void LeftOut(SegmentPolicy policy, string place, Rule rule, string why) => losses.Add(new Loss(policy.Id, place, EffectOf(rule), why));

    /// <summary>Something else that changes the meaning.</summary>
    public void Changed(SegmentPolicy policy, LossEffect effect, string what) => losses.Add(new Loss(policy.Id, "", effect, what));

    /// <summary>What is missing where a rule is: an allowance stops, a denial opens, and what a pass skipped may do either.</summary>
    private static LossEffect EffectOf(Rule rule) => rule.Action switch
    {
        RuleAction.Allow => LossEffect.Closes,
        RuleAction.Deny => LossEffect.Opens,
        _ => LossEffect.Closes | LossEffect.Opens,
    };

    /// <summary>The rule with what can be said of it; null where nothing is left.</summary>
    /// <param name="peerFault">Why a peer cannot be said; null where it can.</param>
    /// <param name="portFault">As for peers.</param>
    public Rule? Fit(SegmentPolicy policy, Direction direction, int index, Rule rule, Func<Segment, string?> peerFault, Func<PortMatch, string?> portFault)
    {
        var place = Place(direction, index);
        List<Segment> peers = [];
        foreach (var peer in rule.Peers.SelectMany(AnySegment.PartsOf))
        {
            if (peerFault(peer) is { } why)
            {
                LeftOut(policy, place, rule, $"the peer '{peer}' is left out: {why}");
            }
            else
            {
                peers.Add(peer);
            }
        }

        List<PortMatch> ports = [];
        foreach (var port in rule.Ports)
        {
            if (portFault(port) is { } why)
            {
                LeftOut(policy, place, rule, $"the port '{port}' is left out: {why}");
            }
            else
            {
                ports.Add(port);
            }
        }

        return (peers.Count == 0 && rule.Peers.Count > 0) || (ports.Count == 0 && rule.Ports.Count > 0) ? null : rule with { Peers = peers, Ports = ports };
    }
}
