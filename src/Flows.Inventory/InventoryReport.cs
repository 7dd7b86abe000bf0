using Flows.Core.Identity;

namespace Flows.Inventory;

/// <summary>A line that was not taken.</summary>
/// <param name="Where">File and line, such as <c>fleet.jsonl:12</c>.</param>
/// <param name="Reason">What is wrong with it.</param>
/// <param name="Remedy">What to write instead.</param>
public sealed record RejectedLine(string Where, string Reason, string Remedy)
{
    public override string ToString() => $"{Where}: {Reason}; {Remedy}";
}

/// <summary>What came of reading an inventory: the good lines are kept whatever the others are.</summary>
/// <param name="Accepted">One statement per good line, in file order; a line that repeats an earlier one word for word counts once.</param>
/// <param name="Rejected">The first <see cref="InventoryFile.RejectedMax"/> bad lines, in file order.</param>
/// <param name="RejectedCount">All bad lines.</param>
public sealed record InventoryReport(IReadOnlyList<IdentityInterval> Accepted, IReadOnlyList<RejectedLine> Rejected, long RejectedCount)
{
    /// <summary>The origin for which the file claims to list every holder, so that one it does not list is gone; null for a file that is a part.</summary>
    public string? CompleteFor { get; init; }
}
