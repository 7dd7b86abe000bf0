using Flows.Core.Accounting;
using Flows.Core.Facts;

namespace Flows.Capture.Conntrack;

/// <summary>
/// Lets those rows of the packet source pass that tell of what conntrack did not see. Conntrack owns a flow wherever it sees it: it knows the addresses
/// before and after translation, and its counters miss nothing. Packets cover the rest: bridged traffic, what is not tracked, what was lost.
/// </summary>
/// <param name="tracked">What conntrack in the same network namespace saw.</param>
/// <param name="rows">Takes the rows that remain.</param>
public sealed class ConntrackOwns(TrackedTuples tracked, FlowSink rows)
{
    /// <summary>The hop <c>packet_rows</c>: seen = forwarded + dropped (<c>conntrack_owns</c>, intentional).</summary>
    public HopAccount Account { get; } = new("packet_rows", "rows");

    /// <summary>A <see cref="FlowSink"/> for the packet source.</summary>
    public void Take(in FlowRow row)
    {
        Account.Seen();
        if (tracked.Contains(in row))
        {
            Account.Dropped("conntrack_owns");
            return;
        }

        Account.Forwarded();
        rows(in row);
    }
}
