namespace Flows.Core.Policy;

/// <summary>One edge, as one of its ends needs it.</summary>
/// <param name="Edge">By number.</param>
/// <param name="Peers">What a rule calls the other end.</param>
/// <param name="Metrics">The client collects metrics.</param>
internal readonly record struct Need(int Edge, IReadOnlyList<Peer> Peers, bool Metrics);

/// <summary>Everything that one segment was seen to need, each in the order of edges.</summary>
internal sealed class SegmentNeeds
{
    public List<Need> Ingress { get; } = [];

    public List<Need> Egress { get; } = [];

    /// <summary>The edges that stayed inside the fence.</summary>
    public List<int> Inside { get; } = [];

    public List<Need> Of(Direction direction) => direction == Direction.Ingress ? Ingress : Egress;
}
