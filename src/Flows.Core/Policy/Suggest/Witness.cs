using Flows.Core.Identity;
using Flows.Core.Map;

namespace Flows.Core.Policy;

/// <summary>What is known of a node as a witness, from what only it can say: the edges that it vouches for.</summary>
internal sealed class Witness
{
    private readonly List<HourSet> sightings = [];
    private readonly HashSet<int> begins = [];
    private HourSet? hours;
    private bool seesEgress;
    private bool seesIngress;

    /// <summary>Every node that vouches for something, by name.</summary>
    public static Dictionary<string, Witness> Of(PolicyInput input)
    {
        Dictionary<string, Witness> witnesses = new(StringComparer.Ordinal);
        foreach (var edge in input.Edges)
        {
            for (var i = 0; i < edge.Nodes.Count; i++)
            {
                if (!witnesses.TryGetValue(edge.Nodes[i], out var witness))
                {
                    witnesses[edge.Nodes[i]] = witness = new Witness { hours = input.Reports.GetValueOrDefault(edge.Nodes[i]) };
                }

                witness.Saw(edge, edge.Nodes[i]);
            }
        }

        return witnesses;
    }

    /// <summary>Whether it has ever seen this end of a connection with another node.</summary>
    public bool Sees(Direction direction) => direction == Direction.Egress ? seesEgress : seesIngress;

    /// <summary>Whether it was reporting in an hour of the edge.</summary>
    public bool WasUp(Edge edge)
    {
        hours ??= HourSet.Union([.. sightings.Distinct(), HourSet.Of(begins)]);
        return hours.Overlaps(HoursOf(edge));
    }

    private static HourSet HoursOf(Edge edge) => edge.Hours ?? HourSet.Between(edge.FirstSeenUs, edge.LastSeenUs);

    private void Saw(Edge edge, string node)
    {
        var (atSrc, atDst) = (IsAt(edge.Src, node), IsAt(edge.Dst, node));
        seesEgress |= atSrc && !atDst;
        seesIngress |= atDst && !atSrc;

        // Of an edge that others saw too nobody says who saw which hour; what it tells alone is certain.
        if (hours is null && edge.Nodes.Count == 1)
        {
            sightings.Add(HoursOf(edge));
        }
        else if (hours is null && (atSrc || atDst))
        {
            begins.Add(HourSet.HourOf(edge.FirstSeenUs));
        }
    }

    private static bool IsAt(Entity end, string node) => end.Kind == EntityKind.Pod ? end.Node == node : end.Name == node;
}
