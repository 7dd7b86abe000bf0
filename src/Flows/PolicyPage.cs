using System.Globalization;
using Flows.Core;
using Flows.Core.Facts;
using Flows.Core.Identity;
using Flows.Core.Policy;
using Flows.Web;

namespace Flows;

/// <summary>A suggestion in the words of the page: every policy with why its rules are there and what to decide about it.</summary>
internal static class PolicyPage
{
    // A sentence with more names than that is a list; the policy's text has them all.
    private const int NamesMost = 6;

    public static SuggestedPolicies Of(Suggestion suggestion, SegmentLevel level)
    {
        var subjects = suggestion.Set.Policies.Select(policy => policy.Subject).ToHashSet(StringComparer.Ordinal);
        return new SuggestedPolicies(
            [.. suggestion.Set.Policies.Select(policy => Shown(policy, level, suggestion.Review.Where(item => item.Src == policy.Subject || item.Dst == policy.Subject)))],
            [.. suggestion.Review.Where(item => !subjects.Contains(item.Src) && !subjects.Contains(item.Dst)).Select(Sentence)]);
    }

    private static SuggestedPolicy Shown(SegmentPolicy policy, SegmentLevel level, IEnumerable<ReviewItem> review) => new(
        policy.Name,
        policy.Namespace,
        KubernetesWriter.Write(policy, evidence: null),
        policy.AllRules().Count(),
        [.. policy.AllRules().Select(rule => Sentence(rule.Direction, rule.Rule, level))],
        [.. review.Select(Sentence)]);

    private static string Sentence(Direction direction, Rule rule, SegmentLevel level)
    {
        var ports = string.Join(", ", rule.Ports);
        if (rule.Evidence is not { } seen)
        {
            return $"{direction} on {ports}.";
        }

        var peers = Listed(seen.Edges.Select(edge => Called(direction == Direction.Ingress ? edge.Src : edge.Dst, level)));
        var witnesses = seen.Nodes.Count == 0 ? "" : $", seen by {Listed(seen.Nodes)}";
        return $"{direction} {(direction == Direction.Ingress ? "from" : "to")} {peers} on {ports}: "
            + $"{Counted(seen.Connections)}{witnesses}, {Between(seen.FirstSeenUs, seen.LastSeenUs)}.{(rule.Widened is { } wide ? $" Wider than seen: {wide}." : "")}";
    }

    private static string Sentence(ReviewItem item)
    {
        var ends = item.Dst.Length == 0 ? item.Src : $"{item.Src} → {item.Dst}";
        var port = item.Protocol.Length == 0 ? "" : $" on {item.Protocol.ToUpperInvariant()} {item.Port}";
        var seen = item.Connections == 0 ? "" : $" ({Counted(item.Connections)})";
        return $"{ends}{port}: {item.Detail}{seen}.";
    }

    private static string Called(Entity entity, SegmentLevel level) => entity switch
    {
        { Kind: EntityKind.Pod } when level == SegmentLevel.Namespace => entity.Namespace,
        { Kind: EntityKind.Pod, Workload.Length: > 0 } => $"{entity.Namespace}/{entity.Workload}",
        { Namespace.Length: > 0 } => $"{entity.Namespace}/{entity.Name}",
        _ => entity.Name,
    };

    private static string Listed(IEnumerable<string> names)
    {
        var distinct = names.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToArray();
        return distinct.Length > NamesMost ? $"{string.Join(", ", distinct.Take(NamesMost))} and {distinct.Length - NamesMost} more" : string.Join(", ", distinct);
    }

    private static string Counted(long connections) => connections == 1 ? "1 connection" : string.Create(CultureInfo.InvariantCulture, $"{connections} connections");

    private static string Between(long firstUs, long lastUs)
    {
        var (first, last) = (Second(firstUs), Second(lastUs));
        return first == last ? $"{first} UTC" : first[..10] == last[..10] ? $"{first} to {last[11..]} UTC" : $"{first} to {last} UTC";
    }

    private static string Second(long us) => UnixTime.Text(us)[..19].Replace('T', ' ');
}
