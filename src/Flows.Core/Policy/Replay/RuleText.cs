namespace Flows.Core.Policy;

/// <summary>A rule as a person reads it.</summary>
internal static class RuleText
{
    // A list with more is a list; the policy has them all.
    private const int PartsMost = 4;

    /// <summary>Such as <c>allows TCP 8080 from namespaces ..., pods app=web</c>.</summary>
    public static string Of(Direction direction, Rule rule) =>
        $"{Verb(rule.Action)} {Listed(rule.Ports.Select(port => port.ToString()), "everything")} {(direction == Direction.Ingress ? "from" : "to")} "
        + Listed(rule.Peers.Select(peer => peer.ToString()!), "everybody");

    /// <summary>Such as <c>shop/api ingress[0]</c>.</summary>
    public static string Place(string policy, Direction direction, int index) => $"{policy} {Word(direction)}[{index}]";

    public static string Word(Direction direction) => direction == Direction.Ingress ? "ingress" : "egress";

    private static string Verb(RuleAction action) => action switch { RuleAction.Allow => "allows", RuleAction.Deny => "denies", _ => "passes on" };

    private static string Listed(IEnumerable<string> parts, string none)
    {
        var all = parts.ToList();
        return all.Count == 0 ? none : all.Count > PartsMost ? $"{string.Join(" or ", all.Take(PartsMost))} or {all.Count - PartsMost} more" : string.Join(" or ", all);
    }
}
