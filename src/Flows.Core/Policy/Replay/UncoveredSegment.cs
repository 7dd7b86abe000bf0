namespace Flows.Core.Policy;

/// <summary>A workload that stays open in a direction, since no policy closes it.</summary>
/// <param name="Connections">Needed connections that were seen in this direction.</param>
public sealed record UncoveredSegment(string Segment, Direction Direction, long Connections)
{
    internal static IReadOnlyList<UncoveredSegment> Of(FleetSegments fleet, PartyClasses classes, Governance governance) =>
    [
        .. from segment in fleet.All
           from direction in (Direction[])[Direction.Ingress, Direction.Egress]
           where segment.Classes.Any(number => !governance.Closing(classes[number], direction).Any())
           select new UncoveredSegment(segment.Name, direction, segment.Connections(direction)),
    ];
}
