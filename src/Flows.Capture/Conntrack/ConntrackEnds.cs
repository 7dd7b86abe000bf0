using Flows.Core.Facts;

namespace Flows.Capture.Conntrack;

/// <summary>The rows that an ending gives: at the end itself, at the DESTROY, at the stop, or when nobody told of it.</summary>
internal sealed class ConntrackEnds(ConntrackRows rows)
{
    /// <summary>Entries that somebody deleted before their time, since the start.</summary>
    public long Deleted { get; private set; }

    /// <summary>The counters of a connection that is over arrived.</summary>
    public void WriteEnd(ref ConntrackEntry entry, long timeUs)
    {
        entry.ClosedUs = entry.ClosedUs == 0 ? timeUs : entry.ClosedUs;
        rows.Write(ref entry, EndReason.End, ConntrackStates.Of(in entry, gone: false), entry.ClosedUs, counted: true);
        entry.EndReported = true;
    }

    /// <summary>The last row of an entry whose DESTROY came; the counters are its final ones.</summary>
    /// <param name="entry">The connection, which has learned from the DESTROY.</param>
    /// <param name="timeUs">When it was destroyed.</param>
    /// <param name="timeLeft">The entry's time was not up: somebody deleted it. The connection itself may go on.</param>
    public void WriteLast(ref ConntrackEntry entry, long timeUs, bool timeLeft)
    {
        if (entry.EndReported)
        {
            WriteResidue(ref entry, timeUs);
            return;
        }

        var state = ConntrackStates.Of(in entry, gone: !timeLeft || entry.IsOver || entry.ProtoState == TcpStates.SynSent);
        var ended = state is FlowState.Closed or FlowState.Reset or FlowState.Refused;
        var deleted = !ended && timeLeft;
        Deleted += deleted ? 1 : 0;
        var reason = ended ? EndReason.End : deleted ? EndReason.Forced : EndReason.Idle;
        rows.Write(ref entry, reason, state, entry.ClosedUs != 0 ? entry.ClosedUs : timeUs, counted: true);
    }

    /// <summary>The kernel has forgotten the connection and its DESTROY did not reach us: its last counters are lost.</summary>
    public void WriteUnheard(ref ConntrackEntry entry, long timeUs)
    {
        if (!entry.EndReported)
        {
            var state = ConntrackStates.Of(in entry, gone: false);
            rows.Write(ref entry, EndReason.Forced, state, entry.ClosedUs != 0 ? entry.ClosedUs : timeUs, counted: false);
        }
    }

    /// <summary>The source stops while the connection lives.</summary>
    /// <param name="entry">The connection.</param>
    /// <param name="timeUs">When the source stopped.</param>
    /// <param name="counted">The final dump has shown it, so its counters are those of now.</param>
    public void WriteStopped(ref ConntrackEntry entry, long timeUs, bool counted)
    {
        if (entry.EndReported)
        {
            if (counted)
            {
                WriteResidue(ref entry, timeUs);
            }

            return;
        }

        var over = entry.IsOver;
        rows.Write(
            ref entry,
            over ? EndReason.End : EndReason.Forced,
            ConntrackStates.Of(in entry, gone: false),
            over && entry.ClosedUs != 0 ? entry.ClosedUs : timeUs,
            counted);
    }

    private void WriteResidue(ref ConntrackEntry entry, long timeUs)
    {
        if (entry.HasCounters && entry.Latest != entry.Reported)
        {
            rows.Write(ref entry, EndReason.End, ConntrackStates.Of(in entry, gone: true), timeUs, counted: true);
        }
    }
}
