namespace Flows.Core.Policy;

/// <summary>How far what was seen of a segment can be relied on.</summary>
public enum StepState
{
    /// <summary>Too little was seen to say anything.</summary>
    Learning,

    /// <summary>News still come.</summary>
    Stabilising,

    /// <summary>Nothing new for long.</summary>
    Stable,
}

/// <summary>How ready a segment is to be enforced.</summary>
/// <param name="UnseenProbability">That its next connection uses an edge that was never seen; null where nobody can tell.</param>
/// <param name="Why">In words.</param>
public sealed record StepReadiness(StepState State, double? UnseenProbability, string Why);

/// <summary>Whoever knows how ready segments are.</summary>
public interface IReadinessSource
{
    /// <summary>The readiness of a workload (<c>namespace/workload</c>); null where nothing is known of it.</summary>
    StepReadiness? Of(string segment);
}
