namespace Flows.Core.Policy;

/// <summary>What is asked: whether one may reach another on a port, and why.</summary>
public sealed record ExplainQuestion(string Src, string Dst, byte Protocol, ushort Port);

/// <summary>A set that is asked, under the name by which the answer calls it: the given policies, the cluster's, the suggestion.</summary>
public sealed record NamedSet(string Name, PolicySet Set);

/// <summary>What one set says.</summary>
/// <param name="Verdict"><c>allowed</c>, <c>denied</c>, or <c>depends</c> where it differs between the pods or addresses that are meant.</param>
/// <param name="Egress">Why, at the client, step by step.</param>
/// <param name="Ingress">Why, at the server.</param>
public sealed record SetAnswer(string Set, string Verdict, IReadOnlyList<string> Egress, IReadOnlyList<string> Ingress);

/// <summary>What was seen between the ends on the port.</summary>
public sealed record SeenAnswer(
    long Connections, long Answered, long Refused, long Unanswered, long? FirstSeenUs, long? LastSeenUs, IReadOnlyList<string> Nodes, IReadOnlyList<string> ResolvedBy);

/// <summary>The whole answer.</summary>
/// <param name="Sets">What each set says.</param>
/// <param name="Seen">What was seen.</param>
/// <param name="Suggested">Whether a suggestion has a rule for it, and which and why; or why not.</param>
/// <param name="WhyNoEdge">Where nothing was seen that counts: what may be the reason.</param>
public sealed record Explanation(
    string Src, string Dst, string Port, IReadOnlyList<SetAnswer> Sets, SeenAnswer Seen, IReadOnlyList<string> Suggested, IReadOnlyList<string> WhyNoEdge);
