using Flows.Core.Facts;

namespace Flows.Core.Policy;

/// <summary>What may go from one group of ends to another.</summary>
/// <param name="Ports">By protocol, as <c>TCP 80, TCP 8000-8999</c>; <c>all</c> where nothing is stopped.</param>
public sealed record Reach(string Src, string Dst, string Ports);

/// <summary>Lists what may talk to what. Pods of one workload with the same labels count once, and ports are judged by ranges between which no rule tells a difference.</summary>
public static class Connectivity
{
    /// <summary>The end that stands for an address that nobody of the fleet holds and no range names apart.</summary>
    public const string Outside = "outside";

    private const string Everything = "all";

    public static IReadOnlyList<Reach> Of(FleetView fleet, PolicySet set, Dialect dialect)
    {
        var evaluator = new PolicyEvaluator(set, fleet.NamespaceLabels, dialect);
        var ends = Ends(fleet);
        var slices = Slices(set);
        return [.. from src in ends
                   from dst in ends
                   where src.Name != dst.Name
                   let ports = Ports(evaluator, slices, src.Party, dst.Party)
                   where ports.Length > 0
                   select new Reach(src.Name, dst.Name, ports)];
    }

    private static List<(string Name, Party Party)> Ends(FleetView fleet) =>
    [
        .. fleet.Pods.Where(pod => pod.IsRunning)
            .GroupBy(pod => (pod.Party.Namespace, pod.Workload, Labels: string.Join(',', pod.Party.Labels.OrderBy(label => label.Key, StringComparer.Ordinal))))
            .OrderBy(group => group.Key.Namespace, StringComparer.Ordinal).ThenBy(group => group.Key.Workload, StringComparer.Ordinal).ThenBy(group => group.Key.Labels, StringComparer.Ordinal)
            .Select(group => (Name: $"{group.Key.Namespace}/{group.Key.Workload}", group.First().Party)),
        .. fleet.Hosts.OrderBy(host => host.Name, StringComparer.Ordinal).Select(host => (Name: host.Party.Id, host.Party)),
        (Outside, new Party { Id = Outside }),
    ];

    /// <summary>Ranges of ports, per protocol, within which every rule by number says the same.</summary>
    private static List<(byte Protocol, ushort First, ushort Last)> Slices(PolicySet set)
    {
        List<(byte, ushort, ushort)> slices = [];
        var ports = set.Policies.SelectMany(policy => policy.AllRules()).SelectMany(rule => rule.Rule.Ports).ToList();
        foreach (var protocol in PortMatch.Transports)
        {
            SortedSet<int> starts = [1];
            foreach (var port in ports.Where(port => port.Protocol == protocol && port.First is not null))
            {
                starts.Add(port.First!.Value);
                starts.Add(port.Last!.Value + 1);
            }

            var ordered = starts.Where(start => start is > 0 and <= ushort.MaxValue).ToList();
            for (var i = 0; i < ordered.Count; i++)
            {
                slices.Add((protocol, (ushort)ordered[i], i + 1 < ordered.Count ? (ushort)(ordered[i + 1] - 1) : ushort.MaxValue));
            }
        }

        return slices;
    }

    private static string Ports(PolicyEvaluator evaluator, List<(byte Protocol, ushort First, ushort Last)> slices, Party src, Party dst)
    {
        List<(byte Protocol, ushort First, ushort Last)> open = [];
        foreach (var slice in slices.SelectMany(slice => Cut(slice, dst)).Where(slice => evaluator.Evaluate(new Connection(src, dst, slice.Protocol, slice.First)).Allowed))
        {
            if (open.Count > 0 && open[^1].Protocol == slice.Protocol && open[^1].Last + 1 == slice.First)
            {
                open[^1] = open[^1] with { Last = slice.Last };
            }
            else
            {
                open.Add(slice);
            }
        }

        return open.Count == PortMatch.Transports.Count && open.TrueForAll(slice => slice is { First: 1, Last: ushort.MaxValue })
            ? Everything
            : string.Join(", ", open.Select(slice => slice is { First: 1, Last: ushort.MaxValue } ? new PortMatch(slice.Protocol) : new PortMatch(slice.Protocol, slice.First, slice.Last)));
    }

    /// <summary>A port with a name is a range of its own: rules may speak of the name.</summary>
    private static IEnumerable<(byte Protocol, ushort First, ushort Last)> Cut((byte Protocol, ushort First, ushort Last) slice, Party dst)
    {
        var next = (int)slice.First;
        foreach (var port in dst.Ports.Where(port => port.Protocol == slice.Protocol && port.Port >= slice.First && port.Port <= slice.Last).Select(port => port.Port).Distinct().Order())
        {
            if (port > next)
            {
                yield return (slice.Protocol, (ushort)next, (ushort)(port - 1));
            }

            yield return (slice.Protocol, port, port);
            next = port + 1;
        }

        if (next <= slice.Last)
        {
            yield return (slice.Protocol, (ushort)next, slice.Last);
        }
    }
}
