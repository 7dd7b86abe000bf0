namespace Flows.Core.Policy;

/// <summary>A time in which a node did not see or report everything.</summary>
/// <param name="UntilUs">Its end, µs since the epoch; null while it lasts.</param>
/// <param name="What">One phrase: which source or hop lost what.</param>
public sealed record ObservationGap(string Node, long SinceUs, long? UntilUs, string What)
{
    public bool Touches(long fromUs, long toUs) => SinceUs <= toUs && (UntilUs ?? long.MaxValue) >= fromUs;
}
