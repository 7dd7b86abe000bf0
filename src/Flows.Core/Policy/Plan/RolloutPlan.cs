namespace Flows.Core.Policy;

/// <summary>What to do with a step.</summary>
public enum StepAdvice
{
    /// <summary>Nothing that is needed would be denied, and enough was seen to believe that.</summary>
    Enforce,

    /// <summary>Nothing that is needed would be denied, yet too little was seen: watch the draft for longer.</summary>
    Watch,

    /// <summary>Needed connections would be denied: mend the policy first.</summary>
    Mend,

    /// <summary>No workload that is known is governed by it.</summary>
    Idle,
}

/// <summary>Policies that take effect together, and what that changes.</summary>
/// <param name="Number">Its place in the order, from one.</param>
/// <param name="Segments">The workloads that they govern.</param>
/// <param name="ReachBefore">Clients that may come in and ports that may be dialled, each at this end, before.</param>
/// <param name="ReachAfter">And after.</param>
/// <param name="Denied">Needed connections that the step would deny and that pass today.</param>
/// <param name="DeniedBecause">One sentence for each of the first of them.</param>
/// <param name="Readiness">The least ready of the workloads.</param>
/// <param name="Changes">What the step does, a sentence each.</param>
public sealed record RolloutStep(
    int Number, StepAdvice Advice, IReadOnlyList<string> Policies, IReadOnlyList<string> Segments, long ReachBefore, long ReachAfter, long Denied, IReadOnlyList<string> DeniedBecause,
    StepReadiness? Readiness, IReadOnlyList<string> Changes)
{
    public long Removed => ReachBefore - ReachAfter;
}

/// <summary>The steps in the order in which to take them.</summary>
public sealed record RolloutPlan(IReadOnlyList<RolloutStep> Steps);
