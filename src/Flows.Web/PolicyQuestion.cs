using Flows.Core.Policy;

namespace Flows.Web;

/// <summary>What policies are wanted for. Times are texts that were found to be times: an age such as <c>1h</c> means another moment each time.</summary>
/// <param name="Since">Begin of what was seen; null: all there is.</param>
/// <param name="Until">Its end, exclusive; null: now.</param>
/// <param name="Level">How coarse the segments are.</param>
/// <param name="Target">For what the policies are written.</param>
/// <param name="Segment">Policies for this namespace, workload or labels only; null: for all.</param>
/// <param name="Cluster">The cluster that is meant; null where the store knows pods of one at most.</param>
public sealed record PolicyQuestion(string? Since, string? Until, SegmentLevel Level, SuggestTarget Target, SegmentFilter? Segment, string? Cluster)
{
    public bool Equals(PolicyQuestion? other) => other is not null && Since == other.Since && Until == other.Until && Level == other.Level && Target == other.Target
        && Segment?.Text == other.Segment?.Text && Cluster == other.Cluster;

    public override int GetHashCode() => HashCode.Combine(Since, Until, Level, Target, Segment?.Text, Cluster);
}
