namespace Flows.Core.Policy;

/// <summary>Which end of the connection a rule stands at.</summary>
public enum Direction
{
    /// <summary>At the server: who may come in.</summary>
    Ingress,

    /// <summary>At the client: where it may go.</summary>
    Egress,
}

/// <summary>What a rule does to a connection that it matches.</summary>
public enum RuleAction
{
    /// <summary>Lets it through, finally.</summary>
    Allow,

    /// <summary>Stops it, finally.</summary>
    Deny,

    /// <summary>Leaves the decision to the next tier; the rest of this tier is not asked.</summary>
    Pass,
}

/// <summary>Why a rule is there.</summary>
public enum RulePurpose
{
    /// <summary>Connections were seen.</summary>
    Observed,

    /// <summary>Infrastructure: use of it was seen, and the rule covers all of it (name resolution over both UDP and TCP).</summary>
    Baseline,
}

/// <summary>What happens to connections between the policy's segment and any of the peers, on any of the ports.</summary>
public sealed record Rule
{
    /// <summary>A name for people; empty where it has none.</summary>
    public string Name { get; init; } = "";

    public RuleAction Action { get; init; }

    /// <summary>Empty: everybody.</summary>
    public IReadOnlyList<Segment> Peers { get; init; } = [];

    /// <summary>Empty: every port of every protocol.</summary>
    public IReadOnlyList<PortMatch> Ports { get; init; } = [];

    public RulePurpose Purpose { get; init; }

    /// <summary>Why the rule is there, in words; null where nobody said.</summary>
    public string? Reason { get; init; }

    /// <summary>Why the rule allows more than was seen; null where it does not.</summary>
    public string? Widened { get; init; }

    /// <summary>What justifies the rule; null for a rule that was read from somewhere.</summary>
    public RuleEvidence? Evidence { get; init; }

    /// <summary>The exact meaning as text, and the order of output.</summary>
    public string Key => (Action == RuleAction.Allow ? "" : $"{Action} ") + $"{string.Join(' ', Ports)}|{string.Join(' ', Peers.Select(peer => peer.Key))}";
}
