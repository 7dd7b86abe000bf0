using Flows.Core.Facts;

namespace Flows.Capture.Owners;

/// <summary>Fills in who owned the sockets when a row is written: after a short connection has ended, by when the answer is there.</summary>
internal sealed class OwnerStamp(Func<OwnerBook?> book, FlowSink next)
{
    public void Take(in FlowRow row)
    {
        if (book() is not { } open)
        {
            next(in row);
            return;
        }

        var stamped = row;
        open.Stamp(ref stamped);
        next(in stamped);
    }
}
