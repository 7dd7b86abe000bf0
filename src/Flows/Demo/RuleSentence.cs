using System.Globalization;
using Flows.Core;
using Flows.Core.Identity;
using Flows.Core.Policy;

namespace Flows.Demo;

/// <summary>A suggested rule of a workload with what it rests on, in one sentence.</summary>
internal static class RuleSentence
{
    // A sentence with more names than that is a list; the policy's text has them all.
    private const int NamesMost = 6;

    public static string Of(Direction direction, Rule rule)
    {
        var ports = string.Join(", ", rule.Ports);
        if (rule.Evidence is not { } seen)
        {
            return $"{direction} on {ports}.";
        }

        var peers = Listed(seen.Edges.Select(edge => Called(direction == Direction.Ingress ? edge.Src : edge.Dst)));
        var witnesses = seen.Nodes.Count == 0 ? "" : $", seen by {Listed(seen.Nodes)}";
        return $"{direction} {(direction == Direction.Ingress ? "from" : "to")} {peers} on {ports}: "
            + $"{Counted(seen.Connections)}{witnesses}, {Between(seen.FirstSeenUs, seen.LastSeenUs)}.{(rule.Widened is { } wide ? $" Wider than seen: {wide}." : "")}";
    }

    private static string Called(Entity entity) => entity is { Kind: EntityKind.Pod, Workload.Length: > 0 } ? $"{entity.Namespace}/{entity.Workload}" : EdgeEvidence.Called(entity);

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
